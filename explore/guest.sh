#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: guest.sh FIRST LAST. Plays each line "MUTANT SCENARIO" of the plan under
# schedules FIRST to LAST, with the driver loaded anew; MUTANT is a seeded bug or "none".
# Prints a line "@ MUTANT SCENARIO SCHEDULE WORDS" for each, where SCHEDULE is the first one
# that showed something wrong, or 0. Exits with 1 if anything was wrong; $OUT/trace then has
# the driver's tracepoints before that.
# shellcheck disable=SC3040 # the shell of busybox has it
set -u -o pipefail
first=$1 last=$2
module=/usr/lib/secmmu/secmmu.ko
tracing=/sys/kernel/tracing
found=0

# For debuggers, as testvm's init does for what it loads.
tell_sections()
{
	text=
	for part in .text .text.unlikely .rodata .data .bss; do
		text="$text $part $(cat /sys/module/secmmu/sections/$part)"
	done
	echo "testvm-init: sections of secmmu:$text" > /dev/kmsg
}

unload()
{
	for _ in 1 2 3 4 5; do
		! rmmod secmmu 2> /dev/null || return 0
		sleep 1
	done
	echo "the driver cannot be unloaded" >&2
	return 1
}

while read -r mutant scenario; do
	parameter=
	[ "$mutant" = none ] || parameter=mutant=$mutant
	insmod $module ${parameter:+"$parameter"} || exit 2
	tell_sections
	echo 1 > $tracing/events/secmmu/enable
	echo 1 > $tracing/tracing_on
	echo "@ begin $mutant $scenario"
	secmmu-explore --first "$first" --last "$last" "$scenario" 2>&1 | tee /tmp/said
	status=$?
	case $status in
	0) echo "@ $mutant $scenario 0" ;;
	1)
		sed -n "s/^not ok - schedule \([0-9]*\): /@ $mutant $scenario \1 /p" /tmp/said
		cat $tracing/trace > "$OUT/trace"
		found=1
		;;
	*)
		echo "secmmu-explore ended with status $status" >&2
		exit 2
		;;
	esac
	unload || exit 2
done < /explore-plan
exit $found
