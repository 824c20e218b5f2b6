#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # try calls them
# In the test VM, with bpftrace and trace-cmd of Debian: each line of looking.rst that begins
# with one of them, as it stands there, while a process that gives up its memory is compared
# with its mirror. Ctrl-C ends each; it must have seen the driver's events.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
# shellcheck source=check/guest/try.sh
. "${0%/*}/try.sh"
only_inside "traces the kernel"
status=0
results_of=tracing

# The lines, each with those that continue it as one.
lines()
{
	awk 'function flush() { if (line != "") print line; line = "" }
		/^    (bpftrace|trace-cmd) / { flush(); line = $0; next }
		/^     / && line != "" { line = line " " $0; next }
		{ flush() }
		END { flush() }' "${0%/*}/looking.rst" | sed 's/  */ /g; s/^ //'
}

# Does the tracer trace? trace-cmd says so to a terminal only, but has files for what it records.
traces()
{
	grep -q Attaching /tmp/seen || ls trace.dat.cpu*
}

# Run line $1 until it has seen something.
sees_events()
{
	# What the line before has said is not this one's.
	rm -f /tmp/seen trace.dat.cpu*
	sh -c "$1" > /tmp/seen 2>&1 &
	shell=$!
	until traces > /dev/null 2>&1; do
		kill -0 "$shell" || { cat /tmp/seen; return 1; }
		sleep 0.5
	done
	sleep 5
	killall -INT bpftrace trace-cmd 2> /dev/null
	wait "$shell"
	cat /tmp/seen
	grep -E '^@\[secmmu-observed\]: [1-9]|[1-9] \|@|secmmu-observed-.* secmmu_event_begin:' /tmp/seen
}

cd /tmp || exit 2
secmmu-observed churn > /tmp/observed &
observed=$!
until grep -q ready /tmp/observed; do
	sleep 0.1
done
secmmu-vmm attach --pid $observed --verify --seconds 3000 > /tmp/attached 2>&1 &
attached=$!
lines > /tmp/lines
try "there are four lines" [ "$(wc -l < /tmp/lines)" = 4 ]
while read -r line; do
	try "$line" sees_events "$line" < /dev/null
	grep -E '^@|\|@|secmmu_event_begin:' /tmp/seen | head -n 2 | sed 's/^/# /'
done < /tmp/lines
try "attach still runs" kill -0 $attached
kill $attached $observed
wait
exit $status
