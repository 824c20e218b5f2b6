# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of check.sh
# Steps of a check, sourced by check.sh, which sets out, the folder of the logs. A step
# prints its results as "ok - ..." and "not ok - ..." lines or, with the selftests, in
# TAP; they are counted, and written to $out/results as one line:
#	NAME passed failed skipped seconds

# Results of step $1, which began at $2: passed, failed, skipped.
record()
{
	printf '%s %d %d %d %d\n' "$1" "$3" "$4" "$5" $((SECONDS - $2)) >> "$out/results"
}

# A step of one result, the exit status of a command; if that fails, with its output.
step()
{
	local name=$1 begin=$SECONDS status=0
	shift
	"$@" > "$out/$name.log" 2>&1 || status=$?
	if [ $status = 0 ]; then
		echo "ok - $name"
		record "$name" "$begin" 1 0 0
	else
		tail -n 60 "$out/$name.log"
		echo "not ok - $name"
		record "$name" "$begin" 0 1 0
	fi
}

# A step of many results. Shown as they come are those that a person wants to see,
# behind the name of the step, for others may run beside it.
tests()
{
	local name=$1 begin=$SECONDS status=0 log=$out/$1.log p f s
	shift
	echo "$name: begins"
	"$@" 2>&1 | tee "$log" | {
		grep --line-buffered -E '^(ok - |not ok |note: |testvm: starting|(testvm: )?to repeat )|# SKIP' || :
	} | sed -u "s/^/$name: /" || status=$?
	p=$(last_boot "$log" | grep -c '^ok ' || :)
	# Failures count wherever they are.
	f=$(grep -c '^not ok ' "$log" || :)
	s=$(last_boot "$log" | grep -c '^ok .*# SKIP' || :)
	# A failure that says not what is one of its own, and so is silence.
	if [ "$f" = 0 ] && { [ "$status" != 0 ] || [ "$p" = 0 ]; }; then
		tail -n 60 "$log"
		echo "$name: not ok - exit status $status, $p results"
		f=1
	fi
	record "$name" "$begin" $((p - s)) "$f" "$s"
	echo "$name: $((p - s)) passed, $f failed, $s skipped," \
		"$((SECONDS - begin)) s"
}

# The selftests that words name, into folder $1: unpacking all of them takes a VM as long as
# the rest of its boot.
give_tests()
{
	local to=$1/usr/lib/secmmu/selftests word
	shift
	mkdir -p "$to"
	cp -l "$tests"/*.sh "$tests/settings" "$tests"/tests* "$to/"
	for word; do
		word=${word%%,*}
		[ ! -x "$tests/$word" ] || cp -lf "$tests/$word" "$to/"
	done
}

# Tests in a VM: name of the step, kernel, flavour of the driver (or none), command, whose
# words may be names of selftests; TESTS are more of these. An empty RAM disk is there for
# tests that need swap space. LIMIT is the time for all, LOAD more modules of the kernel's,
# NODES the number of NUMA nodes, DEBIAN packages whose programs are there, MEMORY its size,
# APPEND more of the kernel's command line.
# With REPEAT the VM repeats itself, and a second of a storm has more in it.
vm()
{
	local name=$1 kernel=$2 flavour=$3 module=() load=() word
	shift 3
	# shellcheck disable=SC2086 # a list of names
	give_tests "$out/$name.root" ${TESTS-} "$@"
	for word in ${LOAD-}; do
		load+=(--load "$word")
	done
	[ "$flavour" = none ] ||
		module=(--module "$BUILD/modules/$kernel-$flavour/driver/secmmu.ko")
	tests "$name" "$BUILD/testvm/testvm" --quiet --kernel "$kernel" \
		${REPEAT:+--deterministic --record "$out/$name.run"} \
		${DEBIAN:+--debian "$DEBIAN"} \
		--cpus 4 --memory "${MEMORY:-3072}" --nodes "${NODES:-1}" --timeout "${LIMIT:-600}" \
		--root "$out/root" \
		--root "$out/$name.root" \
		--load brd "${load[@]}" --append "brd.rd_nr=1 brd.rd_size=65536${APPEND:+ $APPEND}" \
		"${module[@]}" --out "$out/$name" \
		--log "$out/$name.console" -- "$@"
}

# --- Beside each other ------------------------------------------------------------

# Is step $1 one of those that were asked for?
wanted()
{
	[ ! "${STEPS-}" ] || [[ " $STEPS " = *" $1 "* ]]
}

# Has a step that was asked for a VM with kernel $1, or the module for it? Its name says so. Other
# steps that need more than 6.1 build it by themselves.
needed()
{
	[ ! "${STEPS-}" ] || [ "$1" = 6.1 ] || [[ $STEPS = *"$1"* ]] ||
		{ [ "$1" = newest ] && wanted kunit; }
}

# Each step that was asked for is there, in make check or, with --all, in make check-all.
need_steps()
{
	local word names here

	names=$("$0" --all --list | sort)
	here=$("$0" --list)
	for word in ${STEPS-}; do
		# Those are made whatever is asked for.
		[[ "$word" != kernel-* && "$word" != module-* ]] || continue
		need_word STEPS "$word" "$(echo "$names" | tr '\n' ' ')"
		[ "$all" ] || grep -qxF -e "$word" <<< "$here" ||
			refuse "STEPS: only make check-all has \"$word\""
	done
}

# Begin a step as soon as there is room for it; its name is the second word.
go()
{
	[ ! "$list" ] || { echo "$2"; return; }
	wanted "$2" || return 0
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		wait -n || :
	done
	echo "$2" >> "$out/begun"
	"$@" < /dev/null &
}

# Until step $1, which was begun, has come to a result, or nothing runs any more.
wait_for()
{
	until grep -q "^$1 " "$out/results" || [ ! "$(jobs -rp)" ]; do
		sleep 1
	done
}

# A step that takes too long for every day.
extras=
extra()
{
	if [ "$all" ]; then
		go "$@"
	elif [ ! "$list" ]; then
		extras+=" $2"
	fi
}

# What the VMs that repeat themselves have run, for replay/digests.pl.
keep_digests()
{
	local digest name

	find "$out" -name digest | sort | while read -r digest; do
		name=${digest#"$out"/} name=${name%/digest}
		echo "step ${name%.run}, seed $(sed -n 's/^--deterministic=//p' "${digest%/*}/options")"
		cat "$digest"
	done > "$out/digests"
}

# All steps that were begun have ended. One without a result is a failure, and so is one
# that was asked for and that there is not.
finish()
{
	local name

	wait
	keep_digests
	# shellcheck disable=SC2086 # a list of names
	for name in $(cat "$out/begun") ${STEPS-}; do
		grep -q "^$name " "$out/results" && continue
		if [[ " $extras " = *" $name "* ]]; then
			echo "$name: not ok - only make check-all has this step"
		elif grep -qx "$name" "$out/begun"; then
			echo "$name: not ok - it came to no result"
		else
			echo "$name: not ok - there is no such step"
		fi
		record "$name" "$SECONDS" 0 1 0
	done
}

# What all steps came to, as a table, and as the last line all told.
summary()
{
	echo
	awk '
		BEGIN {
			form = "%-26s %7s %7s %7s %8s\n"
			printf form, "step", "passed", "failed", "skipped", "seconds"
		}
		{
			printf form, $1, $2, $3, $4, $5
			passed += $2; failed += $3; skipped += $4
		}
		END {
			printf "%d passed, %d failed, %d skipped\n", passed, failed,
				skipped
			exit !passed || failed
		}' "$out/results"
}
