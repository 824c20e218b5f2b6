#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of mutants-auto.sh: which mutants are made of a small file, that each compiles
# and does what it says, and what is made of tests, kernels and VMs that behave well or
# badly. The test VM is played by this script itself, so this takes seconds.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
failed=0

# --- The VM: $FAKE says what happens ------------------------------------------------

# Lines "KEY PROGRAM BEHAVIOUR", where the key is some of that of the mutant; what is
# not there passes. The mutant "none" is the baseline.
behaviour()
{
	local key program what

	while IFS=, read -r key program what; do
		[ "$program" = "$2" ] || continue
		[[ "$1" == *"$key"* ]] || continue
		echo "$what"
		return
	done < "$FAKE"
	echo pass
}

end_of()
{
	echo "@ $1 $2 $3 one"
	echo "@ end $2 $3 * ${1/%/ed} 10"
}

fake_run()
{
	local id=$1 program=$2 key=none

	[ "$id" = none ] || key=$(perl "$here/auto/report.pl" name "$FAKE_OUT" "$id")
	echo "@ begin $id $program *"
	case $(behaviour "$key" "$program") in
	pass) end_of pass "$id" "$program" ;;
	fail)
		end_of fail "$id" "$program"
		return 1
		;;
	die)
		echo "testvm: kernel: [    1.0] Oops: 1" >&2
		exit 125
		;;
	hang) exec sleep 1000 ;;
	esac
}

# What guest.sh does when it is told to stop at the first kill.
fake_plan()
{
	local id program rest killed='' proven=''

	set -f
	while read -r id program rest; do
		[ "$id" != "$killed" ] || continue
		[[ "$proven" = *" $program "* ]] || fake_run none "$program" || :
		proven+=" $program "
		fake_run "$id" "$program" && continue
		killed=$id
		echo "@ killed $id"
		fake_run none "$program" || :
	done < "$1"
	echo "@ done"
}

if [ "${FAKE:-}" ] && [ "${1:-}" = --quiet ]; then
	echo "$*" | grep -q 'mutants.sh [0-9]* auto_mutant$' || exit 1
	while [ "$1" != -- ]; do
		[ "$1" != --root ] || plan=$2/plan
		shift
	done
	fake_plan "$plan"
	exit 0
fi

# --- The tests ----------------------------------------------------------------------

say()
{
	if [ "${2-}" ]; then
		echo "ok - mutants-auto, $1"
	else
		echo "not ok - mutants-auto, $1"
		failed=1
	fi
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/driver" "$dir/copy"
export MUTANTS_DRIVER=$dir/driver BUILD=$dir JOBS=1
cat > "$dir/driver/small.c" <<'END'
#include "stubs.h"

static int limit = 1 + 1;

/* A sum that an instrument watches. */
int small(struct box *box, int first, int last)
{
	int sum = 0;

	secmmu_gate(SMALL, first);
	spin_lock(&box->lock);
	if (first >= last || box->closed)
		goto unlock;
	for (; first < last; first++)
		sum += min(first, limit);
	smp_mb();
	flush(box, last);
unlock:
	spin_unlock(&box->lock);
	return sum - 1;
}
END
cat > "$dir/driver/stubs.h" <<'END'
#ifdef __CHECKER__
int none(int x);
#endif
struct box { int lock, closed, flushed; };
#define secmmu_gate(name, x) do { } while (0)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define smp_mb() __sync_synchronize()
static inline void spin_lock(int *lock) { ++*lock; }
static inline void spin_unlock(int *lock) { --*lock; }
static inline void flush(struct box *box, int last) { box->flushed = last; }
END
cat > "$dir/wanted" <<'END'
small.c:11: small.c small unlock: spin_lock(&box->lock)
small.c:12: small.c small compare: first >= last
small.c:12: small.c small logic: first >= last || box->closed
small.c:12: small.c small negate: first >= last || box->closed
small.c:13: small.c small drop: goto unlock;
small.c:14: small.c small compare: first < last
small.c:15: small.c small bound: first in min(first, limit)
small.c:15: small.c small drop: sum += min(first, limit);
small.c:15: small.c small minmax: min(first, limit)
small.c:16: small.c small barrier: smp_mb();
small.c:17: small.c small bound: last in flush(box, last)
small.c:17: small.c small flush: flush(box, last);
small.c:20: small.c small bound: sum - 1
END

"$here/mutants-auto.sh" --list --out "$dir/out" | grep -v '^stubs' | sort -V > "$dir/list"
sort -V "$dir/wanted" | diff - "$dir/list" | sed 's/^/# /' && good=1 || good=
say "the mutants of a small file" "$good"

# What the copy computes with each of them on, beside what the mutant says.
generate=$here/auto/generate.pl
perl "$generate" write "$dir/out/mutants.json" "$dir/driver" "$dir/copy"
cat > "$dir/copy/main.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
int secmmu_auto_on;
#define secmmu_auto(n) (secmmu_auto_on == (n))
#include "small.c"
int main(int argc, char **argv)
{
	struct box box = { 0 };
	int sum;

	secmmu_auto_on = atoi(argv[1]);
	sum = small(&box, 1, 4);
	printf("%d %d %d\n", sum, box.lock, box.flushed);
}
END
[ -e "$dir/copy/stubs.h" ] || cp "$dir/driver/stubs.h" "$dir/copy/"
cc -o "$dir/small" "$dir/copy/main.c" 2> "$dir/cc.log" && good=1 || good=
say "the copy compiles" "$good"
id_of()
{
	perl "$here/auto/report.pl" list "$dir/out" | grep -n -F "$1" | head -n 1 | cut -d : -f 1
}
good=1
while IFS=, read -r key want; do
	id=$(id_of "small $key" || :)
	got=$("$dir/small" "${id:-0}")
	[ "$got" = "$want" ] || { echo "# $key: $got, not $want"; good=; }
done <<'END'
none,4 0 4
negate,-1 0 0
drop: sum,-1 0 4
minmax,6 0 4
flush,4 0 0
bound: sum - 1,5 0 4
bound: last in flush,4 0 3
END
say "each changes what it says" "$good"

# One that the compiler does not take is found by its error.
sed -i 's/(secmmu_auto([0-9]*) ? (max(first, limit))/(secmmu_auto(0) ? (wrong(first, limit).x)/' \
	"$dir/copy/small.c"
cc -fdiagnostics-column-unit=byte -Werror=implicit-function-declaration -c -o /dev/null \
	"$dir/copy/main.c" 2> "$dir/cc.log" || :
[ "$(perl "$generate" suspects "$dir/copy/places.map" "$dir/cc.log")" = "$(id_of minmax)" ] &&
	good=1 || good=
say "what does not compile is found" "$good"

printf 'alpha\nbeta\n' > "$dir/programs"
cat > "$dir/equivalent" <<'END'
# Judged.
small.c small barrier: smp_mb();
	Nobody looks without
	the lock.
END
export MUTANTS_TESTVM=$here/auto-selftest.sh MUTANTS_PROGRAMS=$dir/programs \
	MUTANTS_EQUIVALENT=$dir/equivalent MUTANTS_SILENCE=3 FAKE=$dir/fake FAKE_OUT=$dir/out

# Runs it in a world that is described on stdin; wants a status, and lines.
try()
{
	local name=$1 want=$2 line status=0 good=1
	shift 2

	cat > "$FAKE"
	FILE=${files-small.c} "$here/mutants-auto.sh" --out "$dir/out" > "$dir/said" 2>&1 ||
		status=$?
	[ $status = "$want" ] || { echo "# status $status, not $want"; good=; }
	for line; do
		grep -qxE -- "$line" "$dir/said" ||
			{ echo "# no line \"$line\""; good=; }
	done
	[ "$good" ] || sed 's/^/#   /' "$dir/said"
	say "$name" "$good"
}

try "a survivor, and a new boot after a crash" 1 \
	'.* small.c:14 compare killed by alpha \(died\)' \
	'.* small.c:15 minmax survived' 'small.c small minmax: min\(first, limit\)' \
	'    \+		sum \+= max\(first, limit\);' \
	'	Nobody looks without the lock.' \
	'mutants-auto: 11 of 13 killed, 1 survived, 1 equivalent, 0 without a verdict: .*' <<'END'
14 compare,alpha,die
15 minmax,alpha,pass
15 minmax,beta,pass
small.c:,alpha,fail
END
try "verdicts are kept" 1 '== 13 mutants, 0 to be run, 1 VMs at a time' \
	'mutants-auto: 11 of 13 killed, 1 survived, .*' <<< ''
MUTANTS_STATE='more' try "a survivor is run again when a test has changed" 0 \
	'== 13 mutants, 1 to be run, 1 VMs at a time' \
	'.* small.c:15 minmax killed by beta' 'mutants-auto: 12 of 13 killed, .*: 100.0 .*' \
	<<< 'minmax,beta,fail'
perl -MJSON::PP -0777 -e '
	my $r = decode_json(<STDIN>);
	my %by = map { $_->{operator} => $_ } @{$r->{mutants}};
	exit !(@{$r->{mutants}} == 13 && $r->{rate} == 100 && $r->{kernel} eq "newest" &&
	       $by{minmax}{verdict} eq "killed" && $by{minmax}{by} eq "beta/one" &&
	       $by{barrier}{verdict} eq "equivalent")' < "$dir/out/report.json" &&
	good=1 || good=
say "the report for programs" "$good"
rm "$dir/out/known"
SAMPLE=4 try "a sample" 0 '== 4 mutants, . to be run, 1 VMs at a time' <<'END'
small.c:,alpha,fail
END
rm "$dir/out/known"
SAMPLE=2 SEED=3 try "a kill proves nothing if the test fails anyhow" 1 \
	'mutants-auto: 0 of 2 killed, 2 survived, .*' <<'END'
none,alpha,fail
small.c:,alpha,fail
END
rm "$dir/out/known"
SAMPLE=1 try "one that hangs" 0 '.* killed by alpha \(hang\)' <<'END'
small.c:,alpha,hang
END
files=other try "an unknown file" 255 'report.pl: no mutant is in "other"' <<< ''
exit $failed
