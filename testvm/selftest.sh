#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: selftest.sh [WORD...]
# Tests of testvm itself: what it must report, and what it must leave behind
# (nothing). BUILD is the build folder, KERNEL the kernel to boot (6.1), ARCH its
# architecture (x86_64; debug_bugs is for arm64, too). With
# words as arguments, only tests with one of them in their name are run.
# The tests are in selftest/, by subject.

set -eu

case ${1-} in
[!-]* | '') ;;
--help) sed -n '4,9s/^# //p' "$0"; exit 0 ;;
*) sed -n '4s/^# //p' "$0" >&2; exit 2 ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
testvm=$(cd "$build/testvm" && pwd)/testvm
kernel=${KERNEL:-6.1}
arch=${ARCH:-x86_64}
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
passed=0 failed=0 skipped=0

vm()
{
	"$testvm" --quiet --arch "$arch" --kernel "$kernel" --accel tcg --cpus 1 --timeout 60 \
		--log "$temp/log" "$@" 2>"$temp/err"
}

# expect STATUS COMMAND...: true if it ends with that status.
expect()
{
	local want=$1 got=0

	shift
	"$@" || got=$?
	[ "$got" -eq "$want" ] && return
	printf '# status %s, expected %s\n' "$got" "$want"
	[ ! -s "$temp/err" ] || sed 's/^/#   /' "$temp/err"
	return 1
}

# says TEXT: true if stderr of the last VM has it.
says()
{
	grep -qF -- "$1" "$temp/err" && return
	printf '# stderr lacks "%s":\n' "$1"
	sed 's/^/#   /' "$temp/err"
	return 1
}

# run NAME: status 2 of a test means that it could not be tried.
run()
{
	local status=0 begin=$SECONDS

	"test_$1" >"$temp/messages" || status=$?
	case $status in
	0)
		passed=$((passed + 1))
		printf 'ok - %s (%d s)\n' "$1" $((SECONDS - begin))
		;;
	2)
		skipped=$((skipped + 1))
		printf 'ok - %s # SKIP\n' "$1"
		;;
	*)
		failed=$((failed + 1))
		printf 'not ok - %s\n' "$1"
		cat "$temp/messages"
		;;
	esac
}

for file in "$here"/selftest/*.sh; do
	# shellcheck disable=SC1090 # one of several
	. "$file"
done
names=$(declare -F | sed -n 's/^declare -f test_//p')
for word; do
	case $names in
	*"$word"*) ;;
	*) echo "selftest.sh: no test has \"$word\" in its name" >&2; exit 2 ;;
	esac
done
for name in $names; do
	if [ $# -gt 0 ]; then
		wanted=no
		for word; do
			case $name in
			*"$word"*) wanted=yes ;;
			esac
		done
		[ $wanted = yes ] || continue
	fi
	run "$name"
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
