#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, with a normal build of the driver loaded: H1, tools that change the
# machine refuse to where they are not told that they may. What says that this is the
# test VM is hidden meanwhile.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "hides that it is one"
lib=/usr/lib/secmmu
mark=/testvm/inside
status=0
unset SECMMU_ON_THIS_MACHINE

result()
{
	if [ "$2" = yes ]; then
		echo "ok - H1 $1"
	else
		cat /tmp/said
		echo "not ok - H1 $1"
		status=1
	fi
}

# What is tried; a file that must stay as it is, or nothing; the command: ends with 2 and
# one sentence.
refused()
{
	what=$1 file=$2 got=0 good=no
	shift 2
	before=$(cat "$file" 2> /dev/null)
	"$@" > /tmp/said 2>&1 || got=$?
	[ $got != 2 ] || [ "$(wc -l < /tmp/said)" != 1 ] ||
		! grep -q 'refused outside of the test VM' /tmp/said ||
		[ "$(cat "$file" 2> /dev/null)" != "$before" ] || good=yes
	result "$what refuses" $good
}

# Test program, how many of its tests are skipped, with that for a reason, and a file
# that must stay as it is.
skipped()
{
	good=no
	before=$(cat "$3" 2> /dev/null)
	$lib/selftests/"$1" > /tmp/said 2>&1
	[ "$(grep -c '^ok .*# SKIP.*refused outside of the test VM' /tmp/said)" -lt "$2" ] ||
		grep -q '^not ok' /tmp/said ||
		[ "$(cat "$3" 2> /dev/null)" != "$before" ] || good=yes
	result "$1 skips what changes the machine" $good
}

mv $mark $mark.hidden
refused "reload.sh" /sys/module/secmmu/refcnt $lib/selftests/reload.sh $lib/secmmu.ko 1
refused "fuzz.sh" /proc/swaps $lib/fuzz.sh none run
refused "soak.sh" /proc/modules $lib/soak.sh 1 1 1 1 1
refused "misuse.sh" /etc/passwd $lib/misuse.sh
[ ! -x /usr/bin/secmmu-fuzz ] || {
	refused "secmmu-fuzz run" /proc/swaps secmmu-fuzz run --seconds 600
	echo 'rounds 1;0 open' > /tmp/program
	refused "secmmu-fuzz replay" /proc/swaps secmmu-fuzz replay /tmp/program
}
skipped hugetlb 1 /proc/sys/vm/nr_hugepages
skipped reclaim 2 /proc/swaps
skipped khugepaged 1 /sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan
skipped sharing 1 /sys/kernel/mm/ksm/run
skipped leaks 1 /sys/fs/cgroup/cgroup.subtree_control
export SECMMU_MODULE=$lib/secmmu.ko
skipped unload 1 /proc/sys/kernel/sched_rt_runtime_us

# Told that it may, all the same.
SECMMU_ON_THIS_MACHINE=yes $lib/selftests/hugetlb > /tmp/said 2>&1
if grep -q '^ok ' /tmp/said && ! grep -q '^ok .*SKIP\|^not ok' /tmp/said; then
	result "hugetlb runs where it is told to" yes
else
	result "hugetlb runs where it is told to" no
fi
mv $mark.hidden $mark

# A short run, as in fuzz.sh: inside, nothing need be said.
[ ! -x /usr/bin/secmmu-fuzz ] || {
	got=0
	secmmu-fuzz run --programs 3 --seed 1 > /tmp/said 2>&1 || got=$?
	good=no
	[ $got != 0 ] || ! grep -q '^@ json .*"programs": 3' /tmp/said || good=yes
	result "secmmu-fuzz runs in the test VM" $good
}
exit $status
