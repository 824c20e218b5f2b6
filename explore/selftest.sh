#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does make explore find a seeded bug, twice in the same way, and nothing without one?
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$top/build}
out=$BUILD/explore-selftest
status=0

explore()
{
	"$top/explore/explore.sh" "$@" > "$out/said" 2>&1
}

# result NAME: of the latest run.
result()
{
	sed -n "s/.*\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$out/run/result.json"
}

# say NAME COMMAND...: the result of a test.
check()
{
	local name=$1

	shift
	if "$@"; then
		echo "ok - explore, $name"
	else
		cat "$out/said"
		echo "not ok - explore, $name"
		status=1
	fi
}

ends_with()
{
	local want=$1 got=0

	shift
	explore "$@" || got=$?
	[ "$got" = "$want" ]
}

finds()
{
	ends_with 1 --out "$out/run" --mutant keys-unlocked --seeds 1-300 F1_keys &&
		grep -q 'to repeat it: make explore TEST=F1_keys SEEDS=1-300' "$out/said"
}

finds_again()
{
	local found digest

	found=$(result found) digest=$(result digest)
	finds && [ "$found" -gt 0 ] && [ "$(result found)" = "$found" ] &&
		[ "$(result digest)" = "$digest" ]
}

mkdir -p "$out"
check 'a schedule that shows a seeded bug is found' finds
check 'again, with the same digest' finds_again
check 'nothing is found without it' ends_with 0 --out "$out/run" --seeds 1-100 F1_keys
check 'no such scenario' ends_with 2 no_such
check 'no such policy' ends_with 2 --policy fast A7_read
check 'no such seeds' ends_with 2 --seeds 7 A7_read
check 'no scenario' ends_with 2
exit $status
