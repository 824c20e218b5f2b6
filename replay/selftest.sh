#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Does the command that a failure prints repeat it?
# shellcheck disable=SC2317 # those that fail are called by their names
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: selftest.sh DIR
A storm, a program of the fuzzer and a test of a seeded bug fail, each in a VM that repeats
itself, and each prints a command that repeats it, which is run. That of make explore is
tried by explore/selftest.sh. Prints "ok" and "not ok" lines; DIR gets the runs.
END
}

case ${1-} in
--help) usage; exit 0 ;;
'' | -*) usage >&2; exit 2 ;;
esac
mkdir -p "$1"
out=$(cd "$1" && pwd)
kernel=6.1
status=0
export REPEAT=1 KERNEL=$kernel

# The driver ignores invalidations, and the storm notices.
storm()
{
	rm -rf "$out/root"
	make_root "$out/root"
	"$BUILD/testvm/testvm" --quiet --kernel "$kernel" --deterministic --root "$out/root" \
		--module "$module" --append secmmu.mutant=ignore-invalidate \
		--record "$out/storm" -- secmmu-vmm run --seconds 1 --seed 1
}

# A seeded bug that it was written for.
fuzz()
{
	local bug=write-kept-after-fork

	MUTANT=$bug PROGRAM=$top/fuzz/saved/$bug.txt TIMES=3 "$top/fuzz/fuzz.sh" --out "$out/fuzz"
}

# A seeded bug whose patch names a test that cannot notice it.
mutant()
{
	local bug=ignore-invalidate patches=$out/mutants

	mkdir -p "$patches/patches"
	echo "$bug" > "$patches/series"
	sed 's,^Killer: .*,Killer: abi/G2_size_exact,' "$top/mutants/patches/$bug.patch" \
		> "$patches/patches/$bug.patch"
	MUTANTS_PATCHES=$patches MUTANT='' JOBS=1 "$top/mutants/mutants.pl" --quick --few \
		--out "$out/mutant"
}

# repeats WHAT: it fails, and the command that it prints makes the same run again.
repeats()
{
	local what=$1 got=0 command

	"$what" > "$out/$what.said" 2>&1 || got=$?
	command=$(sed -n 's/.*: make replay RUN=\([^ ]*\)$/\1/p' "$out/$what.said" | head -n 1)
	if [ $got = 1 ] && [ "$command" ] &&
	   make -C "$top" replay RUN="$command" > "$out/$what.replayed" 2>&1 &&
	   grep -q '^digest equal: ' "$out/$what.replayed"; then
		echo "ok - replay, $what: $(grep '^digest equal: ' "$out/$what.replayed")"
	else
		tail -n 20 "$out/$what.said"
		[ ! -e "$out/$what.replayed" ] || cat "$out/$what.replayed"
		echo "not ok - replay, $what: status $got, make replay RUN=$command"
		status=1
	fi
}

build_tools testvm vmm selftests fuzz > "$out/build.log"
prepare_kernel "$kernel" test >> "$out/build.log"
rm -f "$out"/*.replayed
for what in storm fuzz mutant; do
	repeats $what
done
exit $status
