#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: short storms, one "ok" or "not ok" line each. Arguments: seconds
# of each, then the options of each storm, one word list per storm.
set -u
seconds=$1
shift
status=0

for options; do
	# shellcheck disable=SC2086 # a list of options
	if secmmu-vmm run --seconds "$seconds" $options > /tmp/storm; then
		echo "ok - storm $options: $(grep -c '^\[' /tmp/storm) s," \
			"$(grep '^guest ' /tmp/storm)"
	else
		cat /tmp/storm
		echo "not ok - storm $options"
		status=1
	fi
done
exit $status
