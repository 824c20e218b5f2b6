#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the test VM: tests against seeded bugs of a test build of the driver. The plan is
# in /plan, one run per line: MUTANT PROGRAM PART[,PART...]. A part is some of the name
# of a test, or "*" for the whole program. After a run that did not pass, the driver is
# loaded anew: whatever it was left with must not decide the next.
#
# The host reads what is said here, in lines that begin with "@":
#	@ begin MUTANT PROGRAM PARTS
#	@ pass|fail MUTANT PROGRAM TEST		for each test that ran
#	@ end MUTANT PROGRAM PARTS VERDICT CENTISECONDS WORDS
# The verdict is passed, failed, hang (it had to be killed), splat (the kernel
# complained), absent (no such test), skipped or error. "unusable" in the end says
# that nothing more can be learned from this boot, which ends there.
set -u
# shellcheck source=testvm/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "loads and unloads the driver with seeded bugs, and empties the kernel's log"
limit=$1
lib=/usr/lib/secmmu
module=$lib/secmmu.ko
settings=/sys/module/secmmu
log=/tmp/said
# For tests that load and unload it themselves.
export SECMMU_MODULE=$module

now()
{
	read -r up _ < /proc/uptime
	echo "${up%.*}${up#*.}"
}

# Has the kernel complained since the last call? The first line of it.
complaint()
{
	dmesg -c | grep -F -f /testvm/complaints |
		grep -v -F -f /testvm/harmless | head -n 1
}

loaded()
{
	grep -q '^secmmu ' /proc/modules
}

load()
{
	if loaded; then
		echo "$1" > $settings/parameters/mutant
		return
	fi
	insmod $module mutant="$1" || return 1
	tries=0
	until [ -c /dev/secmmu ]; do
		tries=$((tries + 1))
		[ $tries -gt 100 ] && return 1
		sleep 0.1
	done
}

# The last user may be dying still.
idle()
{
	tries=0
	until [ ! -e $settings ] || [ "$(cat $settings/refcnt)" = 0 ]; do
		tries=$((tries + 1))
		[ $tries -gt 100 ] && return 1
		sleep 0.1
	done
}

# Who may have it open: whatever is no kernel thread, and where that is in the kernel.
holders()
{
	echo "in use: $(cat $settings/refcnt)"
	set +f
	for task in /proc/[0-9]*/task/*; do
		# The first thread of a process may be gone before the others.
		[ -n "$(readlink "$task/exe")" ] || continue
		echo "$task, $(cat "$task/comm"), $(grep '^State' "$task/status"):"
		cat "$task/stack"
	done 2> /dev/null
	set -f
}

unload()
{
	! loaded || { idle && rmmod secmmu; }
}

# The tests of program $1 that parts $2 name, as options; parts that are in no name
# go to a file.
select_tests()
{
	: > /tmp/absent
	[ "$2" != '*' ] || return 0
	$lib/selftests/"$1" -l 2>&1 | awk -v parts="$2" '
		BEGIN { n = split(parts, part, ",") }
		{
			for (i = 1; i <= n; i++)
				if (index($NF, part[i])) {
					found[i] = 1
					if (!told[$NF]++)
						print "-t", $NF
				}
		}
		END {
			for (i = 1; i <= n; i++)
				if (!found[i])
					print part[i] > "/tmp/absent"
		}'
}

# Start it in a session of its own, so that nothing of it is left afterwards.
in_session()
{
	# shellcheck disable=SC2016
	setsid sh -c 'echo $$ > /tmp/session; exec "$@"' sh \
		timeout -s KILL "$limit" "$@" < /dev/null > $log 2>&1 3<&- &
	wait $!
	got=$?
	ps -o pid,sid | while read -r pid session; do
		[ "$session" != "$(cat /tmp/session)" ] || kill -KILL "$pid"
	done 2> /dev/null
	return $got
}

# The storm is no test program; its verdict is that of one test.
storm()
{
	# It ends by itself, and says how, before it is killed.
	in_session secmmu-vmm run --seconds "$1" --seed 1 --limit $((limit / 2)) \
		--stuck-after 20
	got=$?
	if [ $got = 0 ]; then
		echo "ok 1 storm" >> $log
	elif grep -q '^storm: FAIL, [1-9]' $log; then
		echo "not ok 1 storm" >> $log
	elif grep -q '^storm: STUCK' $log; then
		echo "not ok 1 storm" >> $log
		words="stuck"
	elif [ $got != 137 ]; then
		# Unproven, which says nothing of the driver, or worse.
		echo "ok 1 storm # SKIP $(tail -n 1 $log)" >> $log
		got=0
	fi
	return $got
}

# Names of tests, as they are reported, without the fixture.
results()
{
	awk -v mutant="$1" -v program="$2" '
		/^(not )?ok / {
			word = $1 == "ok" ? "pass" : "fail"
			if (/# SKIP/)
				next
			name = $1 == "ok" ? $3 : $4
			sub(/^[^.]*\./, "", name)
			print "@", word, mutant, program, name
		}' $log
}

verdict()
{
	if [ "$1" = 137 ]; then
		echo hang
	elif grep -q '^not ok ' $log || { [ "$1" != 0 ] && [ "$1" != 4 ]; }; then
		echo failed
	elif ! grep '^ok ' $log | grep -v -q '# SKIP'; then
		echo skipped
	else
		echo passed
	fi
}

run()
{
	mutant=$1 program=$2 parts=$3 words=
	echo "@ begin $mutant $program $parts"
	if [ "$program" != storm ] && [ ! -x $lib/selftests/"$program" ]; then
		echo "@ end $mutant $program $parts absent 0 no such program"
		return 0
	fi
	[ "$program" = storm ] || options=$(select_tests "$program" "$parts")
	if [ -s /tmp/absent ] && [ -z "$options" ]; then
		echo "@ end $mutant $program $parts absent 0 no such test"
		return 0
	fi
	dmesg -c > /dev/null
	if ! load "$mutant"; then
		echo "@ end $mutant $program $parts error 0 the driver does not load"
		return 1
	fi
	started=$(now)
	if [ "$program" = storm ]; then
		storm "$parts"
	else
		# shellcheck disable=SC2086 # a list of options
		in_session $lib/selftests/"$program" $options
	fi
	got=$?
	took=$(($(now) - started))
	is=$(verdict $got)
	results "$mutant" "$program"
	[ "$is" = passed ] || [ "$is" = skipped ] || head -n 100 $log
	# A test that ends by a limit of its own hangs, too.
	[ "$is" != failed ] || ! grep -q 'terminated by timeout' $log || words="timed out"
	if [ "$is" = passed ] || [ "$is" = skipped ]; then
		idle
	else
		unload
	fi || unusable="the driver stays in use"
	[ -z "$unusable" ] || holders
	told=$(complaint)
	if [ -n "$told" ]; then
		[ "$is" != passed ] || is=splat
		words="$words $told"
		unusable="the kernel complained"
	elif [ -n "$unusable" ]; then
		[ "$is" != passed ] || is=hang
		words="$words $unusable"
	fi
	echo "@ end $mutant $program $parts $is $took $words"
	[ -z "$unusable" ]
}

unusable=
options=
set -f
while read -r mutant program parts <&3; do
	if ! run "$mutant" "$program" "$parts"; then
		echo "@ unusable ${unusable:-no driver}"
		exit 3
	fi
done 3< /plan
unload || echo "@ end none all unload hang 0 the driver stays in use"
told=$(complaint)
[ -z "$told" ] || echo "@ end none all unload splat 0 $told"
echo "@ done"
