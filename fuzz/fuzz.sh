#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything "make fuzz" does: random programs in a test VM until one fails; then new
# boots to see whether it fails again, and to find the part of it that does.
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: fuzz.sh [--out DIR]
       fuzz.sh --fails
Runs random programs against a test build of the driver, and prefers those that reach new
places of it. If one fails, boots again to see whether it fails again by itself, or with
the programs before it, and writes the programs that fail to DIR/reproducer.txt (DIR is
build/fuzz by default). With PROGRAM it only runs the programs of that file. --fails is
for secmmu-fuzz shrink: exits with 0 if the programs in the standard input fail.

In the environment:
  FUZZ_SECONDS   seconds to run, 60 by default (make fuzz SECONDS=)
  SEED           seed of all choices, random by default
  PROGRAM        a file of programs to run instead
  TIMES          number of times to run those, 20 by default
  KERNEL         debug by default, the only one that reports the places reached
  CPUS           of the VM, 2 by default: no more than this machine has, or the
                 processors wait for each other most of the time
  REPEAT         not empty: use VMs that repeat themselves, see make replay
  MUTANT         a seeded bug to switch on, see mutants/series
  TRIES          boots to shrink programs that no VM survives, up to 12 by default
END
}

out=$BUILD/fuzz mode=run
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		out=$2
		shift
		;;
	--fails) mode=fails ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
export REPEAT=${REPEAT:-} KERNEL=${KERNEL:-debug} MUTANT=${MUTANT:-none} TIMES=${TIMES:-20}
seconds=${FUZZ_SECONDS:-60}
tries=${TRIES:-12}
cpus=${CPUS:-2}
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
program=${PROGRAM:-}
fuzz=$BUILD/fuzz/bin/secmmu-fuzz
# The test of this script, selftest.sh, has a VM of its own that is played.
testvm=${FUZZ_TESTVM:-$BUILD/testvm/testvm}
module=$BUILD/modules/$KERNEL-test/driver/secmmu.ko
# As many of the last programs may have had a part in what happened.
last=64

need_numbers SECONDS "$seconds" SEED "$seed" TIMES "$TIMES" TRIES "$tries" CPUS "$cpus"
need_kernel "$KERNEL"
need_mutant "$MUTANT"
if [ "$program" ] && [ ! -r "$program" ]; then
	echo "fuzz: PROGRAM: cannot read \"$program\"" >&2
	exit 2
fi

[ $mode = fails ] || own_folder "$out"

# Boot a VM: name of the log, file of programs or nothing, arguments for secmmu-fuzz.
# Returns 0 if all went well, 1 if it did not, and ends if it could not be tried.
vm()
{
	local name=$1 file=$2 status=0 root=$out/root.$1
	shift 2
	rm -rf "$root"
	mkdir -p "$root/usr/bin"
	cp "$fuzz" "$root/usr/bin/"
	copy_guest_scripts "$root/usr/lib/secmmu"
	[ ! "$file" ] || cp "$file" "$root/programs"
	"$testvm" --quiet --kernel "$KERNEL" --cpus "$cpus" \
		${REPEAT:+--deterministic --record "$out/$name.run"} \
		--memory 3072 --timeout $((seconds + 900)) --root "$root" \
		--load brd --module "$module" --log "$out/$name.console" \
		--append "brd.rd_nr=1 brd.rd_size=65536 kasan_multi_shot" -- \
		/usr/lib/secmmu/fuzz.sh "$MUTANT" "$@" 2>&1 |
		tee "$out/$name.all" |
		{ grep --line-buffered -v '^@ [rksuj]' || :; } || status=$?
	last_boot "$out/$name.all" > "$out/$name.log"
	rm -rf "$root" "$out/$name.all"
	case $status in
	0) return 0 ;;
	1 | 124 | 125) return 1 ;;
	123)
		echo "fuzz: emulation has frozen each time, which says nothing; see $out/$name.log" >&2
		exit 123
		;;
	130 | 143)
		echo "fuzz: INTERRUPTED, $(grep '^\[' "$out/$name.log" | tail -n 1);" \
			"for a verdict run it to its end"
		exit $status
		;;
	*)
		echo "fuzz: this could not be run, status $status; see $out/$name.log" >&2
		exit 2
		;;
	esac
}

# The programs that were run last, before one failed: so many of them.
ran_last()
{
	awk '/^@ found/ { exit } sub(/^@ run /, "")' "$out/run.log" |
		tail -n "$1" | "$fuzz" print -
}

# Does what is in this file fail in a new boot?
fails_again()
{
	say "$1, in a new VM"
	! vm replay "$2" replay /programs --times "$TIMES"
}

# The shrinker asks so for each candidate; each takes a boot.
if [ $mode = fails ]; then
	candidate=$(mktemp "$out/candidate.XXXXXX")
	cat > "$candidate"
	status=0
	vm candidate "$candidate" replay /programs --times "$TIMES" || status=$?
	rm -f "$candidate"
	[ $status != 0 ]
	exit
fi

places=0
if [ ! "${FUZZ_TESTVM:-}" ]; then
	build_tools testvm fuzz
	prepare_kernel "$KERNEL" test
	places=$(readelf -rW "$module" |
		awk '/^Relocation section/ { text = /\.rela\.text/ }
			text && /__sanitizer_cov_trace_pc/ { n++ } END { print n + 0 }')
fi
mkdir -p "$out"
with="KERNEL=$KERNEL"
[ "$MUTANT" = none ] || with="$with MUTANT=$MUTANT"

if [ "$program" ]; then
	"$fuzz" print "$program" > "$out/programs.txt" || exit 2
	if fails_again "$program, $TIMES times" "$out/programs.txt"; then
		echo "the kernel's console is in $out/replay.console"
		echo "fuzz: FAIL, $program fails"
		exit 1
	fi
	echo "fuzz: PASS, $program does not fail"
	exit 0
fi

again="make fuzz SECONDS=$seconds SEED=$seed $with"
# What took so long to find is not lost with the next run.
[ ! -e "$out/reproducer.txt" ] || mv "$out/reproducer.txt" "$out/reproducer.old"
rm -f "$out"/*.log "$out"/*.console "$out"/*.txt "$out/summary.json"
say "booting; repeat with the same choices: $again"
failed=0
vm run '' run --seconds "$seconds" --seed "$seed" --places "$places" || failed=1
sed -n 's/^@ json //p' "$out/run.log" > "$out/summary.tmp"
# Whole or not at all: a VM that died has said nothing.
if [ -s "$out/summary.tmp" ]; then
	mv "$out/summary.tmp" "$out/summary.json"
else
	rm "$out/summary.tmp"
fi
# What reached something new, to read or to run again.
awk '/^@ keep/ { print line } { line = $0 }' "$out/run.log" | sed -n 's/^@ run //p' |
	{ "$fuzz" print - 2> /dev/null || :; } > "$out/corpus.txt"
facts=$(grep '^\[' "$out/run.log" | tail -n 1 || :)
if [ $failed = 0 ]; then
	echo "fuzz: PASS, ${facts:-nothing was run}, seed $seed, kernel $KERNEL"
	exit 0
fi

reproducer=$out/reproducer.txt
sed -n 's/^@ shrunk //p' "$out/run.log" > "$out/shrunk.txt"
if [ -s "$out/shrunk.txt" ]; then
	"$fuzz" print "$out/shrunk.txt" > "$reproducer"
	if fails_again "what it was shrunk to" "$reproducer"; then
		result="fails again"
	else
		result="failed again in the first VM, but not in a new one"
	fi
else
	# The VM did not survive, or did not show it twice.
	result="did not fail again"
	for count in 1 $last; do
		ran_last "$count" > "$reproducer"
		fails_again "the last of the programs, at most $count" "$reproducer" ||
			continue
		result="fails again"
		say "shrinking, in at most $tries boots"
		cp "$reproducer" "$out/unshrunk.txt"
		"$fuzz" shrink --tries "$tries" --command "'$0' --out '$out' --fails" \
			"$out/unshrunk.txt" > "$out/shrunk.txt" &&
			cp "$out/shrunk.txt" "$reproducer"
		break
	done
fi
echo
cat "$reproducer"
echo
echo "the kernel's console is in $out/run.console, repeat with: $again"
echo "this $result: make fuzz PROGRAM=$reproducer $with"
found=$(sed -n 's/^@ found //p' "$out/run.log" | head -n 1)
echo "fuzz: FAIL, ${found:-the VM died}, ${facts:-}, seed $seed, kernel $KERNEL"
exit 1
