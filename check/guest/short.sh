#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: short storms, one "ok" or "not ok" line each. Arguments: seconds
# of each, then the options of each storm, one word list per storm. A storm that
# proved too little by then, because the machine is busy, may take six times as long, or
# SECMMU_TEST_SLOW times that.
# Leaves storm.json of the last one.
set -u
seconds=$1
shift
status=0

for options; do
	got=0
	# shellcheck disable=SC2086 # a list of options
	secmmu-vmm run --seconds "$seconds" --limit $((6 * seconds * ${SECMMU_TEST_SLOW:-1})) $options \
		--json "${OUT:-/tmp}/storm.json" > /tmp/storm || got=$?
	if [ $got = 0 ]; then
		echo "ok - storm $options: $(grep -c '^\[' /tmp/storm) s," \
			"$(grep '^guest ' /tmp/storm)"
	else
		cat /tmp/storm
		echo "not ok - storm $options: status $got, $(tail -n 1 /tmp/storm)"
		status=1
	fi
done
exit $status
