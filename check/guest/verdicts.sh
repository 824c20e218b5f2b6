#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM, without the driver: each verdict of a storm but FAIL, provoked
# (mistakes.sh and control.sh have that). H2: slow is not wrong, and unproven, stuck and
# interrupted say what they are. H3: a JSON file is written whole or not at all.
# shellcheck disable=SC2317,SC2086,SC2231 # checks are called by their names; numbers, lists
set -u
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "fills a file system of its own"
status=0
json=/tmp/verdict.json
slow=${SECMMU_TEST_SLOW:-1}
# Seconds without progress that these storms call stuck, and more than those.
patience=5
longer=$((patience * slow + 3))

# What was tried, its exit status, that wanted, the last line wanted.
judge()
{
	if [ "$2" = "$3" ] && tail -n 1 /tmp/storm | grep -q "$4"; then
		echo "ok - $1: $(tail -n 1 /tmp/storm)"
	else
		cat /tmp/storm
		echo "not ok - $1: status $2, not $3, or the last line is not \"$4\""
		status=1
	fi
}

# Is it so?
check()
{
	what=$1
	shift
	if "$@"; then
		echo "ok - $what"
	else
		cat /tmp/storm
		echo "not ok - $what: $*"
		status=1
	fi
}

storm()
{
	rm -f $json
	secmmu-vmm run --no-mirror --seed 1 --json $json "$@" > /tmp/storm 2>&1
}

# In the background, until it has told something; $storm then.
start()
{
	rm -f $json
	: > /tmp/storm
	secmmu-vmm run --no-mirror --seed 1 --json $json --seconds 600 "$@" \
		> /tmp/storm 2>&1 &
	storm=$!
	until grep -q '^\[' /tmp/storm || ! kill -0 $storm; do
		sleep 0.1
	done
}

ended()
{
	got=0
	wait $storm || got=$?
}

# Keeps thread $1 of the storm from getting on; $holder does.
hold()
{
	for task in /proc/$storm/task/*; do
		[ "$(cat "$task/comm")" != "$1" ] || break
	done
	: > /tmp/holder
	secmmu-observed hold "${task##*/}" > /tmp/holder &
	holder=$!
	until grep -q ready /tmp/holder || ! kill -0 $holder; do
		sleep 0.1
	done
}

let_go()
{
	kill -KILL $holder
	wait $holder 2> /dev/null
}

# Is the JSON file whole, with this verdict?
whole()
{
	grep -q "\"verdict\": \"$1\"," $json && [ "$(head -n 1 $json)" = "{" ] &&
		[ "$(tail -n 1 $json)" = "}" ]
}

# Neither the file nor what it is written to before it has its name.
absent()
{
	[ "$(find /tmp -name 'verdict.json*')" = "" ]
}

said()
{
	grep -q "$1" /tmp/storm
}

# --- H2: unproven, and until something is proved --------------------------------------

got=0
storm --seconds 1 --limit 1 --writes 1000000000 || got=$?
judge "H2 too little by its limit" $got 3 '^storm: UNPROVEN, 0 violations$'
check "H2 says what is missing" said '^storm: unproven: [0-9]* guest writes, needs 1000000000$'
check "H2 says what to do" said 'more time with --limit$'
check "H3 unproven, the file is whole" whole UNPROVEN

# Three times as many events as there were in a second.
events=$(sed -n 's/^\t"events": \([0-9]*\),/\1/p' $json | head -n 1)
got=0
storm --seconds 1 --events $((3 * events + 10)) --writes 1 || got=$?
judge "H2 goes on until it proves something" $got 0 '^storm: PASS, 0 violations$'
check "H2 for longer than it was told" said '^\[  2s\]'
check "H3 passed, the file is whole" whole PASS

# --- Nobody watches what is freed -----------------------------------------------------

start --seconds 5 --limit 5 --writes 1 --events 1
# The only child of a storm without operations that fork.
# shellcheck disable=SC2046 # a list of numbers
kill -KILL $(cat /proc/$storm/task/$storm/children)
ended
judge "its canary process was killed" $got 3 '^storm: UNPROVEN, 0 violations$'
check "it says so" said 'canary process was killed'

# --- Swarms have weather, storms that aim have meetings, and others do not ------------

# Nothing was wrong, and it came to its end. It may have proved too little in its time.
ended_well()
{
	tail -n 1 /tmp/storm | grep -Eq '^storm: (PASS|UNPROVEN), 0 violations$'
}

calm()
{
	ended_well && ! said '^swarms' && ! said '^met' && ! said '^before'
}

# It hails in one swarm of four, and a swarm is half a second. $1: a pattern, the number of events
# of hail; $2: that of huge pages; $3: seeds, of which one is enough. Narrow swarms in any case.
stormy()
{
	for seed in $3; do
		secmmu-vmm storm --subject procmem --mix all --swarm --aim --seed $seed \
			--seconds 10 --limit 10 --writes 1 > /tmp/storm 2>&1
		if said "^before  *operations: $1 events over all memory, $2 huge" &&
			said '^swarms  *[1-9][0-9]*, [1-9][0-9]* of them narrow' &&
			said '^met  ' && ended_well; then
			return 0
		fi
	done
	return 1
}

storm --seed 2 --seconds 2 --limit 2 --writes 1
check "no weather without --swarm and --aim" calm
check "an even seed has hail" stormy '[1-9][0-9]*' 0 "2 4 8"
check "a third one has huge pages" stormy 0 '[1-9][0-9]*' "3 9 15"
check "others have neither" stormy 0 0 "1 5 7"

# One operation of twenty takes content away, but many of those that come to another; and some of
# the others go where an engine writes.
aimed()
{
	met=0 taking=0 busy=0
	for seed in 1 2 3 4 5 6; do
		secmmu-vmm storm --subject procmem --mix cold=95,dontneed=5 --aim --hot 16 \
			--discarders 4 --seed $seed --seconds 10 --limit 10 --writes 1 > /tmp/storm 2>&1
		numbers=$(sed -n 's/^met \(.*\)/\1/p' /tmp/storm | tr -c '0-9\n' ' ')
		# shellcheck disable=SC2086 # three numbers
		set -- $numbers
		ended_well && [ $# = 3 ] || return
		met=$((met + $1)) taking=$((taking + $2)) busy=$((busy + $3))
		[ $met -lt 60 ] || break
	done
	echo "aimed: $met met, $taking took content away, $busy at writes" >> /tmp/storm
	[ $met -ge 60 ] && [ $((7 * taking)) -gt $met ] && [ $busy -gt 0 ]
}

check "operations meet, take content away, and go to writes" aimed

# --- H2: interrupted ------------------------------------------------------------------

start
kill -INT $storm
ended
judge "H2 interrupted" $got 130 '^storm: INTERRUPTED, 0 violations$'
check "H2 what was found so far" said '^guest .* writes'
check "H3 interrupted, the file is whole" whole INTERRUPTED
start
kill -TERM $storm
ended
judge "H2 terminated" $got 143 '^storm: INTERRUPTED, 0 violations$'

start
hold "engine 0"
kill -INT $storm
sleep 1
check "H2 a held thread is waited for" kill -0 $storm
kill -INT $storm
ended
let_go
judge "H2 interrupted twice" $got 130 '^\['
check "H3 interrupted twice, no file" absent

# --- H2: stuck, and not stuck ---------------------------------------------------------

start --stuck-after $patience
hold "engine 0"
sleep 1
kill -INT $storm
ended
let_go
judge "H2 a thread is held" $got 4 '^storm: STUCK, 0 violations$'
check "H2 which thread" said 'thread "engine 0" ([0-9]*), state t, in '
check "H2 its kernel stack" said '^    .*ptrace_stop'
check "H2 who waits for it" said 'thread "secmmu-vmm" ([0-9]*), state S, in futex'
check "H3 stuck, no file" absent

# Others get on, but perhaps not a discarder that waits for its write to end.
start --stuck-after $patience
hold "engine 0"
ended
let_go
judge "H2 one thread of many is held" $got 4 '^storm: STUCK, 0 violations$'
check "H2 who it is" said '^storm: stuck: no progress for [0-9]* s of: engine 0[.,]'

# Mostly it is held in an operation, which takes longer than the pause before the next one.
for _ in 1 2 3; do
	start --stuck-after $patience --mix fork
	hold "discarder 0"
	ended
	let_go
	! said 'discarder 0 in fork' || break
done
judge "H2 a discarder is held" $got 4 '^storm: STUCK, 0 violations$'
check "H2 what it is doing" said '^storm: stuck: no progress for [0-9]* s of: .*discarder 0 in fork'

# A vCPU is not enough, but named as well. Who waits for its write may be stuck before the engine.
for _ in 1 2 3; do
	start --stuck-after $patience
	hold "vCPU 0"
	idle=$holder
	hold "engine 0"
	ended
	let_go
	holder=$idle
	let_go
	! said 'stuck: .*engine 0.*, vCPU 0[.]' || break
done
judge "H2 a vCPU is held with it" $got 4 '^storm: STUCK, 0 violations$'
check "H2 both are named" said '^storm: stuck: .*engine 0.*, vCPU 0[.]'

# The canary's process is stopped, and waited for.
start --stuck-after $patience
child=$(grep -l "^PPid:[[:space:]]*$storm\$" /proc/[0-9]*/status 2> /dev/null)
kill -STOP "$(echo "$child" | cut -d / -f 3)"
kill -INT $storm
ended
judge "H2 a process is held" $got 4 '^storm: STUCK, 0 violations$'
check "H2 who waits for that" said 'thread "secmmu-vmm" ([0-9]*), state S, in do_wait'

# Who is stopped makes no progress, and cannot.
start --stuck-after $patience
kill -STOP $storm
sleep $longer
kill -CONT $storm
sleep 1
kill -INT $storm
ended
judge "H2 stopped for long is not stuck" $got 130 '^storm: INTERRUPTED, 0 violations$'

# --- H3: where the file goes ----------------------------------------------------------

quick="--seconds 1 --limit 1 --writes 1 --events 1"
mkdir -p /tmp/full
mount -t tmpfs -o size=16k tmpfs /tmp/full
echo old > /tmp/full/numbers
dd if=/dev/zero of=/tmp/full/rest bs=1k count=100 2> /dev/null
got=0
storm $quick --json /tmp/full/numbers || got=$?
judge "H3 no room for the file" $got 2 '^storm: PASS, 0 violations$'
check "H3 what was there stays" grep -qx old /tmp/full/numbers
check "H3 no part of it stays" [ "$(find /tmp/full -name '*.tmp')" = "" ]
umount /tmp/full

echo old > /tmp/numbers
ln -sf /tmp/numbers /tmp/link
storm $quick --json /tmp/link
check "H3 a link stays" [ -L /tmp/link ]
json=/tmp/numbers
check "H3 its target is replaced" whole PASS
storm $quick --json /dev/null
check "H3 a device stays" [ -c /dev/null ]
exit $status
