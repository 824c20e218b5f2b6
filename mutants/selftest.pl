#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# Tests of mutants.pl: what it makes of tests, kernels and VMs that behave well or badly;
# which mutants it makes of a small file, and that each compiles and does what it says. The
# test VM is played by this script itself, so this takes seconds.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin qw($Bin);
use JSON::PP;
use lib "$Bin/lib", "$Bin/auto", "$Bin/../lib";
use Files qw(slurp spew lines);
use Generate;
use Html qw(is_well_formed);

# With more arguments it plays the VM.
if (@ARGV == 1) {
	print {$ARGV[0] eq '--help' ? *STDOUT : *STDERR}
		"usage: selftest.pl\nTests of mutants.pl, with a VM that is played.\n";
	exit($ARGV[0] eq '--help' ? 0 : 2);
}
$| = 1;

# --- The VM: $FAKE says what happens in which run ---------------------------------------

# Lines "MUTANT, PROGRAM, BEHAVIOUR"; of generated mutants some of the place. What is not
# there is a kill, but passes without a mutant, and with a generated one. A behaviour with a
# count happens so often, counted over all boots.
sub behaviour
{
	my ($mutant, $program, $otherwise) = @_;

	for (lines($ENV{FAKE})) {
		my ($key, $its_program, $what, $count) = split /, */;
		my $counter = "$ENV{FAKE}.$key.$program";

		next if $its_program ne $program || index($mutant, $key) < 0;
		if ($count) {
			open my $out, '>>', $counter or die;
			print $out "\n";
			close $out;
			next if -s $counter > $count;
		}
		return $what;
	}
	return $otherwise;
}

my %parts = (alpha => 'A1_x,A2_x', beta => 'B1_x');

# One run; false if it has failed.
sub play_run
{
	my ($name, $mutant, $program, $parts, $otherwise) = @_;
	my $run = "$mutant $program $parts";
	my $what = behaviour($name, $program, $otherwise);
	my %end = (absent => 'absent 0 no such test', skip => 'skipped 0', fail => 'failed 20 words',
		   splat => 'splat 30 WARNING: at line 1', pass => 'passed 10');
	my %exit = (die => 125, splat => 125, ended => 125, qemu => 123);

	print "\@ begin $run\n";
	print map { "\@ $what $mutant $program ${_}_long\n" }
		split /,/, $parts eq '*' ? $parts{$program} : $parts if $what =~ /pass|fail/;
	print "\@ end $run $end{$what}\n" if $end{$what};
	print "\@ unusable the kernel complained\n" if $what eq 'splat';
	print STDERR "testvm: kernel: [    1.0] Oops: 1\n" if $what eq 'die';
	exit $exit{$what} if $exit{$what};
	$SIG{USR1} = sub { exit 123 } if $what eq 'frozen';
	sleep 1000 if $what =~ /hang|frozen/;
	return $what ne 'fail';
}

# What guest.sh does when it is to stop at the first kill.
sub play_until_killed
{
	my ($id, $program, $killed, $proven) = @_;
	my ($name) = map { /^(\S+): \S+ \S+ (\w+)/ ? "$1 $2" : () } (lines("$ENV{FAKE}.list"))[$id - 1];

	return if $killed->{$id};
	play_run('none', 'none', $program, '*', 'pass') if !$proven->{$program}++;
	return if play_run($name, $id, $program, '*', 'pass');
	$killed->{$id} = 1;
	print "\@ killed $id\n";
	play_run('none', 'none', $program, '*', 'pass');
}

sub play
{
	my ($plan) = grep { -e } map { "$_/plan" } @ARGV;
	my $generated = "@ARGV" =~ m{/mutants\.sh \d+ auto_mutant$};
	my (%killed, %proven);

	exit 125 if behaviour('boot', 'boot', '') eq 'die';
	for (lines($plan)) {
		my ($mutant, $program, $parts) = split;

		if ($generated) {
			play_until_killed($mutant, $program, \%killed, \%proven);
		} else {
			play_run($mutant, $mutant, $program, $parts,
				 $mutant eq 'none' ? 'pass' : 'fail');
		}
	}
	print "\@ done\n";
	exit(behaviour('end', 'end', '') eq 'die' ? 125 : 0);
}

play() if $ENV{FAKE};

# --- The tests ------------------------------------------------------------------------

my $dir = tempdir(CLEANUP => 1);
my $failed = 0;

sub say_whether
{
	my ($name, $good) = @_;

	print $good ? 'ok' : 'not ok', " - mutants, $name\n";
	$failed = 1 if !$good;
}

# Runs it in a world; wants a status, and lines.
sub try
{
	my ($name, $options, $want, $world, @lines) = @_;
	my $good = 1;

	unlink grep { !/list$/ } glob "$dir/fake*";
	spew("$dir/fake", map { "$_\n" } @$world);
	my $said = `FAKE='$dir/fake' '$Bin/mutants.pl' --out '$dir/out' $options 2>&1`;
	my $status = $? >> 8;

	print "# status $status, not $want\n" and $good = 0 if $status != $want;
	for my $line (@lines) {
		print "# no line \"$line\"\n" and $good = 0 if $said !~ /^$line$/m;
	}
	print $said =~ s/^/#   /gmr if !$good;
	say_whether($name, $good);
}

# A patch of a mutant.
sub write_patch
{
	my ($name, $property, $killer, $precedent) = @_;
	my $identifier = uc $name;

	spew("$dir/patches/$name.patch", <<"END");
Mutant: $name
Property: $property
Killer: $killer
Precedent: $precedent
Function: f

--- a/driver/all.c
+++ b/driver/all.c
@@ -1 +1,3 @@
+	if (secmmu_mutant($identifier))
+		return;
 }
END
}

mkdir "$dir/$_" for qw(patches models driver copy);
write_patch('one', 'A1', 'alpha/A1_x', 'first');
write_patch('two', 'A2', 'alpha/A2_x', 'second, which a & b know');
write_patch('three', 'B1', 'beta/B1_x', 'third');
spew("$dir/series", "# All\none\ntwo\nthree\n");
spew("$dir/models/models.json",
     '{"results":[{"model":"m","what":"TWO","ok":true},{"model":"n","what":"ONE","ok":false}]}');
spew("$dir/programs", "alpha\nbeta\n");
# The control has its mutant in the real list only.
%ENV = (%ENV, MUTANTS_CONTROL => 'one gamma/G_x', MUTANTS_TESTVM => "$Bin/selftest.pl",
	MUTANTS_PATCHES => $dir, MUTANTS_PROGRAMS => "$dir/programs", MUTANTS_SILENCE => 2,
	MUTANTS_DRIVER => "$dir/driver", MUTANTS_EQUIVALENT => "$dir/equivalent",
	BUILD => $dir, KERNEL => '6.1', JOBS => 1);
delete @ENV{qw(MUTANT FILE SAMPLE SEED SEEDS WAYS POWER_SECONDS FREE SECMMU_TEST_SLOW)};

# --- What a storm finds ---------------------------------------------------------------

spew("$dir/power.txt", "# A table\nquick one\nseen two --keys\nleak three\n");
{
	local @ENV{qw(SEEDS POWER_SECONDS WAYS)} = (2, 1, 'plain');
	try('a storm finds what it can see', '--power', 0, ['two, plain, pass, 1'],
	    'none, plain, seed 1: nothing', 'two, plain, seed 1: nothing',
	    'one, plain, seed 2: found after 0.20 s: words', 'one +2/2   0.20 s +words',
	    'two +1/2   0.20 s +words', 'plain: 2 of 2 bugs found \(100 %\), by 3 of 4 storms');
	my $power = decode_json(slurp("$dir/out/power.json"));

	say_whether('power, for programs', $power->{total}{plain}{hits} == 3 &&
		    $power->{mutants}[1]{plain}{median} == 0.2 && $power->{seconds} == 1);
	try('what was found out is kept', '--power', 0, ['boot, boot, die'],
	    'plain: 2 of 2 bugs found \(100 %\), by 3 of 4 storms');
	$ENV{WAYS} = 'sharp';
	try('the kernel dies of what a storm does', '--power', 0, ['two, sharp, die, 1'],
	    'two, sharp, seed 1: found after [01].00 s: died .*',
	    'sharp: 2 of 2 bugs found \(100 %\), by 3 of 3 storms');
	unlink "$dir/out/known";
	try('a storm that hangs has found nothing', '--power', 0, ['two, sharp, hang, 1'],
	    'two, sharp, seed 1: nothing, but it hung');
	unlink "$dir/out/known";
	try('a storm finds what is not there', '--power', 1, ['none, sharp, fail'],
	    'not ok - a storm finds something without a seeded bug');
	$ENV{WAYS} = 'blunt';
	try('an unknown way', '--power', 2, [], 'mutants: WAYS: there is no "blunt"; .*');
}
unlink "$dir/out/known";

# --- Seeded bugs ----------------------------------------------------------------------

my $kill = 'ok - mutant one: killed by alpha/A1_x_long in 0.2 s';
my $second = 'ok - mutant two: killed by alpha/A2_x_long in 0.2 s';
my $third = 'ok - mutant three: .*';
my $pass = 'one, gamma, pass';
my $bad = 'not ok - without a mutant: .*';

try('all killed', '--quick', 0, [$pass], $kill, $third, 'mutants: 3 of 3 killed',
    'ok - mutants: a test that sees nothing is no killer');
my $m = decode_json(slurp("$dir/out/matrix.json"));
my @m = @{$m->{mutants}};

say_whether('files', $m->{total} == 3 && !@{$m->{survivors}} && $m->{kernel} eq '6.1' &&
	    "@{$m[1]{killed_by}}" eq 'alpha/A2_x_long model:m' && @{$m[0]{killed_by}} == 1 &&
	    $m[1]{deterministic} && $m[1]{seconds} == 0.2 &&
	    slurp("$dir/out/matrix.html") =~ /a &amp; b/ &&
	    is_well_formed(slurp("$dir/out/matrix.html")) &&
	    !is_well_formed(slurp("$dir/out/matrix.html") =~ s/&amp;/&/r) &&
	    !is_well_formed(slurp("$dir/out/matrix.html") =~ s/<\/p>//r) &&
	    slurp("$dir/out/matrix.txt") =~ /^two +. X +X /m);
say_whether('all is run without a mutant before and after', 6 == grep { /^\@ end none/ }
	    lines("$dir/out/results"));
try('few', '--quick --few', 0, [$pass], $kill, $third, 'mutants: 3 of 3 killed');
say_whether('few are run without a mutant before only', 3 == grep { /^\@ end none/ }
	    lines("$dir/out/results"));
try('few, and a test that fails without a mutant', '--quick --few', 1, [$pass,
	'none, alpha, fail'], 'not ok - mutant one: no proof: .*', $bad, $third);
spew("$dir/tap", "# alpha\nTAP version 13\nok 1 a.A1_x_long\nok 2 a.A2_x_long\n" .
     "# beta\nTAP version 13\nok 1 b.B1_x_long # SKIP\n");
try('few, and a log of tests that passed', "--quick --few --passed $dir/tap", 0, [$pass], $kill,
    $second, $third, 'mutants: 3 of 3 killed');
say_whether('what passed there is not run before', 'beta gamma' eq join ' ',
	    map { /^\@ end none (\w+)/ } lines("$dir/out/results"));
{
	local $ENV{JOBS} = 2;
	try('two VMs', '--quick', 0, [$pass], $kill, 'mutants: 3 of 3 killed');
}
try('a test that sees nothing and is said to kill', '--quick', 1, [],
    'not ok - mutants: a test that sees nothing counts as a killer');
for (['a survivor', 1, ['two, alpha, pass'], $kill, 'not ok - mutant two: survived alpha/A2_x'],
     ['a test that is not there', 1, ['two, alpha, absent'],
      'not ok - mutant two: survived, for alpha/A2_x is absent: no such test'],
     ['a test that was skipped', 1, ['two, alpha, skip'],
      'not ok - mutant two: .* is skipped'],
     ['a test that fails without a mutant', 1, ['none, alpha, fail'],
      'not ok - mutant one: no proof: .*', $bad, $third],
     ['... before only', 1, ['none, alpha, fail, 1'], $bad],
     ['... and kills the kernel', 1, ['none, alpha, die'], $bad,
      'not ok - mutant three: was not run'],
     ['the kernel dies of a mutant', 0, ['two, alpha, die'], $kill, $third,
      'ok - mutant two: killed by alpha/A2_x \(the kernel died\) in \d+.0 s'],
     ['it warns', 0, ['two, alpha, splat'], $third,
      'ok - mutant two: killed by alpha/A2_x \(splat\) in 0.3 s'],
     ['it hangs', 0, ['two, alpha, hang'], $third,
      'ok - mutant two: killed by alpha/A2_x \(hang\) in \d+.0 s'],
     ['it complains when all is over', 1, ['end, end, die'], $bad],
     ['QEMU errs', 0, ['two, alpha, qemu, 1'], $second],
     ['QEMU stands still', 0, ['two, alpha, frozen, 1'], $second],
     ['QEMU is killed', 0, ['two, alpha, ended, 1'], $second],
     ['the VM boots late', 0, ['boot, boot, die, 2'], 'mutants: 3 of 3 killed'],
     ['the VM does not boot', 1, ['boot, boot, die'], 'mutants: the test VM does not boot',
      'not ok - mutant one: was not run']) {
	my ($name, $status, $world, @lines) = @$_;

	try($name, '--quick', $status, [$pass, @$world], @lines);
}
{
	local $ENV{MUTANT} = 'two';
	try('one of them', '--quick', 0, [], 'ok - mutant two: .*', 'mutants: 1 of 1 killed');
	$ENV{MUTANT} = 'two,six';
	try('an unknown one', '--quick', 2, [], 'mutants: there is no mutant "six"');
}
spew("$dir/patches/two.patch", slurp("$dir/patches/two.patch") =~ s/TWO/THREE/r);
try('not seeded', '--quick', 255, [], 'mutants: two.patch: no secmmu_mutant.TWO. in it');
write_patch('two', 'A2', 'alpha/A2_x', 'second');
rename "$dir/patches/three.patch", "$dir/patches/four.patch";
try('not in the series', '--quick', 2, [], 'mutants: series: there is no three.patch');
rename "$dir/patches/four.patch", "$dir/patches/three.patch";
try('full form', '', 0, [], $kill);
try('only the storm', '', 1, ['two, alpha, pass', 'two, beta, pass'],
    'not ok - mutant two: survived alpha/A2_x; only a random storm noticed');
try('another test', '', 0, ['two, alpha, pass'],
    'ok - mutant two: killed by beta/B1_x_long, but not by its killer alpha/A2_x');
try('not each time', '', 0, ['two, alpha, pass, 1'],
    'ok - mutant two: killed by .* in 0.2 s, but only in 2 of 3 runs');

# --- The choice of tests in the VM -------------------------------------------------------

# Lists its tests as the kernel's harness does.
spew("$dir/selftests-alpha", <<'END');
echo "# FIXTURE             VARIANT                   TEST" >&2
echo "# alpha               plain                     A1_x_long" >&2
echo "# alpha               both                      A1_x_long" >&2
echo "# alpha               plain                     A2_x" >&2
END
mkdir "$dir/selftests";
rename "$dir/selftests-alpha", "$dir/selftests/alpha";
chmod 0755, "$dir/selftests/alpha";
my ($select) = slurp("$Bin/guest.sh") =~ /^(select_tests\(\)\n.*?^\}\n)/ms;

spew("$dir/select", "lib='$dir'\n", $select =~ s{/tmp/absent}{$dir/absent}gr,
     'select_tests alpha "$1"', "\n");
for (['a part of a name', 'A1_x', '-t A1_x_long', ''],
     ['a whole name with its variant', 'both.A1_x_long', '-t A1_x_long', ''],
     ['two tests', 'A1_x,plain.A2_x', '-t A1_x_long -t A2_x', ''],
     ['a part of two names', '_x', '-t A1_x_long -t A2_x', ''],
     ['one that is there and one that is not', 'A1_x,A3_x', '-t A1_x_long', 'A3_x'],
     ['one that is not there', 'A3_x', '', 'A3_x'],
     ['all of the program', '*', '', '']) {
	my ($name, $parts, $options, $absent) = @$_;
	my $said = join ' ', split /\n/, `sh -uf '$dir/select' '$parts'`;

	say_whether("chosen: $name", !$? && $said eq $options &&
		    join(' ', lines("$dir/absent")) eq $absent);
}

# --- Generated mutants ----------------------------------------------------------------

spew("$dir/driver/small.c", <<'END');
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
spew("$dir/driver/stubs.h", <<'END');
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
my @wanted = split /\n/, <<'END';
11 unlock: spin_lock(&box->lock)
12 compare: first >= last
12 logic: first >= last || box->closed
12 negate: first >= last || box->closed
13 drop: goto unlock;
14 compare: first < last
15 bound: first in min(first, limit)
15 drop: sum += min(first, limit);
15 minmax: min(first, limit)
16 barrier: smp_mb();
17 bound: last in flush(box, last)
17 flush: flush(box, last);
20 bound: sum - 1
END
spew("$dir/equivalent", <<'END');
# Judged.
small.c small barrier: smp_mb();
	Nobody looks without
	the lock.
END

delete $ENV{KERNEL};
spew("$dir/fake.list", `'$Bin/mutants.pl' --auto --list --out '$dir/out'`);
my @small = map { /^small\.c:(\d+): small\.c small (.*)/ ? "$1 $2" : () } lines("$dir/fake.list");

print map { "# not as wanted: $_\n" } grep { my $it = $_; !grep { $it eq $_ } @wanted } @small;
say_whether('those of a small file', join("\n", sort @small) eq join("\n", sort @wanted));

# What a copy computes with each of them on, beside what the mutant says.
my @all = Generate::list("$dir/driver", lines("$dir/out/places"));
my @map = Generate::write_copy("$dir/driver", "$dir/copy", @all);

sub id_of
{
	my ($key) = @_;

	return (map { $_->{id} } grep { index($_->{key}, "small $key") >= 0 } @all)[0] // 0;
}

spew("$dir/copy/stubs.h", slurp("$dir/driver/stubs.h")) if !-e "$dir/copy/stubs.h";
spew("$dir/copy/main.c", <<'END');
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
	printf("%d %d %d", sum, box.lock, box.flushed);
}
END
my $cc = "cc -fdiagnostics-column-unit=byte -Werror=implicit-function-declaration";

say_whether('the copy compiles', !system "$cc -o '$dir/small' '$dir/copy/main.c' 2> '$dir/cc.log'");
my %computes = ('none' => '4 0 4', 'negate' => '-1 0 0', 'drop: sum' => '-1 0 4',
		'minmax' => '6 0 4', 'flush' => '4 0 0', 'bound: sum - 1' => '5 0 4',
		'bound: last in flush' => '4 0 3');
my @wrong = grep { `'$dir/small' @{[id_of($_)]}` ne $computes{$_} } sort keys %computes;

print map { "# $_ does something else\n" } @wrong;
say_whether('each changes what it says', !@wrong);

# One that the compiler does not take is found by its error.
spew("$dir/copy/small.c", slurp("$dir/copy/small.c") =~
	s/\(secmmu_auto\(\d+\) \? \(max\(first, limit\)\)/(secmmu_auto(0) ? (wrong(first, limit).x)/r);
system "$cc -c -o /dev/null '$dir/copy/main.c' 2> '$dir/cc.log'";
say_whether('what does not compile is found',
	    join(' ', Generate::suspects(slurp("$dir/cc.log"), @map)) eq id_of('minmax'));

$ENV{FILE} = 'small.c';
try('a survivor, and a new boot after a crash', '--auto', 1,
    ['14 compare, alpha, die', '15 minmax, alpha, pass', '15 minmax, beta, pass',
     'small.c:, alpha, fail'],
    '.* small.c:14 compare killed by alpha \(died\)', '.* small.c:15 minmax survived',
    'small.c small minmax: min\(first, limit\)',
    '    \+\t\tsum \+= max\(first, limit\);', '\tNobody looks without the lock.',
    'mutants-auto: 11 of 13 killed, 1 survived, 1 equivalent, 0 without a verdict: .*');
try('verdicts are kept', '--auto', 1, [], '== 13 mutants, 0 to be run, 1 VMs at a time',
    'mutants-auto: 11 of 13 killed, 1 survived, .*');
{
	local $ENV{MUTANTS_STATE} = 'more';
	try('a survivor is run again when a test has changed', '--auto', 0, ['minmax, beta, fail'],
	    '== 13 mutants, 1 to be run, 1 VMs at a time', '.* small.c:15 minmax killed by beta',
	    'mutants-auto: 12 of 13 killed, .*: 100.0 .*');
}
my $report = decode_json(slurp("$dir/out/report.json"));
my %by = map { $_->{operator} => $_ } @{$report->{mutants}};

say_whether('the report for programs', @{$report->{mutants}} == 13 && $report->{rate} == 100 &&
	    $report->{kernel} eq 'newest' && $by{minmax}{verdict} eq 'killed' &&
	    $by{minmax}{by} eq 'beta/B1_x_long' && $by{barrier}{verdict} eq 'equivalent');
for (['a sample', 'SAMPLE=4', 0, ['small.c:, alpha, fail'],
      '== 4 mutants, . to be run, 1 VMs at a time'],
     ['a kill proves nothing if the test fails anyhow', 'SAMPLE=2 SEED=3', 1,
      ['none, alpha, fail', 'small.c:, alpha, fail'],
      'mutants-auto: 0 of 2 killed, 2 survived, .*'],
     ['one that hangs', 'SAMPLE=1', 0, ['small.c:, alpha, hang'],
      '.* killed by alpha \(hang\)'],
     ['a VM that dies by itself', 'SAMPLE=2', 1, ['none, alpha, die'],
      'mutants: VM 0 gives up: .*', 'mutants-auto: 0 of 2 killed, 0 survived, .*'],
     ['one line', 'FILE=small.c:15', 0, ['small.c:, alpha, fail'],
      '.* small.c:15 minmax killed by alpha', 'mutants-auto: 3 of 3 killed, .*'],
     ['an unknown file', 'FILE=other', 2, [], 'mutants: FILE: there is no "other" in driver/']) {
	my ($name, $settings, $status, $world, @lines) = @$_;
	local %ENV = (%ENV, map { split /=/ } split ' ', $settings);

	unlink "$dir/out/known";
	try("generated: $name", '--auto', $status, $world, @lines);
}
exit $failed;
