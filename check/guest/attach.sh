#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: secmmu-vmm attach, on processes of many kinds. With the argument
# "control": the driver ignores invalidations, and every comparison of a process
# that changes its memory must notice. With "gated": what only a test build can show.
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "adds a user, opens /dev/secmmu to all and takes processes apart"
status=0
json=${OUT:-/tmp}/attach.json

# What to do, the exit status and a line wanted, the command.
expect()
{
	what=$1 want=$2 line=$3 got=0
	shift 3
	"$@" > /tmp/said 2>&1 || got=$?
	judge
}

judge()
{
	if [ $got = "$want" ] && grep -q "$line" /tmp/said; then
		echo "ok - attach, $what: $(grep "$line" /tmp/said | tail -n 1)"
	else
		cat /tmp/said
		echo "not ok - attach, $what: status $got, not $want, or no \"$line\""
		status=1
	fi
}

# Is it so?
check()
{
	what=$1
	shift
	if [ "$@" ]; then
		echo "ok - attach, $what"
	else
		echo "not ok - attach, $what: $*"
		status=1
	fi
}

# An observed process in one of its modes; its number is $pid then.
observed()
{
	: > /tmp/observed
	secmmu-observed "$@" > /tmp/observed &
	pid=$!
	until grep -q ready /tmp/observed || ! kill -0 $pid; do
		sleep 0.1
	done
}

end()
{
	kill -9 "$1"
	wait "$1" 2> /dev/null
}

# Attach in the background, and wait until it is at work; $attached then.
attach()
{
	: > /tmp/said
	secmmu-vmm attach "$@" > /tmp/said 2>&1 &
	attached=$!
	until grep -q mirrored /tmp/said || ! kill -0 $attached; do
		sleep 0.1
	done
}

# ... which must end like this. What, status, line.
expect_end()
{
	what=$1 want=$2 line=$3 got=0
	wait $attached || got=$?
	judge
}

number()
{
	grep -o "\"$1\": [0-9]*" "$json" | head -n 1 | grep -o '[0-9]*$'
}

field()
{
	grep "^$1:" "/proc/$pid/status" | grep -o '[0-9A-Za-z]* ' | head -n 1
}

# shellcheck disable=SC2317 # called by expect
verify()
{
	secmmu-vmm attach --verify --seconds 1 --json "$json" --pid "$@"
}

pass='^attach: PASS, [1-9][0-9]* pages.* 0 stale$'
exact='^attach: PASS, [1-9][0-9]* pages.* 0 changing, 0 stale$'
fail='^attach: FAIL, .*[1-9][0-9]* stale$'

# One that notices changes, with all that an observer might change.
fragile()
{
	echo 10000 > $ksm/pages_to_scan
	echo 10 > $ksm/sleep_millisecs
	echo 1 > $ksm/run
	observed fragile
	# What is merged stays so, and nothing is merged again.
	echo 0 > $ksm/run
}

# It gives memory up.
empty()
{
	kill -USR1 $pid
	until grep -q emptied /tmp/observed || ! kill -0 $pid; do
		sleep 0.1
	done
}

# It says what has become of it.
confess()
{
	kill -USR1 $pid
	wait $pid
	echo "# $(grep ', was ' /tmp/observed | tr '\n' ';')"
}

# The addresses that the process has named.
range()
{
	grep -o '[0-9a-f]*-[0-9a-f]*' /tmp/observed
}

# munmap(2) half done: outsiders are refused what the mirror and the process's own TLBs
# still have. A gate holds it there, and attach must have met such pages.
held()
{
	observed held
	attach --pid $pid --verify --seconds 6 --range "$(range)" --json "$json"
	until grep -q ': [1-9][0-9]* pages compared' /tmp/said || ! kill -0 $attached; do
		sleep 0.1
	done
	kill -USR1 $pid
	expect_end "H2, munmap held half done" 0 "$pass"
	check "H2, shown and refused at once ($(number changing))" \
		"$(number changing)" -ge 1
	check "H2, ... and then dropped ($(number zapped))" "$(number zapped)" -gt 10
	attach --pid $pid --verify --seconds 60 --json "$json"
	kill -INT $attached
	expect_end "H2, interrupted" 130 '^attach: INTERRUPTED, .* 0 stale$'
	check "H2, ... by SIGINT" "$(number signal)" = 2
	expect "H2, no page is there" 3 '^attach: UNPROVEN, 0 pages' \
		verify $pid --range "$(range)"
	end $pid
}

ksm=/sys/kernel/mm/ksm

if [ "${1-}" = gated ]; then
	held
	exit $status
fi

if [ "${1-}" = control ]; then
	observed churn
	expect "control, live" 1 "$fail" verify $pid
	expect "control, stopped" 1 "$fail" verify $pid --stop
	end $pid
	fragile
	attach --pid $pid --verify --seconds 20 --json "$json"
	sleep 2
	empty
	expect_end "H4, control, memory that is given up" 1 "$fail"
	check "H4, control, it is shown and was proved so" \
		"$(grep -c 'shows what the process has not, and no event' /tmp/said)" -ge 1
	end $pid
	exit $status
fi

sleep 1000 &
pid=$!
expect "quiet process" 0 "$exact" verify $pid
expect "... all of it" 0 "$exact" verify $pid --all
echo 'nobody:x:65534:65534::/:/bin/sh' >> /etc/passwd
expect "no permission to open" 2 'no permission to open /dev/secmmu' \
	su -s /bin/sh nobody -c "secmmu-vmm attach --pid $pid"
chmod 0666 /dev/secmmu
expect "no permission to mirror" 2 CAP_SYS_PTRACE \
	su -s /bin/sh nobody -c "secmmu-vmm attach --pid $pid"
chmod 0600 /dev/secmmu
expect "nothing in range" 2 'nothing is mapped' \
	secmmu-vmm attach --pid $pid --range 1000-2000
kill -STOP $pid
expect "process in job control" 0 "$exact" verify $pid --stop
check "it is left as it was" "$(cut -d ' ' -f 3 /proc/$pid/stat)" = T
kill -CONT $pid
attach --pid $pid --verify --seconds 60
end $pid
expect_end "killed meanwhile" 3 "process $pid has ended"
expect "no such process" 2 "there is no process $pid" secmmu-vmm attach --pid $pid
expect "kernel thread" 2 'process 2 has no memory' secmmu-vmm attach --pid 2

observed sparse
tables=$(field VmPTE)
expect "large reservations" 0 "$exact" verify $pid
check "nothing was given to it" "$tables" = "$(field VmPTE)"
check "forbidden areas" "$(number refused)" -ge 1
secmmu-vmm attach --pid $pid > /tmp/said
check "a guard page between two others" \
	"$(grep -c -- ' ---p  *1  *0  *1  *0 ' /tmp/said)" = 1
check "a forbidden tebibyte" \
	"$(grep -c -- ' ---p  *268435456  *0  *268435456  *0 ' /tmp/said)" = 1
check "an untouched tebibyte" \
	"$(grep -c -- ' rw-p  *268435456  *0  *0  *268435456 ' /tmp/said)" = 1
end $pid

observed churn
expect "memory in motion" 0 "$pass" verify $pid
check "pages were dropped ($(number zapped))" "$(number zapped)" -gt 100
expect "... stopped" 0 "$exact" verify $pid --stop
check "pages were dropped ($(number zapped))" "$(number zapped)" -gt 100
attach --pid $pid --verify --stop --seconds 60
end $attached
sleep 1
check "goes on after attach was killed" \
	"$(cut -d ' ' -f 3 /proc/$pid/stat | tr t T)" != T
end $pid

# Contents that come again: no look at them tells what was there in between.
observed flip
expect "back and forth" 0 "$pass" verify $pid
check "pages differed meanwhile ($(number changing))" "$(number changing)" -gt 0
expect "... stopped" 0 "$exact" verify $pid --stop
end $pid

# The same without a gate, on one processor, now and then.
observed window
expect "H2, munmap half done" 0 "$pass" taskset 1 secmmu-vmm attach --pid $pid \
	--verify --seconds 8 --range "$(range)" --json "$json"
check "H2, pages were dropped ($(number zapped))" "$(number zapped)" -gt 10
expect "H2, ... stopped" 0 "$pass" verify $pid --stop --range "$(range)"
end $pid

fragile
merged=$(cat /proc/$pid/ksm_merging_pages)
check "H3, KSM has merged pages ($merged)" "$merged" -ge 1000
attach --pid $pid --verify --seconds 4 --json "$json"
sleep 2
empty
expect_end "H3, memory that is given up" 0 "$pass"
check "H3, given up pages were looked at ($(number absent))" "$(number absent)" -ge 1000
check "H3, no merged page was copied" "$(number merged_after)" = "$(number merged)"
confess
check "H3, nothing has changed" "$(tail -n 1 /tmp/observed)" = unchanged

# KSM takes apart what it has merged, as writes of the process would.
fragile
attach --pid $pid --verify --seconds 4
echo 2 > $ksm/run
expect_end "H3, merged pages are copied" 0 \
	'^warning: [1-9][0-9]* merged pages were copied meanwhile'
echo 0 > $ksm/run
end $pid

# A process that is forked while its parent is looked at already.
sh -c 'trap "secmmu-observed churn &" USR1; while :; do sleep 0.2; done' > /tmp/forked &
pid=$!
rm -f "$json".*
secmmu-vmm attach --follow --verify --seconds 20 --json "$json" $pid > /tmp/said 2>&1 &
attached=$!
until grep -q 'processes are looked at' /tmp/said || ! kill -0 $attached; do
	sleep 0.1
done
kill -USR1 $pid
expect_end "children" 0 '^attach: PASS, processes: \([2-9]\|[1-9][0-9]\) without a stale page, 0 with,'
forked=$(pidof secmmu-observed)
check "the one forked meanwhile was compared, $forked" \
	"$(grep -c "^process $forked (secmmu-observed), mirrored" /tmp/said)" = 1
json_of_all=$json json=$json.$forked
check "... and has dropped pages ($(number zapped))" "$(number zapped)" -gt 10
json=$json_of_all
rm -f "$json".*
end $pid
end "$forked"

observed become
attach --pid $pid --verify --seconds 60
kill -USR1 $pid
expect_end "another program" 3 "process $pid has executed another program"
end $pid

secmmu-vmm run --no-mirror --seconds 20 > /tmp/storm 2>&1 &
storm=$!
until grep -q '^\[' /tmp/storm || ! kill -0 $storm; do
	sleep 0.1
done
expect "a KVM guest in a storm" 0 "$pass" verify $storm
check "pages were dropped ($(number zapped))" "$(number zapped)" -gt 1000
expect "... stopped" 0 "$pass" verify $storm --stop
wait $storm
# Stopped for most of the time, it may prove too little by itself.
check "the storm saw no violation" \
	"$(grep -c '^storm: .*, 0 violations$' /tmp/storm)" = 1
exit $status
