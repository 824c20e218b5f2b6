#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: the flush-batching comparison, then the storm, then the table
# again and the verdict. Arguments go to "secmmu-vmm run". Leaves summary.json.
# shellcheck disable=SC3040 # the shell of busybox has it
set -euo pipefail

echo "Flush batching, one engine in back-to-back windows:"
secmmu-vmm flush --json "$OUT/flush.json" | tee /tmp/table
echo
echo "The storm:"
verdict=/tmp/verdict
: > $verdict
status=0
secmmu-vmm run "$@" --flush-table "$OUT/flush.json" \
	--json "$OUT/summary.json" |
	awk -v verdict=$verdict '
		/^storm: (PASS|FAIL|UNPROVEN|STUCK|INTERRUPTED),/ { print > verdict; next }
		{ print; fflush() }' || status=$?
echo
cat /tmp/table
cat $verdict
exit $status
