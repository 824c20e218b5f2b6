# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # variables of those who source it
# Results of scripts in the test VM, one "ok" or "not ok" line each. To be sourced, with
# $results_of set to what stands before the title, and $status to 0.

# A result: its title, and the command that decides, whose output goes to /tmp/log, and is shown
# if it fails. Sets $status to 1 then.
try()
{
	title=$1
	shift
	if "$@" > /tmp/log 2>&1; then
		echo "ok - $results_of, $title"
	else
		tail -n 60 /tmp/log | sed 's/^/# /'
		echo "not ok - $results_of, $title"
		status=1
	fi
}
