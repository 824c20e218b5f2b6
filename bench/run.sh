#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh GRID FILE [QUESTION ...]
#
# Runs the benchmarks that lie beside this script, all by default, and puts their
# results into FILE. GRID is full, quick or tiny. Needs the modules loaded, a POSIX
# shell, and time.
#
# If TEST_MODULE is set, it is the path of a test build of secmmu.ko: the driver is
# then unloaded, that one loaded, and what needs it is measured; it stays loaded.
#
# That, the processors of the kernel's workers, which change for the time, and a
# /dev/ram0 that becomes swap space are the machine's: outside of the test VM it takes
# SECMMU_ON_THIS_MACHINE=yes.
set -eu

if [ $# -lt 2 ]; then
	sed -n '4,16s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
dir=$(dirname "$0")
# Beside this script once it is built, or where it comes from.
for helper in "$dir/inside.sh" "$dir/../check/guest/inside.sh"; do
	[ ! -r "$helper" ] || break
done
# shellcheck source=check/guest/inside.sh
. "$helper"
only_inside "moves the kernel's workers off a processor, overwrites /dev/ram0, swaps to it and may load another driver"
grid=$1
file=$2
shift 2
if [ $# -eq 0 ]; then
	# Names have no spaces.
	# shellcheck disable=SC2046
	set -- $(cat "$dir/questions")
fi

# Engines that run in the background do so in threads of the kernel's: keep them off
# the first processor, on which programs measure.
workers=/sys/devices/virtual/workqueue/cpumask
if [ "$(nproc)" -gt 1 ]; then
	mask=$(cat $workers)
	rest=${mask%?}
	trap 'echo "$mask" > $workers' EXIT
	printf '%s%x\n' "$rest" $((0x${mask#"$rest"} & 14)) > $workers
fi

: > "$file"
for question; do
	if [ ! -x "$dir/$question" ]; then
		echo "run.sh: there is no benchmark '$question'" >&2
		exit 2
	fi
	"$dir/$question" --grid "$grid" --output "$file"
done
[ -n "${TEST_MODULE-}" ] || exit 0

# Processes that used the driver may take a moment to go.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	! rmmod secmmu 2> /dev/null || break
	sleep 1
done
insmod "$TEST_MODULE"
for question; do
	if grep -qx "$question" "$dir/questions-of-test-build"; then
		"$dir/$question" --grid "$grid" --output "$file" --build test
	fi
done
