#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run.sh GRID FILE [QUESTION ...]
#
# Measures the questions, all by default, with the secmmu-bench that lies beside this
# script, and puts the results into FILE. GRID is full, quick or tiny. Needs the modules
# loaded, a POSIX shell, and time.
#
# If TEST_MODULE is set, it is the path of a test build of secmmu.ko: after all else
# the script unloads the driver, loads that one, and measures what needs it; it stays
# loaded.
#
# The script changes /dev/ram0, which becomes swap space, and the driver: outside of the
# test VM it needs SECMMU_ON_THIS_MACHINE=yes.
set -eu

case $#,${1-} in
*,--help)
	sed -n '4s/^# /usage: /p; 5,16s/^# \{0,1\}//p' "$0"
	exit 0
	;;
0,* | 1,* | *,-*)
	sed -n '4,16s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
dir=$(dirname "$0")
# It lies beside the built script, but not beside the source.
for helper in "$dir/inside.sh" "$dir/../check/guest/inside.sh"; do
	[ ! -r "$helper" ] || break
done
# shellcheck source=check/guest/inside.sh
. "$helper"
only_inside "overwrites /dev/ram0, swaps to it and may load another driver"
grid=$1
file=$2
shift 2
set -- --output "$file" "$@"
[ "$grid" = full ] || set -- "--$grid" "$@"

: > "$file"
"$dir/secmmu-bench" "$@"
[ -n "${TEST_MODULE-}" ] || exit 0

# Processes that used the driver may take a moment to go.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	! rmmod secmmu 2> /dev/null || break
	sleep 1
done
insmod "$TEST_MODULE"
"$dir/secmmu-bench" --build test "$@"
