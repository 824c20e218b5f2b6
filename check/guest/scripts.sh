#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with a test build: the scripts of past bugs. Without its bug a script finds
# nothing; with it, a storm of the same script finds something, unless the script says that
# it may miss it ("# bug: NAME, perhaps"). The argument is how many seconds each takes.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "switches on seeded bugs"
mutant=/sys/module/secmmu/parameters/mutant
seconds=$1
status=0

storm()
{
	secmmu-vmm storm "$1" --seconds "$seconds" --limit "$seconds" --seed 1 --memory 16M \
		--writes 0 --events 0 --violations 1 --outside --engines 4 --hot 16 --aim > /tmp/said
}

fail()
{
	cat /tmp/said
	echo "not ok - $*"
	status=1
}

for script in "${0%/*}"/scripts/*; do
	name=${script##*/}
	bug=$(sed -n 's/^# bug: //p' "$script")
	# Else it is the README.
	[ "$bug" ] || continue
	sure=1
	[ "$bug" = "${bug%, perhaps}" ] || sure=
	bug=${bug%, perhaps}
	got=0
	echo none > $mutant
	storm "$script" || got=$?
	if [ $got = 0 ]; then
		echo "ok - script $name finds nothing without a bug"
	else
		fail "script $name: status $got without a bug"
	fi
	got=0
	echo "$bug" > $mutant
	storm "$script" || got=$?
	echo none > $mutant
	if [ $got = 1 ]; then
		echo "ok - script $name finds $bug:$(sed -n 's/.*first violation was seen//p' /tmp/said)"
	elif [ $got = 0 ] && [ ! "$sure" ]; then
		echo "note: script $name has not found $bug"
	else
		fail "script $name: status $got with $bug"
	fi
done
exit $status
