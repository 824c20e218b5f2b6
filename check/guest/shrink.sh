#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with a test build: a storm of the negative control is written down, fails
# again as a script, and is cut to a script of few steps that still fails.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "switches on a seeded bug"
status=0
control="--subject secmmu-broken --seconds 2 --limit 2"

tell()
{
	if [ "$1" = 0 ]; then
		echo "ok - $2"
	else
		cat /tmp/said
		echo "not ok - $2"
		status=1
	fi
}

got=0
# shellcheck disable=SC2086 # a list of options
secmmu-vmm storm --mix unmap,dontneed,cold --seed 3 --record /tmp/whole $control \
	> /tmp/said || got=$?
[ $got = 1 ]
tell $? "a storm of the control fails, with $(grep -vc discarder /tmp/whole) steps"
got=0
# The first steps of both discarders are enough.
awk '/^discarder/ { n = 0 } n++ <= 16' /tmp/whole > /tmp/script
secmmu-vmm shrink /tmp/script --output /tmp/shrunk --storm "$control" > /tmp/said || got=$?
[ $got = 0 ]
tell $? "$(tail -n 1 /tmp/said)"
steps=$(grep -vc discarder /tmp/shrunk)
[ "$steps" -ge 1 ] && [ "$steps" -lt "$(grep -vc discarder /tmp/script)" ]
tell $? "$steps steps are left of $(grep -vc discarder /tmp/script)"
! grep -q cold /tmp/shrunk
tell $? "what loses no content is not among them"
exit $status
