# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# Runs that repeat themselves.

# Is there the QEMU that can?
repeats()
{
	"$here/emulator/qemu.sh" >/dev/null 2>&1
}

# digest NAME OPTION...: what a run of an everyday command was, into $temp/NAME.
digest()
{
	local name=$1

	shift
	# shellcheck disable=SC2016
	expect 0 vm --deterministic --digest "$temp/$name" "$@" -- sh -c \
		'for i in 1 2 3 4; do head -c 99999 /dev/urandom | md5sum & done; wait' \
		>"$temp/$name.out" && cp "$temp/log" "$temp/$name.log"
}

# Once on a host that is busy, and once on one that may not be.
test_deterministic_repeats()
{
	local busy1 busy2 status=0

	repeats || return 2
	digest first || return
	while :; do :; done &
	busy1=$!
	while :; do :; done &
	busy2=$!
	digest second || status=$?
	kill $busy1 $busy2
	wait $busy1 $busy2 || :
	[ $status = 0 ] && grep -q '^over ' "$temp/first" || return 1
	cmp "$temp/first" "$temp/second" && cmp "$temp/first.log" "$temp/second.log" &&
		cmp "$temp/first.out" "$temp/second.out"
}

# The policies by themselves, on the host.
test_schedule_policies()
{
	"$build/testvm/policy_test"
}

# Another seed is another run.
test_deterministic_differs()
{
	repeats || return 2
	digest first && digest second --deterministic=2 &&
		! cmp -s "$temp/first" "$temp/second" &&
		! cmp -s "$temp/first.out" "$temp/second.out"
}

# So is another schedule.
test_deterministic_schedule()
{
	repeats || return 2
	digest first && digest second \
		--schedule policy=random,period=1000,range=ffffffff81000000-ffffffff82000000 &&
		! cmp -s "$temp/first" "$temp/second"
}

# What is recorded makes the same run again; another seed does not.
test_deterministic_recorded()
{
	local record=$temp/record replay=$here/../replay/replay.sh

	repeats || return 2
	expect 3 "$testvm" --quiet --kernel "$kernel" --deterministic=5 --timeout 60 \
		--record "$record" -- sh -c 'echo one; exit 3' 2>"$temp/err" >"$temp/out" &&
		says "make replay RUN=$record" || return
	expect 0 "$replay" "$record" >"$temp/out" 2>"$temp/err" &&
		grep -q '^status 3' "$temp/out" && grep -q '^digest equal' "$temp/out" || return
	sed -i 's/^--deterministic=5/--deterministic=6/' "$record/options"
	expect 1 "$replay" "$record" >"$temp/out" 2>"$temp/err" &&
		grep -q '^digest differs: the runs part between blocks ' "$temp/out"
}

# A guest that waits takes no time; its limit is by its own clock.
test_deterministic_timeout()
{
	repeats || return 2
	expect 124 vm --deterministic --timeout 300 sleep 1000 &&
		says 'did not end within 300 s' &&
		grep -q 'sysrq: Show Blocked State' "$temp/log"
}
