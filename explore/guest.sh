#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: guest.sh FIRST LAST ADDRESS. Plays each line "MUTANT SCENARIO" of the plan
# under schedules FIRST to LAST, with the driver loaded anew; MUTANT is a seeded bug or
# "none". Prints a line "@ MUTANT SCENARIO SCHEDULE WORDS" for each, where SCHEDULE is the first
# one that showed something wrong, or 0. The driver must lie at ADDRESS, where processors
# have been told to give way.
set -u
first=$1 last=$2 address=$3
module=/usr/lib/secmmu/secmmu.ko

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
	insmod $module $parameter || exit 2
	at=$(sed -n 's/^secmmu .* 0x\([0-9a-f]*\).*/\1/p' /proc/modules)
	if [ "$at" != "$address" ]; then
		echo "the driver lies at $at, not at $address" >&2
		exit 2
	fi
	echo "@ begin $mutant $scenario"
	secmmu-explore --first "$first" --last "$last" "$scenario" > /tmp/said 2>&1
	status=$?
	cat /tmp/said
	case $status in
	0) echo "@ $mutant $scenario 0" ;;
	1) sed -n "s/^not ok - schedule \([0-9]*\): /@ $mutant $scenario \1 /p" /tmp/said ;;
	*)
		echo "secmmu-explore ended with status $status" >&2
		exit 2
		;;
	esac
	unload || exit 2
done < /explore-plan
