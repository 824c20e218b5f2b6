#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests of mutants.sh: what it makes of tests, kernels and VMs that behave well or
# badly. The test VM is played by this script itself, so this takes seconds.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
failed=0

# --- The VM: $FAKE says what happens in which run ----------------------------------

# Lines "MUTANT PROGRAM BEHAVIOUR"; what is not there is a kill, or without a mutant
# a pass. A behaviour with a count happens so often, counted over all boots.
behaviour()
{
	local mutant program what count

	while read -r mutant program what count; do
		[ "$mutant $program" = "$1 $2" ] || continue
		if [ "$count" ]; then
			echo >> "$FAKE.$1.$2"
			[ "$(wc -l < "$FAKE.$1.$2")" -le "$count" ] || continue
		fi
		echo "$what"
		return
	done < "$FAKE"
	[ "$1" = none ] && echo pass || echo fail
}

fake_run()
{
	local mutant=$1 program=$2 parts=$3 run="$1 $2 $3" what test

	case $parts$program in
	'*alpha') parts=A1_x,A2_x ;;
	'*beta') parts=B1_x ;;
	esac
	what=$(behaviour "$mutant" "$program")
	echo "@ begin $run"
	case $what in
	pass | fail)
		for test in ${parts//,/ }; do
			echo "@ $what $mutant $program ${test}_long"
		done
		[ "$what" = pass ] && echo "@ end $run passed 10" ||
			echo "@ end $run failed 20 words"
		;;
	absent) echo "@ end $run absent 0 no such test" ;;
	skip) echo "@ end $run skipped 0" ;;
	splat)
		echo "@ end $run splat 30 WARNING: at line 1"
		echo "@ unusable the kernel complained"
		exit 125
		;;
	die)
		echo "testvm: kernel: [    1.0] Oops: 1" >&2
		exit 125
		;;
	qemu)
		echo "testvm: the kernel met a breakpoint that QEMU's" >&2
		exit 125
		;;
	ended) exit 125 ;;
	hang) exec sleep 1000 ;;
	frozen)
		trap 'kill $!; exit 123' USR1
		sleep 1000 &
		wait $!
		;;
	esac
}

if [ "${FAKE:-}" ]; then
	set -f
	while [ "$1" != -- ]; do
		[ "$1" != --root ] || plan=$2/plan
		shift
	done
	[ "$(behaviour boot boot)" != die ] || exit 125
	while read -r line; do
		# shellcheck disable=SC2086 # its words
		fake_run $line
	done < "$plan"
	echo "@ done"
	[ "$(behaviour end end)" != die ] || exit 125
	exit 0
fi

# --- The tests ---------------------------------------------------------------------

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# A patch of a mutant: name, property, killer, precedent.
patch_of()
{
	cat > "$dir/patches/patches/$1.patch" <<END
Mutant: $1
Property: $2
Killer: $3
Precedent: $4
Function: f

--- a/driver/all.c
+++ b/driver/all.c
@@ -1 +1,3 @@
+	if (secmmu_mutant(${1^^}))
+		return;
 }
END
}

mkdir -p "$dir/patches/patches" "$dir/models"
patch_of one A1 alpha/A1_x first
patch_of two A2 alpha/A2_x "second, which a & b know"
patch_of three B1 beta/B1_x third
printf '# All\none\ntwo\nthree\n' > "$dir/patches/series"
echo '[{"model":"m","what":"TWO","ok":true},{"model":"n","what":"ONE","ok":false}]' \
	> "$dir/models/models.json"
printf 'alpha\nbeta\n' > "$dir/programs"

# Runs it in a world that is described on stdin; wants a status, and lines.
try()
{
	local name=$1 want=$2 line status=0 good=1
	shift 2

	rm -f "$dir"/fake*
	cat > "$dir/fake"
	# shellcheck disable=SC2086 # an option or none
	FAKE=$dir/fake MUTANTS_TESTVM=$here/selftest.sh \
		MUTANTS_PATCHES=$dir/patches MUTANTS_PROGRAMS=$dir/programs \
		MUTANTS_SILENCE=2 BUILD=$dir KERNEL=6.1 JOBS=${JOBS:-1} \
		"$here/mutants.sh" --out "$dir/out" $form \
		> "$dir/said" 2>&1 || status=$?
	[ $status = "$want" ] || { echo "# status $status, not $want"; good=; }
	for line; do
		grep -qxE -- "$line" "$dir/said" ||
			{ echo "# no line \"$line\""; good=; }
	done
	if [ "$good" ]; then
		echo "ok - mutants, $name"
	else
		sed 's/^/#   /' "$dir/said"
		echo "not ok - mutants, $name"
		failed=1
	fi
}

# The control of mutants.sh has its mutant in the real list only.
export MUTANTS_CONTROL="one gamma/G_x"
form=--quick
kill='ok - mutant one: killed by alpha/A1_x_long in 0.2 s'
pass='one gamma pass'

try "all killed" 0 "$kill" 'ok - mutant three: .*' 'mutants: 3 of 3 killed' \
	'ok - mutants: a test that sees nothing is no killer' <<< "$pass"
if ! perl -MJSON::PP -0777 -e '
	my $m = decode_json(<STDIN>);
	exit !($m->{total} == 3 && !@{$m->{survivors}} && $m->{kernel} eq "6.1" &&
	       $m->{mutants}[1]{killed_by}[0] eq "alpha/A2_x_long" &&
	       $m->{mutants}[1]{killed_by}[1] eq "model:m" &&
	       @{$m->{mutants}[0]{killed_by}} == 1 && $m->{mutants}[1]{deterministic} && $m->{mutants}[1]{seconds} == 0.2)' \
	< "$dir/out/matrix.json" || ! grep -q 'a &amp; b' "$dir/out/matrix.html"; then
	echo "not ok - mutants, files"
	failed=1
fi
JOBS=2 try "two VMs" 0 "$kill" 'mutants: 3 of 3 killed' <<< "$pass"
try "a survivor" 1 "$kill" 'not ok - mutant two: survived alpha/A2_x' <<END
$pass
two alpha pass
END
try "a test that is not there" 1 \
	'not ok - mutant two: survived, for alpha/A2_x is absent: no such test' <<END
$pass
two alpha absent
END
try "a test that was skipped" 1 'not ok - mutant two: .* is skipped' <<END
$pass
two alpha skip
END
try "a test that fails without a mutant" 1 'not ok - mutant one: no proof: .*' \
	'not ok - without a mutant: .*' 'ok - mutant three: .*' <<END
$pass
none alpha fail
END
try "... before only" 1 'not ok - without a mutant: .*' <<END
$pass
none alpha fail 1
END
try "... and kills the kernel" 1 'not ok - without a mutant: .*' \
	'not ok - mutant three: was not run' <<END
$pass
none alpha die
END
try "the kernel dies of a mutant" 0 "$kill" 'ok - mutant three: .*' \
	'ok - mutant two: killed by alpha/A2_x \(the kernel died\) in [01].0 s' <<END
$pass
two alpha die
END
try "it warns" 0 'ok - mutant two: killed by alpha/A2_x \(splat\) in 0.3 s' \
	'ok - mutant three: .*' <<END
$pass
two alpha splat
END
try "it hangs" 0 'ok - mutant two: killed by alpha/A2_x \(hang\) in [23].0 s' \
	'ok - mutant three: .*' <<END
$pass
two alpha hang
END
try "it complains when all is over" 1 'not ok - without a mutant: .*' <<END
$pass
end end die
END
try "QEMU errs" 0 'ok - mutant two: killed by alpha/A2_x_long in 0.2 s' <<END
$pass
two alpha qemu 1
END
try "QEMU stands still" 0 'ok - mutant two: killed by alpha/A2_x_long in 0.2 s' <<END
$pass
two alpha frozen 1
END
try "QEMU is killed" 0 'ok - mutant two: killed by alpha/A2_x_long in 0.2 s' <<END
$pass
two alpha ended 1
END
try "the VM boots late" 0 'mutants: 3 of 3 killed' <<END
$pass
boot boot die 2
END
try "the VM does not boot" 1 'mutants: the test VM does not boot' \
	'not ok - mutant one: was not run' <<END
boot boot die
END
MUTANT=two try "one of them" 0 'ok - mutant two: .*' 'mutants: 1 of 1 killed' <<< "$pass"
MUTANT=two,six try "an unknown one" 2 'mutants: there is no mutant "six"' <<< "$pass"
sed -i s/TWO/THREE/ "$dir/patches/patches/two.patch"
try "not seeded" 255 'catalogue.pl: two.patch: no secmmu_mutant.TWO. in it' <<< "$pass"
patch_of two A2 alpha/A2_x "second, which a & b know"
mv "$dir/patches/patches/three.patch" "$dir/patches/patches/four.patch"
try "not in the series" 2 'catalogue.pl: series: there is no three.patch' <<< "$pass"
mv "$dir/patches/patches/four.patch" "$dir/patches/patches/three.patch"
form=''
try "full form" 0 'ok - mutant one: killed by alpha/A1_x_long in 0.2 s' <<< ''
try "only the storm" 1 \
	'not ok - mutant two: survived alpha/A2_x; only a random storm noticed' <<END
two alpha pass
two beta pass
END
try "another test" 0 \
	'ok - mutant two: killed by beta/B1_x_long, but not by its killer alpha/A2_x' <<END
two alpha pass
END
try "not each time" 0 \
	'ok - mutant two: killed by .* in 0.2 s, but only in 2 of 3 runs' <<END
two alpha pass 1
END
exit $failed
