#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: selftest.sh DIR
# Does make explore find a seeded bug, make replay repeat that, and is nothing found without?
# DIR gets the runs.
set -eu
case ${1-} in
--help) sed -n '3,5s/^# //p' "$0"; exit 0 ;;
'' | -*) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
top=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$top/build}
mkdir -p "$1"
out=$(cd "$1" && pwd)
status=0

explore()
{
	"$top/explore/explore.sh" "$@" > "$out/said" 2>&1
}

# In how many schedules run $1 found something, or "none".
schedules_of()
{
	perl -MJSON::PP -0777 -ne 'print decode_json($_)->{rows}[0]{schedules} // "none"' \
		"$out/$1/result.json"
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
	ends_with 1 --out "$out/found" --mutant keys-unlocked --seeds 1-300 F1_keys &&
		grep -q "make replay RUN=$out/found/run" "$out/said" &&
		[ "$(schedules_of found)" -gt 0 ]
}

replay()
{
	"$top/replay/replay.sh" "$out/found/run" "$@" > "$out/said" 2>&1
}

# Places that are passed are told of, which changes nothing.
repeats()
{
	replay --break secmmu_key_alloc && grep -q '^digest equal: ' "$out/said" &&
		grep -q '^block .*, secmmu_key_alloc (driver/key.c:' "$out/said"
}

# The stack of the program, by its symbols.
stops()
{
	echo bt > "$out/commands"
	replay --gdb --commands "$out/commands" && grep -q '^#0 .*mark_wrong' "$out/said" &&
		grep -q '^#2 .*main ' "$out/said"
}

# Interrupted behind schedule 100; nothing is wrong in either part. When it was is
# chance, so what is run is not always the same.
goes_on()
{
	local words=(--out "$out/again" --seeds 1-300 F1_keys) job

	set -m
	rm -rf "$out/again"
	"$top/explore/explore.sh" "${words[@]}" > "$out/said" 2>&1 &
	job=$!
	set +m
	until grep -q '^# 100 schedules' "$out/said" || ! kill -0 "$job" 2> /dev/null; do
		sleep 0.1
	done
	kill -TERM -- "-$job"
	wait "$job" 2> /dev/null || :
	# Its VM ends a moment later.
	flock -w 60 "$out/run.lock" true
	ends_with 0 "${words[@]}" && grep -q '^== going on behind schedule ' "$out/said" &&
		[ "$(schedules_of again)" = none ] && rm -r "$out/again/run"
}

check 'a schedule that shows a seeded bug is found' finds
check 'a replay has the same digest' repeats
# Root gets it installed.
if command -v gdb > /dev/null || [ "$(id -u)" = 0 ]; then
	check 'gdb stops where something wrong was seen' stops
else
	echo 'ok - explore, gdb # SKIP gdb is not installed'
fi
check 'without it nothing is found, by a run that is interrupted and goes on' goes_on
check 'no such scenario' ends_with 2 no_such
check 'no such policy' ends_with 2 --policy fast A7_read
check 'no such seeds' ends_with 2 --seeds 7 A7_read
check 'no scenario' ends_with 2
exit $status
