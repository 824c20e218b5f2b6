#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# Everything "make mutants" and "make mutants-auto" do: tests must notice what is wrong with
# the driver. Boots as many test VMs as it takes, and goes on when a mutant kills one.
use strict;
use warnings;
use Cwd qw(abs_path);
use Fcntl qw(:flock);
use File::Path qw(make_path);
use FindBin qw($Bin);
use lib "$Bin/lib", "$Bin/auto", "$Bin/../lib";
use Boots;
use Files qw(slurp spew lines fail);
use Generated;
use Power;
use Seeded;

my $usage = <<'END';
usage: mutants.pl [--quick [--few]] [--passed LOG] [--out DIR]
       mutants.pl --auto [--quick] [--list | --build] [--out DIR]
       mutants.pl --power [--quick] [--list] [--out DIR]
Runs the tests against each seeded bug (mutant) of mutants/series: the test that its
patch names, three times, then all tests of test builds, then a short storm. Ends with one
"ok" or "not ok" line for each mutant, and leaves matrix.txt, matrix.html and matrix.json in
DIR, build/mutants by default. Fails if a mutant survives, or if only a random storm notices
it. A test that kills must pass in the same boot without the mutant, before all others and
after them.
--quick runs the named tests only, once. --few takes the first mutant of each property only,
and does not run everything without a mutant again at the end of a boot: it is a quick choice,
for which it is enough that the tests have passed in the beginning. --passed names what
run_tests.sh has printed with the same driver and kernel: a test that passed there need not do
so again in the beginning of each boot.

--auto makes first-order mutants of the driver's core instead, each a small change at one
place, and runs tests against each: the KUnit suites, then the tests that
mutants/auto/programs names for the file, then all others, until one fails that passes
without the mutant. Leaves report.txt and report.json in DIR, build/mutants-auto by default;
they are written anew after each mutant. Fails if less than 95 % are killed of those that
mutants/auto/equivalent.txt does not name. --quick runs the suites and the tests named for the
file only; who survives that is run again without it. --list only prints the mutants, --build only
builds them. A run that was interrupted goes on where it was when it is begun again. Verdicts
are kept: a killed mutant is not run again until the driver changes, a survivor not until the
driver or a test does.

--power has a storm find the seeded bugs by itself, those that it can see (power.txt), in two
ways: plain, as "secmmu-vmm storm" is, and sharp, with few pages, many threads that aim at
each other's, and random delays at the gates. Leaves power.txt and power.json in DIR,
build/power by default, and goes on where it was when it is begun again. Fails only if a storm
without a seeded bug finds something. --quick takes sixteen bugs; --list shows what is known.

In the environment: KERNEL, 6.1 by default, with --auto newest (kernels without KUnit do
without the suites); ARCH, x86_64 by default, or arm64, for the seeded bugs and their tests
(build/arm64/mutants); JOBS, how many VMs to run at a time, 2 by default; SECMMU_TEST_SLOW, how
much slower than usual the machine is. REPEAT, if not empty, has VMs repeat themselves, for
make replay. MUTANT, the names of seeded bugs to run alone. With
--power: SEEDS, how many storms each bug has, 3 by default; POWER_SECONDS, how long each is, 60 by
default; WAYS, "plain", "sharp" or both; FREE, if not empty, has processors run in parallel. With
--auto: FILE, names of files to mutate (driver/record.c is "record.c", and "record" also
stands for its header), or of lines ("record.c:19"); SAMPLE, how many mutants to take; all by
default; SEED, a number that chooses them, 1 by default.
END

sub number
{
	my ($names, $form, $value) = @_;

	fail(2, "$names, not \"$value\"") if $value !~ /^$form$/;
	return $value;
}

my %o = (top => abs_path("$Bin/.."), passed => '', only => $ENV{MUTANT} // '', files => $ENV{FILE} // '');
my %flags = ('--quick' => 'quick', '--few' => 'few', '--auto' => 'auto', '--power' => 'power', '--list' => 'list',
	     '--build' => 'only_build');

$| = 1;
while (defined(my $word = shift)) {
	if ($word eq '--help') {
		print $usage;
		exit 0;
	} elsif ($flags{$word}) {
		$o{$flags{$word}} = 1;
	} elsif ($word =~ /^--(out|passed)$/ && @ARGV) {
		$o{$1} = shift;
	} else {
		print STDERR $usage;
		exit 2;
	}
}
for (['seeds', $ENV{SEEDS} || 3], ['seconds', $ENV{POWER_SECONDS} || 60],
     ['sample', $ENV{SAMPLE} || 0], ['seed', $ENV{SEED} || 1]) {
	$o{$_->[0]} = number('SAMPLE, SEED, SEEDS and POWER_SECONDS are numbers', qr/\d+/, $_->[1]);
}
for (['jobs', $ENV{JOBS} || 2], ['slow', $ENV{SECMMU_TEST_SLOW} || 1]) {
	$o{$_->[0]} = number('JOBS and SECMMU_TEST_SLOW are numbers from 1 to 999',
			     qr/[1-9]\d{0,2}/, $_->[1]);
}
$o{kernel} = $ENV{KERNEL} || ($o{auto} ? 'newest' : '6.1');
$o{arch} = $ENV{ARCH} || 'x86_64';
$o{arch} =~ /^(?:x86_64|arm64)$/ or fail(2, "ARCH is x86_64 or arm64, not \"$o{arch}\"");
fail(2, '--auto and --power are for x86_64 only')
	if $o{arch} eq 'arm64' && ($o{auto} || $o{power});
my $kernels = `'$o{top}/testvm/kernels/kernel.sh' --arch $o{arch} --names`;
grep { $_ eq $o{kernel} } split ' ', $kernels or
	fail(2, "KERNEL: there is no \"$o{kernel}\"; there are: $kernels");
my %bugs = map { $_ => 1 } $ENV{MUTANTS_PATCHES} ? () : lines("$o{top}/mutants/series");
for (%bugs ? grep { $_ ne '' } split /[ ,]+/, $o{only} : ()) {
	$bugs{$_} or fail(2, "MUTANT: there is no \"$_\"; mutants/series has all seeded bugs");
}
my $driver = $ENV{MUTANTS_DRIVER} // "$o{top}/driver";
for (grep { $_ ne '' } split /[\s,]+/, $o{auto} ? $o{files} : '') {
	my ($file) = /^([^:]+)(?::\d+)?$/;
	$file && grep { -e "$driver/$file$_" } '', '.c', '.h' or
		fail(2, "FILE: there is no \"$_\" in driver/");
}
$o{build} = $ENV{BUILD} ||= "$o{top}/build";
# Programs for guests, and how results name the kernel.
$o{programs_in} = $o{arch} eq 'x86_64' ? $o{build} : "$o{build}/$o{arch}";
$o{kernel_name} = $o{kernel} . ($o{arch} eq 'x86_64' ? '' : "-$o{arch}");
$o{out} //= "$o{programs_in}/" . ($o{power} ? 'power' : $o{auto} ? 'mutants-auto' : 'mutants');
make_path($o{out});
$o{out} = abs_path($o{out});
open my $running, '>', "$o{out}/running" or fail(1, "cannot write to $o{out}: $!");
flock $running, LOCK_EX | LOCK_NB or fail(2, "another run is under way in $o{out}");
unlink grep { -f } map { glob "$o{out}/$_*" } qw(results log console testvm matrix report);

my $job = ($o{power} ? Power::job(\%o) : $o{auto} ? Generated::job(\%o) : Seeded::job(\%o)) or exit 0;
my $began = time;

# More than the driver takes to be loaded and unloaded, and the VM to boot and end; a VM that
# repeats itself has limits by its own clock, which the host's says little of. The test of this
# program has a VM of its own.
$job->{silence} = $ENV{MUTANTS_SILENCE} //
	($job->{limit} + 60 * $o{slow}) * ($ENV{REPEAT} ? 20 : 1);
$job->{testvm} = $ENV{MUTANTS_TESTVM} // "$o{build}/testvm/testvm";
@$job{qw(out kernel)} = @o{qw(out kernel)};
$job->{repeat} //= $ENV{REPEAT};
print "== $job->{title}, $o{jobs} VMs at a time\n";
Boots::work($job);
print '== took ', time - $began, " s; what was said, and after how many seconds, is in " .
	"$o{out}/log.*\n";
spew("$o{out}/results", map { slurp($_) } glob "$o{out}/results.*");
my $failed = $job->{judge}->();

exit 0 if !$failed && !$job->{failed};
if ($job->{repeat}) {
	print "to repeat the latest boot of VM $_->{n}: make replay RUN=$o{out}/run.$_->{n}\n"
		for @{$job->{vms}};
}
exit 1;
