#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# run_tests.sh [test[,option ...] ...]
#
# Runs the tests that lie beside this script, all by default, with the options of
# the harness given ("flush,-T,B1_long_range" leaves one out), shows what they
# print, and ends with the line "N passed, N failed, N skipped".
#
# Fails if a test fails, crashes, prints no plan or fewer results than planned,
# hangs, or does not exist; and if nothing was run at all. Needs a POSIX shell
# and, to end hanging tests, timeout(1). SECMMU_TEST_SLOW=N multiplies all limits.

case ${1-} in
--help) sed -n '4s/^# /usage: /p; 5,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
-*) sed -n '4s/^# \{0,1\}/usage: /p' "$0" >&2; exit 2 ;;
esac
dir=$(dirname "$0")
# Test builds keep two threads at gates, where they spin: a third processor has to run the rest.
if [ -e /sys/module/secmmu/parameters/planted_race ] && [ "$(nproc)" -lt 3 ]; then
	echo "$0: a test build of the driver needs three processors, and here are $(nproc)" >&2
	exit 2
fi
passed=0
failed=0
skipped=0

# Seconds for one binary; its tests have shorter limits of their own.
limit=900
if [ -r "$dir/settings" ]; then
	while IFS='=' read -r key value; do
		[ "$key" = timeout ] && limit=$value
	done < "$dir/settings"
fi
limit=$((limit * ${SECMMU_TEST_SLOW:-1}))

# The command, and its exit status as a last line which no test can print.
run()
{
	if command -v timeout > /dev/null; then
		timeout -s KILL "$limit" "$@"
	else
		"$@"
	fi
	echo "$mark $?"
}

# Shows all lines; tells descriptor 3 "passed failed skipped".
count()
{
	ok=0
	bad=0
	skip=0
	plan=
	whole_skip=
	status=
	while IFS= read -r line; do
		case $line in
		"$mark "*)
			status=${line#"$mark "}
			# A stray child may keep the pipe open for ever.
			break
			;;
		1..[0-9]*)
			[ -n "$plan" ] && bad=$((bad + 1))
			plan=${line#1..}
			case $plan in
			0*'# SKIP'*)
				whole_skip=1
				;;
			esac
			plan=${plan%% *}
			;;
		'not ok '*)
			bad=$((bad + 1))
			;;
		'ok '*'# SKIP'*)
			skip=$((skip + 1))
			;;
		'ok '*)
			ok=$((ok + 1))
			;;
		esac
		printf '%s\n' "$line"
	done

	if [ -n "$whole_skip" ]; then
		skip=$((skip + 1))
	elif [ -z "$plan" ] || [ "$plan" = 0 ]; then
		echo "# $name: no plan"
		bad=$((bad + 1))
	else
		missing=$((plan - ok - bad - skip))
		if [ $missing -gt 0 ]; then
			echo "# $name: $missing of $plan results are missing"
			bad=$((bad + missing))
		elif [ $missing -lt 0 ]; then
			echo "# $name: more results than planned"
			bad=$((bad + 1))
		fi
	fi
	# 4 is the harness's own "all skipped".
	if [ "$status" != 0 ] && [ $bad -eq 0 ]; then
		if [ "$status" != 4 ] || [ $ok -ne 0 ]; then
			echo "# $name: exit status ${status:-unknown}"
			bad=1
		fi
	fi
	echo "$ok $bad $skip" >&3
}

if [ $# -eq 0 ]; then
	# Names have no spaces.
	# shellcheck disable=SC2046
	set -- $(cat "$dir/tests")
fi

exec 4>&1
for word; do
	name=${word%%,*}
	began=$(date +%s)
	options=
	[ "$name" = "$word" ] || options=$(echo "${word#*,}" | tr , ' ')
	mark="status-of-$name-$$"
	echo "# $name"
	if [ ! -x "$dir/$name" ]; then
		echo "# $name: no such test"
		failed=$((failed + 1))
		continue
	fi
	# shellcheck disable=SC2086 # a list of options
	totals=$(run "$dir/$name" $options 2>&1 4>&- | count 3>&1 >&4)
	ok=${totals%% *}
	bad=${totals#* }
	skip=${bad#* }
	bad=${bad% *}
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + skip))
	echo "# $name took $(($(date +%s) - began)) s"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
