#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: let the guest of a storm do something wrong, and see it reported
# with its facts. Succeeds if all of it is.
set -u
status=0

# Name of the mistake; a pattern, how many lines it matches; how many violations.
mistake()
{
	lines=$2
	# Long enough for the mistake, however slow the machine is.
	secmmu-vmm run --no-mirror --vcpus 1 --seconds 2 --seed 1 --writes 1 \
		--events 1 --limit 60 --mistake "$1" > /tmp/storm
	if [ "$(grep -cE "$lines" /tmp/storm)" = "$3" ] &&
		[ "$(grep -c '^violation ' /tmp/storm)" = "$4" ]; then
		echo "ok - mistake $1: $4 reports"
	else
		cat /tmp/storm
		echo "not ok - mistake $1: not what is expected"
		status=1
	fi
}

case $(uname -m) in
aarch64)
	instruction="exception class 0, syndrome 0x2000000"
	nowhere="exception class 0x25, syndrome 0x96000005" tables=0x3003
	;;
*)
	instruction="exception 6, error 0"
	nowhere="exception 14, error 0" tables=0x3023
	;;
esac
nowhere="$nowhere, at 0x[0-9a-f]+, address 0x240000000, page tables"
mistake none "^storm: FAIL, [1-9]|exception" 0 0
mistake instruction \
	"^violation .: guest: vCPU 0: $instruction, at 0x[0-9a-f]+, try . of 3$" 3 3
mistake address \
	"$nowhere $tables 0 0 \(nothing to be there\), try . of 3$" 3 3
# It goes on, and writes.
mistake momentary \
	"$nowhere .*, try 1 of 3$|^guest +exceptions: 1$|^guest +[1-9][0-9]* writes" 3 1
# Others never shut down.
[ "$(uname -m)" = x86_64 ] || exit $status
# What an emulator does, and what a driver could do.
mistake shutdown \
	"^lost to the emulator: vCPU 0: triple fault; .* are intact$" 1 0
mistake tables \
	"^violation .: guest: vCPU 0: triple fault; .* are damaged$" 1 1
exit $status
