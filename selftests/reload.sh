#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# reload.sh MODULE CYCLES [test ...]
#
# Loads the driver from the file MODULE, uses it, and unloads it, CYCLES times.
# It is used in three ways, in turn: by the tests named, which lie beside this
# script ("invalidate" by default); by one of them that is killed in the middle;
# not at all. An open descriptor must keep the driver from being unloaded; right
# after the last one was closed it must go.
#
# Prints "ok" or "not ok", and fails in the latter case. A loaded driver is
# unloaded first, and loaded again in the end.

case $#,${1-} in
*,--help) sed -n '4s/^# /usage: /p; 5,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
0,* | 1,* | *,-*) sed -n '4s/^# \{0,1\}/usage: /p' "$0" >&2; exit 2 ;;
esac
dir=$(dirname "$0")
# Beside this script once it is built, or where it comes from.
for helper in "$dir/inside.sh" "$dir/../check/guest/inside.sh"; do
	[ ! -r "$helper" ] || break
done
# shellcheck source=check/guest/inside.sh
. "$helper"
module=$1
cycles=$2
name=secmmu

fail()
{
	echo "not ok - reload: $1"
	[ -n "$was_loaded" ] && ! is_loaded && insmod "$module"
	exit 1
}

is_loaded()
{
	grep -q "^$name " /proc/modules
}

# The device comes and goes with the driver, but not in the same instant.
wait_for_device()
{
	tries=0
	until [ -c /dev/$name ]; do
		tries=$((tries + 1))
		[ $tries -gt 50 ] && return 1
		sleep 0.1
	done
}

# One of the three ways; its number is in $1, tests follow.
use()
{
	way=$1
	shift
	case $way in
	0)
		for test; do
			"$dir/$test" > /dev/null 2>&1 ||
				fail "test $test in cycle $cycle"
		done
		;;
	1)
		# Killed with its children, so that nobody closes anything.
		setsid "$dir/$1" > /dev/null 2>&1 &
		pid=$!
		sleep 0.3
		kill -9 -$pid 2> /dev/null
		wait $pid 2> /dev/null
		;;
	esac
}

# Its last user may be dying still.
unload()
{
	tries=0
	until rmmod $name 2> /dev/null; do
		is_loaded || break
		tries=$((tries + 1))
		[ $tries -gt 50 ] && return 1
		sleep 0.1
	done
	! is_loaded
}

if [ ! -r "$module" ] || ! [ "$cycles" -gt 0 ] 2> /dev/null; then
	echo "usage: reload.sh MODULE CYCLES [test ...]" >&2
	exit 2
fi
shift 2
only_inside "unloads the driver and loads it again"
[ $# -gt 0 ] || set -- invalidate

was_loaded=
if is_loaded; then
	was_loaded=1
	rmmod $name || fail "the driver is in use"
fi

cycle=0
while [ $cycle -lt "$cycles" ]; do
	cycle=$((cycle + 1))
	insmod "$module" || fail "load $cycle"
	wait_for_device || fail "no device after load $cycle"
	use $((cycle % 3)) "$@"

	exec 3<> /dev/$name || fail "open in cycle $cycle"
	rmmod $name 2> /dev/null && fail "unloaded in use in cycle $cycle"
	exec 3>&-
	unload || fail "unload $cycle"
	[ -e /dev/$name ] && fail "a device without driver in cycle $cycle"
	[ $((cycle % 20)) -ne 0 ] || echo "# $cycle of $cycles reloads"
done

if [ -n "$was_loaded" ]; then
	insmod "$module" || fail "last load"
fi
echo "ok - reload: $cycles cycles"
