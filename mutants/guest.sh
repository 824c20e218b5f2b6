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
#
# With the name of another module parameter as a second argument, of generated mutants,
# each is run until a test kills it, which a line "@ killed MUTANT" says; its other runs
# are left out. Each program is run without a mutant before its first use, and whatever has
# killed a mutant is run without it afterwards. /proven has what earlier boots have said of
# a program without a mutant: the time it took, and the names of the tests that passed.
set -u
# In the VM it lies beside this.
# shellcheck source=check/guest/inside.sh
. "${0%/*}/inside.sh"
only_inside "loads and unloads the driver with seeded bugs, and empties the kernel's log"
limit=$1
parameter=${2:-mutant}
until_killed=${2-}
lib=/usr/lib/secmmu
module=$lib/secmmu.ko
settings=/sys/module/secmmu
reached=$settings/parameters/auto_reached
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
		echo "$1" > $settings/parameters/"$parameter"
		return
	fi
	insmod $module "$parameter=$1" || return 1
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
		BEGIN {
			n = split(parts, part, ",")
			# A result is VARIANT.TEST, the list has tests alone.
			for (i = 1; i <= n; i++) {
				test[i] = part[i]
				sub(/.*\./, "", test[i])
			}
		}
		{
			for (i = 1; i <= n; i++)
				if (index($NF, test[i])) {
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
	read -r session < /tmp/session
	left=$(ps -o pid,sid | awk -v session="$session" '$2 == session { print $1 }')
	# shellcheck disable=SC2086 # a list of processes
	[ -z "$left" ] || kill -KILL $left 2> /dev/null
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

# A storm that is to find the mutant, way $1 with seed $2: /power says how.
power()
{
	seconds=$(sed -n 's/^seconds //p' /power)
	sed -n "s/^delay $1 //p" /power > $settings/parameters/gate_delay
	echo "$2" > $settings/parameters/gate_seed
	# It has a watchdog of its own: whatever keeps that from its work is to be known.
	(sleep $((limit - 10)) && echo "$mutant hangs, $(holders)") > /dev/console 2>&1 &
	look=$!
	# shellcheck disable=SC2046 # options
	in_session secmmu-vmm storm --seconds "$seconds" --limit "$seconds" --seed "$2" \
		--violations 1 --outside --stuck-after 20 --json /tmp/power.json \
		$(sed -n "s/^$1: //p; s/^$mutant: //p" /power)
	got=$?
	kill $look 2> /dev/null
	case $got in
	1)
		words="$(sed -n 's/.*"first_violation_us": \([0-9]*\).*/\1/p' /tmp/power.json)"
		words="$words $(sed -n 's/^violation 1: //p' $log | cut -d ';' -f 1)"
		;;
	4) words=stuck ;;
	0 | 3)
		echo "ok 1 storm" >> $log
		got=0
		;;
	esac
	return $got
}

# The KUnit suites: they run when the driver is loaded.
kunit()
{
	in_session $lib/kunit.sh suites
	got=$?
	# A suite as a whole is no test; the status tells.
	sed -i '/^not ok - kunit [a-z]*[: ]/s/^/# /; s/^\(not ok\|ok\) - kunit /\1 - /' $log
	return $got
}

# Is program $1 there, and may it be run with what is loaded?
present()
{
	case $1 in
	storm | plain | sharp) ;;
	kunit) [ -d /sys/module/kunit ] ;;
	*) [ -x $lib/selftests/"$1" ] ;;
	esac
}

start()
{
	# shellcheck disable=SC2086 # a list of options
	case $1 in
	storm) storm "$2" ;;
	plain | sharp) power "$1" "$2" ;;
	kunit) kunit ;;
	*) in_session $lib/selftests/"$1" $options ;;
	esac
}

# With a generated mutant that the driver cannot be loaded with. Is that its doing?
refused()
{
	[ "$until_killed" ] && [ "$mutant" != none ] && unload && load none || return
	is=failed
	echo "@ end $mutant $program $parts failed 0 the driver does not load"
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
	elif grep -q '^not ok ' $log || { [ "$1" != 0 ] && [ "$1" != 4 ]; } || [ "$words" = stuck ]; then
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
	is=absent
	: > /tmp/results
	if ! present "$program"; then
		echo "@ end $mutant $program $parts absent 0 no such program"
		return 0
	fi
	case $program in
	storm | plain | sharp) ;;
	kunit) unload ;;
	*) options=$(select_tests "$program" "$parts") ;;
	esac
	if [ -s /tmp/absent ] && [ -z "$options" ]; then
		echo "@ end $mutant $program $parts absent 0 no such test"
		return 0
	fi
	dmesg -c > /dev/null
	started=$(now)
	if ! load "$mutant"; then
		! refused || return 0
		echo "@ end $mutant $program $parts error 0 the driver does not load"
		return 1
	fi
	[ "$program" = kunit ] || started=$(now)
	start "$program" "$parts"
	got=$?
	took=$(($(now) - started))
	is=$(verdict $got)
	results "$mutant" "$program" | tee /tmp/results
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
		[ "$is" != passed ] && [ -z "$until_killed" ] || is=splat
		words="$words $told"
		unusable="the kernel complained"
	elif [ -n "$unusable" ]; then
		[ "$is" != passed ] || is=hang
		words="$words $unusable"
	fi
	echo "@ end $mutant $program $parts $is $took $words"
	[ -z "$unusable" ]
}

# Run program $1 without a mutant, unless this boot or an earlier one has done so.
prove()
{
	[ ! -e /tmp/passed."$1" ] || return 0
	if [ -e /proven/"$1" ]; then
		head -n 1 /proven/"$1" > /tmp/took."$1"
		tail -n +2 /proven/"$1" > /tmp/passed."$1"
		return 0
	fi
	: > /tmp/passed."$1"
	took=0
	[ ! -e $reached ] || echo > $reached
	run none "$1" "$2" || return
	if [ -e $reached ]; then
		cat $reached > /tmp/reached."$1"
		echo "@ reached $1 $(cat $reached)"
	fi
	echo "$took" > /tmp/took."$1"
	sed -n 's/^@ pass [^ ]* [^ ]* //p' /tmp/results > /tmp/passed."$1"
}

# The tests that have failed in the latest run, of program $1, and passed before.
killers()
{
	awk -v file=/tmp/passed."$1" '
		BEGIN {
			while ((getline name < file) > 0)
				passed[name] = 1
		}
		$2 == "fail" && $5 in passed { print $5 }' /tmp/results
}

# Does program $2 come by mutant $1? If that is not known, perhaps.
reaches()
{
	file=/tmp/reached.$2
	[ -e "$file" ] || file=/reached/$2
	[ -e "$file" ] || return 0
	digit=$(cut -c $(($1 / 4 + 1)) "$file")
	[ $((0x$digit >> $1 % 4 & 1)) = 1 ]
}

# It does not: that is how it passes.
pass_by()
{
	echo "@ begin $1 $2 $3"
	echo "@ end $1 $2 $3 passed 0 does not come by"
}

# One run of a generated mutant.
try()
{
	[ "$1" != "$killed" ] || return 0
	reaches "$1" "$2" || { pass_by "$@"; return 0; }
	prove "$2" "$3" || return
	reaches "$1" "$2" || { pass_by "$@"; return 0; }
	# Not much longer than without it.
	limit=$((4 * $(cat /tmp/took."$2") / 100 + 30))
	[ "$limit" -le "$longest" ] || limit=$longest
	run "$1" "$2" "$3"
	usable=$?
	limit=$longest
	again=$3
	case $is in
	failed)
		failed=$(killers "$2" | head -n 20 | tr '\n' ',')
		# Without any result it is the program as a whole.
		[ -n "$failed" ] || ! grep -q '^@ fail' /tmp/results || return $usable
		[ -z "$failed" ] || [ "$2" = kunit ] || again=${failed%,}
		;;
	hang | splat) ;;
	*) return $usable ;;
	esac
	killed=$1
	echo "@ killed $1"
	[ $usable = 0 ] && run none "$2" "$again"
}

unusable=
options=
took=0
longest=$limit
killed=
is=
set -f
[ -z "$until_killed" ] || run=try
while read -r mutant program parts <&3; do
	if ! ${run:-run} "$mutant" "$program" "$parts"; then
		echo "@ unusable ${unusable:-no driver}"
		exit 3
	fi
done 3< /plan
unload || echo "@ end none all unload hang 0 the driver stays in use"
told=$(complaint)
[ -z "$told" ] || echo "@ end none all unload splat 0 $told"
echo "@ done"
