#!/usr/bin/env bash
# Races `skep compile --mpy 5` against a real mpy-cross, that of the npm package below,
# on all Python of the project: the files must be the same, byte for byte. It needs
# node and npm, which it installs on Debian if they are missing, and the npm registry.
#
# That mpy-cross is of a version between v1.12 and v1.13, and runs on a machine of 32
# bits (WebAssembly). So it differs from v1.12 in two ways, and in no other:
#
#   power  it computes a power of integers, 2**16, while compiling. Such a file must
#          be the same once its ** are written *.
#   host   it begins to compute with long integers where its own machine's small ones
#          end, at 31 bits, and what comes of that stays long: -1073741824 is an object
#          instead of a small int. Such files are listed here.
set -u
cd "$(dirname "$0")/.."

package=@pybricks/mpy-cross-v5@2.0.0
host=(
	internal/compiler/testdata/programs/comp_num_consts.py
	internal/compiler/testdata/programs/int_bitops.py
	internal/compiler/testdata/programs/int_small_edges.py
	internal/pylib/testdata/strings.py
)

say() { printf 'mpy-cross: %s\n' "$*"; }

need_node() {
	command -v node >/dev/null && command -v npm >/dev/null && return 0
	if ! command -v apt-get >/dev/null; then
		say "cannot race: install node and npm"
		return 1
	fi
	local sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -q && $sudo apt-get install -qy --no-install-recommends nodejs npm || {
		say "cannot race: node and npm could not be installed"
		return 1
	}
}

need_node || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

npm install --no-save --no-audit --no-fund --silent --prefix "$work" "$package" >/dev/null 2>"$work/npm.log" || {
	say "cannot race: $package could not be fetched; is the npm registry in reach?"
	tail -n 3 "$work/npm.log"
	exit 1
}
go build -o "$work/skep" ./cmd/skep || exit 1

# theirs LIST DIR compiles the files of a list to DIR/0.mpy, DIR/1.mpy, ...
theirs() {
	mkdir -p "$2"
	node .ci/mpycross.cjs "$work/node_modules/@pybricks/mpy-cross-v5" "$2" <"$1" 2>"$work/node.log" || {
		say "cannot race: the package does not run on node $(node --version)"
		grep -m1 -E '^[A-Za-z]*Error' "$work/node.log"
		exit 1
	}
}

# ours FILE OUT compiles one file; its message goes to OUT.err.
ours() { (cd "$(dirname "$1")" && "$work/skep" compile --mpy 5 -o "$2" "$(basename "$1")" 2>"$2.err"); }

listed() {
	local f
	for f in "${host[@]}"; do
		[ "$f" = "$1" ] && return 0
	done
	return 1
}

git ls-files '*.py' >"$work/list"
theirs "$work/list" "$work/a"
same=0 refused=0 n=0 wrong=0 differ=()
while read -r file; do
	if ! [ -e "$work/a/$n.mpy" ]; then
		if ours "$file" "$work/ours" || ! grep -qF "$(cat "$work/a/$n.err")" "$work/ours.err"; then
			say "WRONG: $file: theirs says: $(cat "$work/a/$n.err")"
			wrong=$((wrong + 1))
		else
			refused=$((refused + 1))
		fi
	elif ours "$file" "$work/ours" && cmp -s "$work/ours" "$work/a/$n.mpy"; then
		same=$((same + 1))
		if listed "$file"; then
			say "WRONG: $file is the same: take it out of the list in $0"
			wrong=$((wrong + 1))
		fi
	else
		differ+=("$file")
	fi
	n=$((n + 1))
done <"$work/list"

# The same without powers.
n=0
: >"$work/list2"
for file in ${differ[@]+"${differ[@]}"}; do
	mkdir -p "$work/plain/$n"
	plain=$work/plain/$n/$(basename "$file")
	LC_ALL=C sed -E ':again; s/([])A-Za-z0-9_]) *\*\* *([-~(A-Za-z0-9_])/\1 * \2/; t again' "$file" >"$plain"
	printf '%s\n' "$plain" >>"$work/list2"
	n=$((n + 1))
done
theirs "$work/list2" "$work/b"
powers=0 hosts=0 n=0
for file in ${differ[@]+"${differ[@]}"}; do
	if ours "$work/plain/$n/$(basename "$file")" "$work/ours" && cmp -s "$work/ours" "$work/b/$n.mpy"; then
		powers=$((powers + 1))
	elif listed "$file"; then
		hosts=$((hosts + 1))
	else
		say "WRONG: $file: $(cmp "$work/ours" "$work/b/$n.mpy" 2>&1 | sed 's/.*differ/differs/')"
		wrong=$((wrong + 1))
	fi
	n=$((n + 1))
done

say "$same files are the same, $powers once their powers are gone, $hosts differ by the host's word; $refused are refused by both; $wrong are wrong"
[ $wrong -eq 0 ] && [ $same -gt 100 ]
