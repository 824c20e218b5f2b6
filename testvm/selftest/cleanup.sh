# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of selftest.sh
# What a run that is ended leaves behind: nothing.

# Is a VM of the run folder $1 left? Looks at programs, not at names in the
# command lines of anything else.
vm_left()
{
	local exe

	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
		*/qemu-system-*) ;;
		*) continue ;;
		esac
		if tr '\0' ' ' <"${exe%/exe}/cmdline" 2>/dev/null |
				grep -qF "$1/"; then
			return 0
		fi
	done
	return 1
}

# run_folder PID: waits for the VM of testvm PID and prints its run folder.
run_folder()
{
	local lock

	for _ in $(seq 200); do
		for lock in /tmp/smv??????/lock; do
			if [ -n "$(find "/proc/$1/fd" -lname "$lock" 2>/dev/null)" ] &&
			   vm_left "${lock%/lock}"; then
				printf '%s\n' "${lock%/lock}"
				return
			fi
		done
		sleep 0.1
	done
	return 1
}

# Starts a VM that would run for long, whatever else the machine does; sets $pid and $folder.
start_long()
{
	# Not through vm(): the signal must reach testvm, not a shell.
	"$testvm" --quiet --kernel "$kernel" --accel tcg --cpus 1 --timeout 600 \
		--log "$temp/log" sleep 1000 >"$temp/out" 2>"$temp/err" &
	pid=$!
	folder=$(run_folder "$pid") && return
	printf '# no VM was started\n'
	kill -9 "$pid"
	return 1
}

gone()
{
	if vm_left "$folder" || [ -e "$folder" ]; then
		printf '# %s is still there\n' "$folder"
		return 1
	fi
}

test_interrupt()
{
	start_long || return
	kill -INT "$pid"
	expect 130 wait "$pid" && gone
}

test_terminate()
{
	start_long || return
	sleep 3
	kill -TERM "$pid"
	expect 143 wait "$pid" && gone
}

# As if the time were up, also for who asks why it stands still.
test_given_up()
{
	start_long || return
	kill -USR1 "$pid"
	expect 124 wait "$pid" && says 'was given up' && gone
}

test_killed()
{
	start_long || return
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	sleep 1
	gone
}

# Guard and owner both killed: only the next run can clean up, and it must
# leave the run of a living one alone.
test_killed_then_swept()
{
	local guard orphan living

	start_long || return
	orphan=$folder
	guard=$(cat "/proc/$pid/task/$pid/children")
	# shellcheck disable=SC2086
	kill -KILL $guard "$pid"
	wait "$pid" 2>/dev/null || :
	vm_left "$orphan" || { printf '# no orphan to sweep\n'; return 1; }
	start_long || return
	living=$folder
	folder=$orphan
	gone || return
	# A third run sweeps, too.
	expect 0 vm true || return
	vm_left "$living" || { printf '# a living VM was swept\n'; return 1; }
	folder=$living
	kill -TERM "$pid"
	expect 143 wait "$pid" && gone
}
