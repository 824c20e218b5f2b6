#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2317 # try calls them
set -u
# shellcheck source=check/common.sh
. "$(dirname "$0")/common.sh"

usage()
{
	cat <<END
usage: refusals.sh
Tries what a user gets wrong first: a checkout in a path with blanks, names, numbers and
options that are not there, two runs at a time. Each must be refused with status 2 and a
sentence, before anything is built. Prints TAP.
END
}

take_no_arguments "$@"
scratch=$(mktemp -d)
# What is refused must leave no file in the one, so the other lies beside it.
log=$scratch.log
trap 'rm -rf "$scratch" "$log"' EXIT
failed=0
suite=refusals
# make check has settings of its own, for what it starts; nothing is to be built here.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES STEPS JOBS KERNEL MUTANT SEED ARCH
export BUILD=$scratch/build SECMMU_CACHE=$scratch/cache

# What is said has $1, the status is 2, and no file has come; then the command.
refused()
{
	local says=$1 status=0 before said
	shift
	before=$(find "$scratch")
	said=$(timeout 100 "$@" 2>&1) || status=$?
	echo "$*: status $status: $said"
	[ "$status" = 2 ] && grep -qF -e "$says" <<< "$said" && [ "$(find "$scratch")" = "$before" ]
}

blanks()
{
	local part

	mkdir -p "$scratch/a b"
	tar -C "$top" -cf - --exclude=./build --exclude-vcs . | tar -C "$scratch/a b" -xf -
	refused blanks make -C "$scratch/a b" run || return
	for part in vmm testvm selftests fuzz bench explore judge found packaging; do
		refused blanks make -C "$scratch/a b/$part" || return
	done
	for part in check/run.sh check/check.sh check/soak.sh check/storms.sh fuzz/fuzz.sh bench/bench.sh \
		judge/judge.sh found/found.sh explore/explore.sh models/models.sh; do
		refused blanks env -u BUILD "$scratch/a b/$part" || return
	done
	rm -rf "$scratch/a b"
}

no_headers()
{
	refused "apt install linux-headers-" make -C "$top" modules KDIR="$scratch/none"
}

names()
{
	refused '"nonsense"' env STEPS=nonsense "$top/check/check.sh" &&
		refused 'only make check-all' env STEPS=kunit-debug "$top/check/check.sh" &&
		refused '"5.4"; there are: 6.1' env KERNEL=5.4 "$top/check/run.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/check/soak.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/check/storms.sh" &&
		refused 'a storm takes a day' env STORM_SECONDS=99999 "$top/check/storms.sh" &&
		refused 'for a storm of all' env ARGS=--aim "$top/check/storms.sh" --alone &&
		refused 'for one after the other' env OPERATION=fork "$top/check/storms.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/fuzz/fuzz.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/bench/bench.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/judge/judge.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/found/found.sh" &&
		refused '"5.4"' env KERNEL=5.4 "$top/explore/explore.sh" A9_write &&
		refused '"5.4"' env KERNEL=5.4 "$top/mutants/mutants.pl" &&
		refused '"kcsan"; there are: 6.1' env KERNEL=kcsan "$top/check/arm64.sh" &&
		refused 'ARCH is x86_64, or arm64 for' make -s -C "$top" ARCH=vax tools &&
		refused 'ARCH is x86_64, or arm64 for' make -s -C "$top" ARCH=arm64 bench &&
		refused '"vax"' env ARCH=vax "$top/judge/judge.sh" &&
		refused '"vax"' env ARCH=vax "$top/mutants/mutants.pl" &&
		refused 'for x86_64 only' env ARCH=arm64 "$top/mutants/mutants.pl" --power &&
		refused '"no-bug"' env MUTANT=no-bug "$top/fuzz/fuzz.sh" &&
		refused '"no-bug"' "$top/explore/explore.sh" --mutant no-bug A9_write &&
		refused '"no-bug"' env MUTANT=no-bug "$top/mutants/mutants.pl" &&
		refused '"pace"; there are: batching' "$top/bench/bench.sh" zap pace &&
		refused 'iotlb is measured by itself' "$top/bench/bench.sh" zap iotlb &&
		refused '"xen"' env SUBJECT=xen "$top/judge/judge.sh" &&
		refused '"no-bug"' env BUG=no-bug "$top/found/found.sh" &&
		refused '"no-such-*"; there are: read' env CHECK='discard no-such-*' "$top/judge/judge.sh" &&
		refused '"none.c:3"' env FILE="record none.c:3" "$top/mutants/mutants.pl" --auto &&
		refused '"none"; there are: abandon' env TESTS=none "$top/check/arm64.sh" &&
		refused 'no setting "SECOND"' make -s -C "$top" run SECOND=3 &&
		refused '"A0_none"' "$top/explore/explore.sh" A0_none &&
		refused '"no-file"' env PROGRAM=no-file "$top/fuzz/fuzz.sh"
}

numbers()
{
	refused 'SECONDS is a number, not "1m"' make -s -C "$top" run SECONDS=1m &&
		refused 'SEED is a number' env SEED=-1 "$top/check/run.sh" &&
		refused 'CYCLES is a number' env CYCLES=1e3 "$top/check/soak.sh" &&
		refused 'SECONDS is a number' make -s -C "$top" soak SECONDS=1m &&
		refused 'SECONDS is a number' make -s -C "$top" fuzz SECONDS=1m &&
		refused 'TRIES is a number' env TRIES=few "$top/fuzz/fuzz.sh" &&
		refused 'STORM is a number' env STORM=yes "$top/judge/judge.sh" &&
		refused 'JOBS is a number' env JOBS=many "$top/check/check.sh" &&
		refused 'JOBS' env JOBS=many "$top/mutants/mutants.pl"
}

# All that people start; those in guest/ and guest.sh run in the VM, others are sourced.
scripts()
{
	(cd "$top" && find . \( -path ./build -o -path ./.git -o -path ./packaging/debian \
		-o -name guest \) -prune -o \( -name '*.sh' -o -name '*.pl' \) ! -name guest.sh \
		-type f -print) | while read -r script; do
		head -n 1 "$top/$script" | grep -q '^#!' && [ -x "$top/$script" ] &&
			[ "$script" != ./check/common.sh ] && echo "$script"
	done
}

help_everywhere()
{
	local script number=0

	for script in $(scripts); do
		"$top/$script" --help < /dev/null | grep -i usage > /dev/null ||
			{ echo "$script has no --help"; return 1; }
		refused '' "$top/$script" --no-such-option || return
		number=$((number + 1))
	done
	[ "$number" -gt 25 ]
}

two_runs()
{
	local status=0

	mkdir "$scratch/build"
	(
		flock 7
		flock 6
		refused 'another run uses' "$top/check/run.sh" &&
			refused 'another run uses' "$top/judge/judge.sh" --out "$scratch/build/run" &&
			refused 'another run uses' "$top/packaging/deb.sh"
	) 7> "$scratch/build/run.lock" 6> "$scratch/build/deb.lock" || status=1
	rm -r "$scratch/build"
	return "$status"
}

try "a checkout path with blanks" blanks
try "make modules without headers names the package" no_headers
try "names of steps, kernels, bugs, questions, subjects, scenarios" names
try "what is no number" numbers
try "every script has --help, and refuses other options" help_everywhere
try "a second run in the same folder" two_runs
exit $failed
