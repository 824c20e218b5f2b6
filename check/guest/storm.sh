#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: the comparison of flush policies, then the storm, then the table again
# and the verdict. Arguments go to "secmmu-vmm run". Leaves summary.json.
# shellcheck disable=SC3040 # the shell of busybox has it
set -euo pipefail

# Instructions that are counted need no repetition.
repetitions=3
[ ! "${SECMMU_ICOUNT-}" ] || repetitions=1
echo "Flush policies, with one running engine:"
secmmu-bench batching --quick --repetitions $repetitions --only "engines=1 running" \
	--only call=mprotect | tee /tmp/table
echo
echo "The storm:"
verdict=/tmp/verdict
: > $verdict
status=0
secmmu-vmm run "$@" --json "$OUT/summary.json" |
	awk -v verdict=$verdict '
		/^storm: (PASS|FAIL|UNPROVEN|STUCK|INTERRUPTED),/ { print > verdict; next }
		{ print; fflush() }' || status=$?
echo
cat /tmp/table
cat $verdict
exit $status
