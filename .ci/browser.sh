#!/usr/bin/env bash
# Looks at the page of `skep cloud --web` as a person would, in a headless Chromium: a
# client that connects, a shadow whose two sides differ and change, a refusal, the end
# of a connection with its reason, the filter and the pause of the messages, and that a
# stranger gets nothing. It needs node, npm and chromium, which it installs on Debian if
# they are missing, and the npm registry for playwright-core, which drives the browser.
#
#   bash .ci/browser.sh            the checks
#   bash .ci/browser.sh DIRECTORY  and pictures of the page, into the directory
set -u
pictures=
[ $# -gt 0 ] && pictures=$(realpath -m "$1") && mkdir -p "$pictures"
cd "$(dirname "$0")/.."

package=playwright-core@1.56.1

say() { printf 'browser: %s\n' "$*"; }

need() {
	command -v node >/dev/null && command -v npm >/dev/null && command -v chromium >/dev/null && return 0
	if ! command -v apt-get >/dev/null; then
		say "cannot look: install node, npm and chromium"
		return 1
	fi
	local sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -q && $sudo apt-get install -qy --no-install-recommends nodejs npm chromium fonts-dejavu-core || {
		say "cannot look: node, npm and chromium could not be installed"
		return 1
	}
}

need >/dev/null || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

npm install --no-save --no-audit --no-fund --silent --prefix "$work" "$package" >/dev/null 2>"$work/npm.log" || {
	say "cannot look: $package could not be fetched; is the npm registry in reach?"
	tail -n 3 "$work/npm.log"
	exit 1
}
go build -o "$work/skep" ./cmd/skep || exit 1
timeout 300 node .ci/browser.cjs "$work" "$(command -v chromium)" $pictures
