#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # try calls them
# In the test VM: secmmu-vmm top, while a process that gives up its memory is compared with
# its mirror; and each file of a mirror in debugfs.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
# shellcheck source=check/guest/try.sh
. "${0%/*}/try.sh"
only_inside "loads the machine"
status=0
results_of=looking
json=${OUT:-/tmp}/top.json
debugfs=/sys/kernel/debug/secmmu

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
try "without a mirror" grep -x 'no mirrors' /tmp/said
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
try "each file of a mirror" files
secmmu-vmm top --count 2 --json "$json" > /tmp/said 2>&1
try "two views, of plain lines" [ "$(grep -c '^per second .* events ' /tmp/said)" = 2 ]
try "rates of a mirror" grep -E '^mirror-[0-9]+( +[0-9]+){11}$' /tmp/said
try "the process that holds it" grep "^held by $attached (secmmu-vmm): [1-9]" /tmp/said
try "counters of events" counts events
try "counters of faults" counts faults
try "counters of flushes" counts flushes
[ $status = 0 ] || sed 's/^/# top: /' /tmp/said
kill $attached $observed
wait
exit $status
