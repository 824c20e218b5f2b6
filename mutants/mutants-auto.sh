#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything "make mutants-auto" does: makes mutants of the driver's sources, builds them
# all into one module, and runs tests against each until one kills it.
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"
# shellcheck source=mutants/vm.sh
. "$top/mutants/vm.sh"

usage()
{
	cat <<END
usage: mutants-auto.sh [--list | --build] [--out DIR]
Makes first-order mutants of the driver's core, each a small change at one place, and
runs tests against each: the KUnit suites, then the tests that mutants/auto/programs
names for the file, then all others, until one fails that passes without the mutant.
Leaves report.txt and report.json in DIR, build/mutants-auto by default; they are
written anew after each mutant. Fails if less than 95 % are killed of those that
mutants/auto/equivalent.txt does not name.
--list only prints the mutants, --build only builds them.

A run that was interrupted goes on where it was when it is begun again. Verdicts are kept:
a killed mutant is not run again until the driver changes, a survivor not until the
driver or a test does.

In the environment: FILE, names of files to mutate (driver/record.c is "record.c", and
"record" also stands for its header), all by default; SAMPLE, how many mutants to take,
all by default; SEED, a number that chooses them, 1 by default; KERNEL, newest by default
(kernels without KUnit do without the suites); JOBS, how many VMs to run at a time, 2 by
default; SECMMU_TEST_SLOW, how much slower than usual the machine is.
END
}

out=$BUILD/mutants-auto stop=
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--list | --build) stop=$1 ;;
	--out)
		[ $# -gt 1 ] || { usage >&2; exit 2; }
		out=$2
		shift
		;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
kernel=${KERNEL:-newest}
files=${FILE:-}
sample=${SAMPLE:-0}
seed=${SEED:-1}
jobs=${JOBS:-2}
slow=${SECMMU_TEST_SLOW:-1}
for number in "$sample" "$seed"; do
	case $number in
	*[!0-9]*)
		echo "mutants-auto: SAMPLE and SEED are numbers, not \"$number\"" >&2
		exit 2
		;;
	esac
done
for number in "$jobs" "$slow"; do
	case $number in
	0* | *[!0-9]* | ????*)
		echo "mutants-auto: JOBS and SECMMU_TEST_SLOW are numbers from 1 to 999," \
			"not \"$number\"" >&2
		exit 2
		;;
	esac
done
# How long one run of a program may take.
limit=$((180 * slow))
# More than the driver takes to be loaded and unloaded, and the VM to boot and end.
silence=${MUTANTS_SILENCE:-$((limit + 60 * slow))}
# The test of this script, auto-selftest.sh, has its own of these.
testvm=${MUTANTS_TESTVM:-$BUILD/testvm/testvm}
driver=${MUTANTS_DRIVER:-$top/driver}
auto=$top/mutants/auto
guest=("$limit" auto_mutant)
case $kernel in
6.*) flavour='test' ;;
*) flavour=kunit machine=(--load kunit) ;;
esac

# --- The mutants --------------------------------------------------------------------

need_spatch()
{
	PACKAGES='coccinelle libpython3.11' "$top/check/setup.sh"
}

# Which mutants there can be: mutants.json.
enumerate()
{
	(
		cd "$driver"
		find . -maxdepth 1 -name '*.[ch]' -printf '%P\n' |
			grep -vxE 'main\.c|debugfs\.[ch]|trace\.h|limits\.h' | sort |
			xargs spatch --very-quiet --no-includes --iso-file "$auto/none.iso" \
				--sp-file "$auto/places.cocci" 2> "$out/spatch.log"
	) > "$out/places" || { cat "$out/spatch.log" >&2; return 1; }
	if [ ! -s "$out/places" ]; then
		cat "$out/spatch.log" >&2
		echo "mutants-auto: spatch has found nothing to change" >&2
		return 1
	fi
	perl "$auto/generate.pl" list "$driver" < "$out/places" > "$out/mutants.json"
}

# The sources with all mutants that are not in the file dropped. What has not changed
# keeps its time, so that it is not compiled again.
write_sources()
{
	local new=$out/new file

	rm -rf "$new"
	mkdir -p "$new" "$out/src"
	cp -R "$driver" "$new/driver"
	cp -R "$top/uapi" "$new/uapi"
	find "$new" -type f ! -name '*.[ch]' ! -name '*.def' ! -name Makefile -delete
	perl "$auto/generate.pl" write "$out/mutants.json" "$driver" "$new/driver" \
		"$out/dropped"
	mv "$new/driver/places.map" "$out/"
	cp "$auto/switch.h" "$new/driver/"
	cat "$auto/switch.c" >> "$new/driver/main.c"
	# shellcheck disable=SC2016 # make's
	echo 'ccflags-y += -include $(secmmu-dir)/switch.h' >> "$new/driver/Makefile"
	(cd "$out/src" && find . -type f) | while read -r file; do
		[ -e "$new/$file" ] || rm "$out/src/$file"
	done
	(cd "$new" && find . -type f) | while read -r file; do
		cmp -s "$new/$file" "$out/src/$file" && continue
		mkdir -p "$out/src/${file%/*}"
		cp "$new/$file" "$out/src/$file"
	done
	rm -rf "$new"
}

# One module with all mutants that compile; sets $module. Those of which the compiler
# complains are dropped until it does not.
build_mutants()
{
	local log=$out/modules/$kernel-$flavour/build.log

	: > "$out/dropped"
	while :; do
		write_sources
		if module=$(BUILD=$out "$top/testvm/kernels/module.sh" --from "$out/src" \
				"$kernel" "$flavour" 2> "$out/module.log"); then
			break
		fi
		if ! perl "$auto/generate.pl" suspects "$out/places.map" "$log" |
			grep -vxFf "$out/dropped" > "$out/suspects"; then
			tail -n 40 "$log" >&2
			echo "mutants-auto: the mutants do not build, see $log" >&2
			return 1
		fi
		say "$(wc -l < "$out/suspects") mutants do not compile"
		cat "$out/suspects" >> "$out/dropped"
	done
	# What the compiler has thrown away is not there either.
	objcopy --dump-section "secmmu_auto=$out/ids" "$module" /dev/null
	od -An -v -tu4 -w4 "$out/ids" | tr -d ' ' | sort -un > "$out/compiled"
}

sum()
{
	cat "$@" | sha256sum | cut -c 1-16
}

# What verdicts depend on.
write_state()
{
	echo "$(sum "$driver"/*.[ch] "$driver"/compat/* "$top"/uapi/linux/*)" \
		"$(sum "$top"/selftests/*.[ch] "$driver"/test/*)" "$kernel" > "$out/state"
}

build()
{
	build_tools testvm vmm selftests
	say "kernel $kernel"
	"$top/testvm/kernels/kernel.sh" "$kernel" > /dev/null
	say "building $(grep -c '^"key"' "$out/mutants.json") mutants for $kernel"
	build_mutants
	write_state
	make_root "$out/root"
	make -s -C "$top/selftests" install \
		DESTDIR="$out/root/usr/lib/secmmu/selftests"
	cp "$module" "$out/root/usr/lib/secmmu/"
	{
		[ "$flavour" != kunit ] || echo kunit
		cat "$BUILD/selftests/tests-of-test-build" "$BUILD/selftests/tests"
	} > "$out/programs"
}

# --- The runs -----------------------------------------------------------------------

plan()
{
	cat "$out/todo.$1"
}

# Each VM gets its part of the mutants.
share()
{
	local n

	for ((n = 0; n < jobs; n++)); do
		: > "$out/todo.$n"
	done
	awk -v jobs="$jobs" -v out="$out" '
		{ if (!($1 in at)) at[$1] = n++; line[NR] = $0; mutant[NR] = $1 }
		END {
			for (i = 1; i <= NR; i++)
				print line[i] > (out "/todo." int(at[mutant[i]] * jobs / n))
		}' "$out/plan"
}

# What is known so far, as a report.
report()
{
	local what="kernel $kernel${files:+, $files}"

	[ "$sample" = 0 ] || what+=", a sample of $sample, seed $seed"
	(
		flock 9
		cat "$out"/results.* > "$out/results" 2> /dev/null || : > "$out/results"
		perl "$top/mutants/mutants.pl" verdicts "$out/results" > "$out/verdicts"
		perl "$auto/report.pl" report "$out" "$driver" "$what"
	) 9> "$out/lock"
}

# What the programs are known to come by, from this run and earlier ones with this module.
furnish()
{
	local said program digits

	cat "$out"/results.* | while read -r _ said program digits; do
		[ "$said" != reached ] || echo "$digits" > "$out/reached/$program"
	done
	cp -R "$out/reached" "$2/"
}

forget_reached()
{
	local now

	now=$(sum "${module:-/dev/null}" "$out/programs")
	if [ ! -e "$out/reached/.of" ] || [ "$(cat "$out/reached/.of")" != "$now" ]; then
		rm -rf "$out/reached"
		mkdir "$out/reached"
		echo "$now" > "$out/reached/.of"
	fi
}

# One line for each mutant.
tell()
{
	local id=$1 what=$2

	echo "$id" >> "$out/ended"
	printf '[%d of %d, %d s] %s %s\n' "$(wc -l < "$out/ended")" "$total" \
		$((SECONDS - started)) "$(perl "$auto/report.pl" name "$out" "$id")" "$what"
}

begun()
{
	local took

	quiet=''
	[ "$2" != none ] || return 0
	# Hundredths of a second without a mutant, in this boot or an earlier one.
	took=$(awk -v program="$3" '
		$2 == "end" && $3 == "none" && $4 == program && $5 == "*" { took = $7 }
		END { print took + 0 }' "$out/results.$1")
	[ "$took" = 0 ] || quiet=$((4 * took / 100 + 60 * slow))
	[ "${quiet:-$silence}" -le "$silence" ] || quiet=$silence
	[ "$2" != "${last_begun:-}" ] || return 0
	last_begun=$2
	report > /dev/null || :
}

over()
{
	[ "$2" = none ] || tell "$2" "killed by ${3/ \*/}"
}

progress()
{
	local name=$1 verdict=$4

	case $verdict in
	passed | skipped | absent) ;;
	*) return 0 ;;
	esac
	[ "$name" = none ] || grep -q "^$name " "$out"/todo.? || tell "$name" survived
}

# Unless it keeps failing before anything else is done.
once_more()
{
	local left

	left=$(wc -l < "$out/todo.$1")
	[ "$left" = "${left_before:-}" ] || tries=0
	left_before=$left
	tries=$((tries + 1))
	[ $tries -lt $patience ] || {
		echo "mutants-auto: VM $1 gives up: what fails has no mutant, see" \
			"$out/log.$1" >&2
		return 1
	}
}

# --- All together -------------------------------------------------------------------

started=$SECONDS
mkdir -p "$out"
out=$(cd "$out" && pwd)
exec 8> "$out/running"
flock -n 8 || { echo "mutants-auto: another run is under way in $out" >&2; exit 1; }
rm -rf "$out"/{root,picked,plan,report,ended,results,verdicts}* \
	"$out"/{todo,results,log,console,testvm,vm}.*
touch "$out/known"
need_spatch
enumerate
if [ "$stop" = --list ]; then
	perl "$auto/report.pl" list "$out"
	exit
fi
if [ "${MUTANTS_TESTVM:-}" ]; then
	grep -o '^"id":[0-9]*' "$out/mutants.json" | cut -d : -f 2 > "$out/compiled"
	echo "driver ${MUTANTS_STATE:-tests} $kernel" > "$out/state"
	cp "$MUTANTS_PROGRAMS" "$out/programs"
else
	build
	[ "$stop" != --build ] || exit 0
fi
forget_reached
perl "$auto/report.pl" pick "$out" "$files" "$sample" "$seed" > "$out/plan"
: > "$out/ended"
share
total=$(cut -d ' ' -f 1 "$out/plan" | sort -u | wc -l)
say "$(wc -l < "$out/picked") mutants, $total to be run, $jobs VMs at a time"
failed=0 tries=0
work_on_all
say "took $((SECONDS - started)) s; what was said is in $out/log.*"
report || failed=1
exit $failed
