#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: short storms, one "ok" or "not ok" line each. Arguments: seconds
# of each, then the options of each storm, one word list per storm. A storm that
# proved too little, because the machine is busy, is repeated once, three times as
# long. Leaves storm.json of the last one.
set -u
seconds=$1
shift
status=0

storm()
{
	# shellcheck disable=SC2086 # a list of options
	secmmu-vmm run --seconds "$1" $2 --json "${OUT:-/tmp}/storm.json" > /tmp/storm
}

for options; do
	if storm "$seconds" "$options" ||
		{ grep -q '^storm: unproven' /tmp/storm &&
		  grep -q '^storm: FAIL, 0 violations' /tmp/storm &&
		  storm $((3 * seconds)) "$options"; }; then
		echo "ok - storm $options: $(grep -c '^\[' /tmp/storm) s," \
			"$(grep '^guest ' /tmp/storm)"
	else
		cat /tmp/storm
		echo "not ok - storm $options"
		status=1
	fi
done
exit $status
