#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM for arm64: selftests, and what else is asked for. Arguments: quick, storm, all
# or control; the seconds of a storm; names of selftests.
set -u
what=$1 seconds=$2
shift 2
dir=/usr/lib/secmmu
status=0

# Words of the kernel that say in which of its modes KVM is.
dmesg | sed -n 's/^.*\] kvm \[1\]: \(.* mode initialized.*\)/# \1/p'
[ $# = 0 ] || $dir/selftests/run_tests.sh "$@" || status=1
case $what in
quick)
	# A tenth of what proves something elsewhere.
	$dir/short.sh "$seconds" "--seed 2 --backing memfd --writes 1000 --events 100" ||
		status=1
	;;
storm)
	$dir/short.sh "$seconds" "--seed 2 --backing memfd --tags --domains --keys" || status=1
	;;
all)
	$dir/short.sh "$seconds" "--seed 2 --backing memfd" "--mix all --seed 1" \
		"--seed 3 --no-mirror" "--seed 7 --backing memfd --tags --domains --keys" ||
		status=1
	$dir/mistakes.sh || status=1
	;;
control)
	$dir/control.sh || status=1
	;;
esac
exit $status
