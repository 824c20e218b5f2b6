# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the script that sources this
# The test VMs of mutants.sh and mutants-auto.sh, to be sourced: one VM after the other,
# each with the runs that are left to do, until none is. The script has set
#	out	its folder, with todo.N, the runs of VM N: lines of the plan that
#		guest.sh explains; what comes of them goes to results.N
#	jobs, kernel, testvm, total (of the runs), silence (the seconds without a
#		word after which a VM hangs)
#	guest	arguments of guest.sh, an array
#	machine	more options of testvm, an array
# and has a function plan, which prints the plan of VM $1, made of its todo.

# Boots that may fail for no fault of a mutant.
patience=3

machine=()

# For scripts that want to know: VM $1 begins a run of mutant $2 with program $3, or has
# ended with it, which the run $3 has killed. The former may set $quiet, the seconds of
# silence for this run.
begun()
{
	:
}

# What else VM $1 is to find: goes to folder $2, its root.
furnish()
{
	:
}

over()
{
	:
}

# Is it worth another boot that VM $1 failed in a run without a mutant?
once_more()
{
	return 1
}

# Strike what has been run from the list of VM $1, or what will not be.
strike()
{
	mv "$out/todo.$1" "$out/todo.$1.old"
	awk -v name="$2" -v program="$3" -v parts="$4" '
		name == $1 && (program == "" || $2 == program && $3 == parts) &&
			!(program != "" && struck) { struck = 1; next }
		{ print }' "$out/todo.$1.old" > "$out/todo.$1"
}

# What a person wants to see of it.
progress()
{
	local name=$1 program=$2 parts=$3 verdict=$4 time=$5

	[ "$name" != none ] || return 0
	printf '[%d of %d] %s: %s/%s %s (%d.%02d s)\n' \
		"$(cat "$out"/results.* | grep '^@ end ' | grep -cv '^@ end none ')" \
		"$total" "$name" "$program" "$parts" "$verdict" \
		$((time / 100)) $((time % 100))
}

# One boot for what is left of the list of VM $1. In the end: $state, what was last
# heard of it; $run, the run that this was about, and $began, when it did.
boot()
{
	local n=$1 line name program parts verdict time
	local base=$out/vm.$n

	rm -rf "$base"
	mkdir -p "$base"
	plan "$n" > "$base/plan"
	furnish "$n" "$base"
	echo "@ boot" >> "$out/results.$n"
	state=boot run='' began=$SECONDS silent='' quiet=''
	coproc VM {
		exec "$testvm" --quiet --kernel "$kernel" \
			--cpus 4 --memory 2048 --timeout 604800 \
			"${machine[@]}" --load brd --append "brd.rd_nr=1 brd.rd_size=65536" \
			--root "$out/root" --root "$base" --log "$out/console.$n" \
			-- /usr/lib/secmmu/mutants.sh "${guest[@]}" 2> "$out/testvm.$n"
	}
	vm=$VM_PID
	exec {from}<&"${VM[0]}"
	while :; do
		status=0
		IFS= read -r -t "${quiet:-$silence}" -u "$from" line || status=$?
		if [ $status -gt 128 ]; then
			silent=1
			kill -USR1 "$vm"
			break
		fi
		[ $status = 0 ] || break
		echo "$((SECONDS - started)) $line" >> "$out/log.$n"
		[ "${line#@ }" != "$line" ] || continue
		echo "$line" >> "$out/results.$n"
		read -r _ state name program parts verdict time _ <<< "$line"
		case $state in
		begin)
			run="$name $program $parts" began=$SECONDS
			begun "$n" "$name" "$program"
			;;
		end)
			run="$name $program $parts"
			[ "$name" = none ] || strike "$n" "$name" "$program" "$parts"
			progress "$name" "$program" "$parts" "$verdict" "$time"
			;;
		# Nothing else of it is to be run.
		killed)
			strike "$n" "$name" '' ''
			over "$n" "$name" "${run#* }"
			;;
		esac
	done
	exec {from}<&-
	status=0
	wait "$vm" 2> /dev/null || status=$?
	if [ "$state" = "done" ] && [ $status != 0 ]; then
		echo "@ end none after all splat 0 $(cat "$out/testvm.$n")" |
			tr '\n' ' ' >> "$out/results.$n"
		echo >> "$out/results.$n"
	fi
}

# The kernel met its end in a run.
bury()
{
	local n=$1 name program parts what why time

	read -r name program parts <<< "$run"
	if [ "$silent" ]; then
		what=hang why="nothing was heard for ${quiet:-$silence} s"
	else
		what=died why=$(sed -n 's/^testvm: kernel: *//p' "$out/testvm.$n" |
			sed 's/^\[[^]]*\] *//; 1q')
	fi
	time=$(((SECONDS - began) * 100))
	echo "@ end $name $program $parts $what $time the kernel died: $why" \
		>> "$out/results.$n"
	progress "$name" "$program" "$parts" "$what" "$time"
	# It would do so again.
	strike "$n" "$name" '' ''
	over "$n" "$name" "$program $parts ($what)"
	[ "$name" != none ]
}

# Is the end of VM $1 perhaps not the kernel's? QEMU errs now and then, and somebody may
# have ended QEMU or testvm.
says_nothing()
{
	[ ! "$silent" ] || [ "$status" = 123 ] || return
	[ "$status" != 125 ] || ! grep -q '^testvm: kernel:' "$out/testvm.$1" ||
		grep -q 'the kernel met a breakpoint' "$out/testvm.$1"
}

# All boots that the list of VM $1 takes.
work()
{
	local n=$1 failures=0 left before='' vm=

	trap 'kill $vm 2> /dev/null; exit 143' TERM
	while [ -s "$out/todo.$n" ]; do
		left=$(wc -l < "$out/todo.$n")
		[ "$left" = "$before" ] || failures=0
		before=$left
		boot "$n"
		case $state in
		done)
			[ -s "$out/todo.$n" ] || break
			echo "mutants: not everything was run" >&2
			return 1
			;;
		unusable) [ "${run%% *}" != none ] || once_more "$n" || break ;;
		boot)
			failures=$((failures + 1))
			[ $failures -lt $patience ] && continue
			cat "$out/testvm.$n" >&2
			echo "mutants: the test VM does not boot" >&2
			return 1
			;;
		*)
			if [ $failures -lt $patience ] && says_nothing "$n"; then
				failures=$((failures + 1))
				continue
			fi
			bury "$n" || once_more "$n" || break
			;;
		esac
	done
}

# All VMs at a time. Sets $failed if one of them cannot do its work.
work_on_all()
{
	local n worker
	local -a workers=()

	for ((n = 0; n < jobs; n++)); do
		[ -s "$out/todo.$n" ] || continue
		: > "$out/results.$n"
		work "$n" &
		workers+=($!)
	done
	trap 'kill "${workers[@]}" 2> /dev/null || :' INT TERM HUP
	for worker in "${workers[@]}"; do
		wait "$worker" || failed=1
	done
}
