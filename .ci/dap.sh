#!/usr/bin/env bash
# Debugs an application with the client that VS Code's own debug adapters are tested
# with: over stdin and stdout and over TCP, forwards and backwards, a run and a
# recording of it. It needs node and npm, which it installs on Debian if they are
# missing, and the npm registry for @vscode/debugadapter-testsupport.
#
#   bash .ci/dap.sh         the checks
#   bash .ci/dap.sh FILE    and the messages that were exchanged, into the file
set -u
log=
[ $# -gt 0 ] && log=$(realpath -m "$1")
cd "$(dirname "$0")/.."

package=@vscode/debugadapter-testsupport@1.68.0

say() { printf 'dap: %s\n' "$*"; }

need() {
	command -v node >/dev/null && command -v npm >/dev/null && return 0
	if ! command -v apt-get >/dev/null; then
		say "cannot debug: install node and npm"
		return 1
	fi
	local sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -q && $sudo apt-get install -qy --no-install-recommends nodejs npm || {
		say "cannot debug: node and npm could not be installed"
		return 1
	}
}

need >/dev/null || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

npm install --no-save --no-audit --no-fund --silent --prefix "$work" "$package" >/dev/null 2>"$work/npm.log" || {
	say "cannot debug: $package could not be fetched; is the npm registry in reach?"
	tail -n 3 "$work/npm.log"
	exit 1
}
go build -o "$work/skep" ./cmd/skep || exit 1
timeout 300 node .ci/dap.cjs "$work" "${log:-$work/dap.log}"
