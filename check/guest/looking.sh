#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # check calls them
# In the test VM: secmmu-vmm top, while a process that gives up its memory is compared with
# its mirror; and each file of a mirror in debugfs.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "loads the machine"
status=0
json=${OUT:-/tmp}/top.json
debugfs=/sys/kernel/debug/secmmu

# Is it so?
check()
{
	what=$1
	shift
	if "$@" > /tmp/answer 2>&1; then
		echo "ok - looking, $what"
	else
		cat /tmp/answer /tmp/said
		echo "not ok - looking, $what"
		status=1
	fi
}

# Some value of the member of top.json is above zero.
counts()
{
	grep -q "\"$1\": [1-9]" "$json"
}

# Of the first mirror: a comparison makes more, which go at once.
files()
{
	for name in stats slots inflight pgtable latency; do
		cat "$first/$name" || return
	done
	grep '^events  *[1-9]' "$first/stats"
}

secmmu-vmm top --count 1 > /tmp/said 2>&1
check "without a mirror" grep -x 'no mirrors' /tmp/said
secmmu-observed churn > /tmp/observed &
observed=$!
until grep -q ready /tmp/observed; do
	sleep 0.1
done
secmmu-vmm attach --pid $observed --verify --seconds 600 > /tmp/attached 2>&1 &
attached=$!
until ls "$debugfs"/mirror-* > /dev/null 2>&1; do
	sleep 0.1
done
sleep 1
first=$(printf '%s\n' "$debugfs"/mirror-* | sort -t - -k 2 -n | head -n 1)
check "each file of a mirror" files
secmmu-vmm top --count 2 --json "$json" > /tmp/said 2>&1
check "two views, of plain lines" [ "$(grep -c '^per second .* events ' /tmp/said)" = 2 ]
check "rates of a mirror" grep -E '^mirror-[0-9]+( +[0-9]+){11}$' /tmp/said
check "the process that holds it" grep "^held by $attached (secmmu-vmm): [1-9]" /tmp/said
check "counters of events" counts events
check "counters of faults" counts faults
check "counters of flushes" counts flushes
kill $attached $observed
wait
exit $status
