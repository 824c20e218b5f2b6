#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything "make mutants" does: each seeded bug of a test build must be noticed by a
# test. Boots as many test VMs as it takes, and goes on when a bug kills one of them.
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"
# shellcheck source=mutants/vm.sh
. "$top/mutants/vm.sh"

usage()
{
	cat <<END
usage: mutants.sh [--quick [--few]] [--out DIR]
Runs the tests against each seeded bug (mutant) of mutants/series: the test that its
patch names, three times, then all tests of test builds, then a short storm.
--quick runs the named tests only, once; --few takes the first mutant of each property
only. Ends with one "ok" or "not ok" line for each mutant, and leaves matrix.txt,
matrix.html and matrix.json in DIR, build/mutants by default. Fails if a mutant survives,
or if only a random storm notices it.

In the environment: MUTANT, the names of those to run alone; KERNEL, 6.1 by
default; JOBS, how many VMs to run at a time; SECMMU_TEST_SLOW, how much slower than
usual the machine is.
END
}

quick='' few='' out=$BUILD/mutants
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--quick) quick=1 ;;
	--few) few=1 ;;
	--out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		out=$2
		shift
		;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
kernel=${KERNEL:-6.1}
only=${MUTANT:-}
jobs=${JOBS:-2}
slow=${SECMMU_TEST_SLOW:-1}
for number in "$jobs" "$slow"; do
	case $number in
	0* | *[!0-9]* | ????*)
		echo "mutants: JOBS and SECMMU_TEST_SLOW are numbers from 1 to 999," \
			"not \"$number\"" >&2
		exit 2
		;;
	esac
done
# How long one run of a program may take, and how often the named test is run.
if [ "$quick" ]; then
	limit=$((120 * slow)) repeats=1
else
	limit=$((90 * slow)) repeats=3
fi
# More than the driver takes to be loaded and unloaded, and the VM to boot and end.
silence=${MUTANTS_SILENCE:-$((limit + 60 * slow))}
# The test of this script, selftest.sh, has its own of these.
testvm=${MUTANTS_TESTVM:-$BUILD/testvm/testvm}
patches=${MUTANTS_PATCHES:-$top/mutants}
programs=${MUTANTS_PROGRAMS:-$BUILD/selftests/tests-of-test-build}
# In the quick form: a mutant, and a test that has nothing to do with it.
control=${MUTANTS_CONTROL:-ignore-invalidate abi/G2_size_exact}
guest=("$limit")

# --- What is to be run ------------------------------------------------------------

# Name, property, killer, precedent, identifier, functions.
list_mutants()
{
	perl "$top/mutants/catalogue.pl" list "$patches" |
		awk -F '\t' -v only="$only" -v few="$few" '
			BEGIN {
				n = split(only, names, "[ ,]+")
				for (i = 1; i <= n; i++)
					wanted[names[i]] = 1
			}
			few && seen[$2]++ { next }
			!n || $1 in wanted { print; delete wanted[$1] }
			END {
				for (name in wanted)
					if (name != "") {
						print "mutants: there is no mutant \"" \
							name "\"" > "/dev/stderr"
						exit 2
					}
			}'
}

# All runs of a mutant: itself, program, parts.
runs_of()
{
	local name=$1 killer=$2 program i

	for ((i = 0; i < repeats; i++)); do
		echo "$name ${killer%%/*} ${killer#*/}"
	done
	[ ! "$quick" ] || return 0
	while read -r program; do
		echo "$name $program *"
	done < "$programs"
	echo "$name storm 5"
}

# Without a mutant everything that is used in runs $1 must pass.
baseline()
{
	awk '
		$2 == "storm" { next }
		!seen[$2 " " $3]++ {
			if (!($2 in parts))
				order[++n] = $2
			if ($3 == "*")
				whole[$2] = 1
			parts[$2] = parts[$2] (parts[$2] == "" ? "" : ",") $3
		}
		END {
			for (i = 1; i <= n; i++)
				print "none", order[i], \
					whole[order[i]] ? "*" : parts[order[i]]
		}' "$1"
}

# Each VM gets its part of the runs: those of one program together, for then fewer are
# needed without a mutant. Last those of which the kernel is likely to die.
share()
{
	local name killer i=0 all

	all=$(wc -l < "$out/list")
	while IFS=$'\t' read -r _ name _ killer _; do
		runs_of "$name" "$killer" >> "$out/todo.$((i * jobs / all))"
		i=$((i + 1))
	done < <(awk -F '\t' '{ print ($3 ~ /^unload\//) $3 "\t" $0 }' "$out/list" |
		sort -s -t "$(printf '\t')" -k 1,1)
}

# The state that every mutant is compared with, before and after.
plan()
{
	baseline "$out/todo.$1"
	cat "$out/todo.$1"
	baseline "$out/todo.$1"
}

# --- Afterwards -------------------------------------------------------------------

# A killer that cannot see its mutant must be told from one that can.
judge_control()
{
	local dir=$out/control

	mkdir -p "$dir"
	awk -F '\t' -v OFS='\t' -v control="$control" '
		BEGIN { split(control, word, " ") }
		$1 == word[1] { $3 = word[2]; print }' "$out/list" > "$dir/list"
	awk -v control="$control" '
		BEGIN { split(control, word, "[ /]") }
		$3 != word[1] || $4 == word[2]' "$out/results" > "$dir/results"
	if perl "$top/mutants/mutants.pl" report "$dir/list" "$dir/results" "$kernel" \
		"$dir" "$BUILD/models/models.json" > "$dir/log" ||
		! grep -q '^not ok - mutant .*: survived' "$dir/log"; then
		cat "$dir/log"
		echo "not ok - mutants: a test that sees nothing counts as a killer"
		return 1
	fi
	echo "ok - mutants: a test that sees nothing is no killer"
}

build()
{
	build_tools testvm vmm selftests
	say "kernel $kernel"
	"$top/testvm/kernels/kernel.sh" "$kernel" > /dev/null
	say "building the driver for $kernel"
	module=$("$top/testvm/kernels/module.sh" "$kernel" test)
	make_root "$out/root"
	make -s -C "$top/selftests" install \
		DESTDIR="$out/root/usr/lib/secmmu/selftests"
	cp "$module" "$out/root/usr/lib/secmmu/"
}

# --- All together -----------------------------------------------------------------

started=$SECONDS
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -rf "$out"/{root,control,list,results,matrix}* "$out"/{todo,results,log,console,testvm,vm}.*
list_mutants > "$out/list"
[ "${MUTANTS_TESTVM:-}" ] || build

share
if [ "$quick" ] && [ ! "$only" ]; then
	echo "$control" | tr / ' ' >> "$out/todo.0"
fi
total=$(cat "$out"/todo.* | wc -l)
say "$(wc -l < "$out/list") mutants, $total runs, $jobs VMs at a time"
failed=0
work_on_all

say "took $((SECONDS - started)) s; what was said, and after how many seconds, is in $out/log.*"
cat "$out"/results.* > "$out/results"
perl "$top/mutants/mutants.pl" report "$out/list" "$out/results" "$kernel" "$out" \
	"$BUILD/models/models.json" || failed=1
if [ "$quick" ] && [ ! "$only" ]; then
	judge_control || failed=1
fi
exit $failed
