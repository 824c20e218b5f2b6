#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM for arm64: whether to be quick (1 or 0), and names of selftests. Emulation
# of another architecture is slow, and no limit is about that.
set -u
quick=$1
tests=$2
dir=/usr/lib/secmmu
status=0
export SECMMU_TEST_SLOW="${SECMMU_TEST_SLOW:-6}"

# Words of the kernel that say in which of its modes KVM is.
dmesg | sed -n 's/^.*\] kvm \[1\]: \(.* mode initialized.*\)/# \1/p'
# shellcheck disable=SC2086 # a list of names
$dir/selftests/run_tests.sh $tests || status=1
$dir/short.sh 20 "--seed 2 --backing memfd" || status=1
[ "$quick" = 1 ] && exit $status
$dir/short.sh 20 "--mix all --seed 1" "--seed 3 --no-mirror" \
	"--seed 7 --backing memfd --tags --domains --keys" || status=1
$dir/mistakes.sh || status=1
exit $status
