#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# Cuts a script of a storm of which the kernel dies, by as many boots of the test VM as it
# takes. "secmmu-vmm shrink" does the same in one VM, as long as that lives.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use FindBin qw($Bin);

my $usage = <<'END';
usage: shrink.pl SCRIPT --output FILE [--storm OPTIONS] [--vm OPTIONS] [--tries N]
Leaves steps out of SCRIPT as long as a storm of it fails or kills the kernel in the test VM, and
writes what is left to FILE after each success. --storm has options of the storms, --vm those of
testvm, between blanks; a script that does not fail in --tries storms (3) does not fail.
Exits with 0 if what is left fails, with 1 if SCRIPT does not, with 2 if it cannot run.

    vmm/storm/shrink.pl whole --output few --storm "--seconds 5" \
        --vm "--kernel 6.1 --module build/modules/6.1-test/driver/secmmu.ko"
END
my %o = (storm => '', vm => '', tries => 3);
my $top = "$Bin/../..";
my $build = $ENV{BUILD} || "$top/build";
my $testvm = $ENV{SHRINK_TESTVM} // "$build/testvm/testvm";
my $work = tempdir(CLEANUP => 1);
my $boots = 0;

sub fail
{
	my ($status, @text) = @_;

	print STDERR 'shrink: ', @text, "\n";
	exit $status;
}

sub spew
{
	my ($file, @text) = @_;

	open my $out, '>', $file or fail(2, "cannot write $file: $!");
	print $out @text;
	close $out or fail(2, "cannot write $file: $!");
}

# The steps of a script, each with the discarder that does it.
sub read_script
{
	my ($file) = @_;
	my ($who, @steps);

	open my $in, '<', $file or fail(2, "cannot read $file: $!");
	while (<$in>) {
		s/#.*//;
		next if !/\S/;
		if (/^\s*discarder\s+(\d+)\s*$/) {
			$who = $1;
		} else {
			fail(2, "$file:$.: a script begins with \"discarder 0\"") if !defined $who;
			push @steps, [$who, $_];
		}
	}
	return @steps;
}

sub script_of
{
	my %of;

	push @{$of{$_->[0]}}, $_->[1] for @_;
	return map { ("discarder $_\n", @{$of{$_}}) } sort { $a <=> $b } keys %of;
}

# In the VM: one candidate after the other, until one fails.
my $guest = <<'END';
for file in /candidates/*; do
	echo "@ begin ${file##*/}"
	try=0
	while [ $try -lt TRIES ]; do
		got=0
		secmmu-vmm storm "$file" OPTIONS > /tmp/said 2>&1 || got=$?
		case $got in
		0 | 3) ;;
		1 | 4) echo "@ failed ${file##*/}"; exit 0 ;;
		*) cat /tmp/said; echo "@ cannot"; exit 0 ;;
		esac
		try=$((try + 1))
	done
done
echo "@ done"
END

# Boots a VM with these candidates, each a list of steps. Returns the index of the first that
# fails or kills the kernel, or -1.
sub first_failing
{
	my @candidates = @_;
	my $root = "$work/root";

	remove_tree($root);
	make_path("$root/candidates", "$root/usr/bin");
	spew(sprintf('%s/candidates/%06d', $root, $_), script_of(@{$candidates[$_]}))
		for 0 .. $#candidates;
	spew("$root/shrink.sh", $guest =~ s/TRIES/$o{tries}/r =~ s/OPTIONS/$o{storm}/r);
	system 'cp', '-l', "$build/vmm/secmmu-vmm", "$root/usr/bin/" if !$ENV{SHRINK_TESTVM};
	$boots++;
	open my $vm, '-|', $testvm, '--quiet', split(' ', $o{vm}), '--timeout', 86400, '--root', $root,
		'--log', "$work/console", '--', 'sh', '/shrink.sh' or fail(2, "cannot run $testvm: $!");
	my ($begun, $word) = (-1, '');

	while (<$vm>) {
		($begun, $word) = (int $1, 'begin') if /^@ begin (\d+)/;
		$word = $1 if /^@ (failed|cannot|done)/;
		print "shrink: $_" if !/^@/;
	}
	close $vm;
	my $status = $? >> 8;

	fail(2, 'a storm could not run, as said above') if $word eq 'cannot';
	return -1 if $word eq 'done' && !$status;
	# It may have fallen silent or died; testvm says 125 of a kernel that complains.
	return $begun if $begun >= 0 && ($word eq 'failed' || $status == 125 || $status == 124);
	fail(2, "the test VM has ended with status $status");
}

sub without
{
	my ($first, $count, @steps) = @_;

	splice @steps, $first, $count;
	return [@steps];
}

# Leaves out what can be, $count steps at a time; what is left, and whether anything could be.
sub cut_pieces
{
	my ($count, @steps) = @_;
	my ($first, $cut) = (0, 0);

	while ($first < @steps) {
		my @at = map { $first + $_ * $count } 0 .. int((@steps - $first - 1) / $count);
		my @candidates = grep { @$_ } map { without($_, $count, @steps) } @at;
		my $which = @candidates ? first_failing(@candidates) : -1;

		last if $which < 0;
		$first = $at[$which];
		@steps = @{$candidates[$which]};
		$cut = 1;
		spew($o{output}, script_of(@steps));
		print 'shrink: ', scalar @steps, " steps fail, after $boots boots\n";
	}
	return ($cut, @steps);
}

my $script;
while (defined(my $word = shift)) {
	if ($word eq '--help') {
		print $usage;
		exit 0;
	} elsif ($word =~ /^--(output|storm|vm|tries)$/ && @ARGV) {
		$o{$1} = shift;
	} elsif ($word !~ /^--/ && !defined $script) {
		$script = $word;
	} else {
		print STDERR $usage;
		exit 2;
	}
}
fail(2, 'which script, and --output what?') if !defined $script || !defined $o{output};
fail(2, '--tries is a number from 1 to 1000') if $o{tries} !~ /^[1-9]\d{0,2}$|^1000$/;
$| = 1;
my @steps = read_script($script) or fail(2, "$script: there is nothing to do");

print 'shrink: ', scalar @steps, " steps\n";
if (first_failing(\@steps) < 0) {
	print "shrink: no storm of $script fails\n";
	exit 1;
}
for (my $piece = int((@steps + 1) / 2); $piece; $piece = int($piece / 2)) {
	my $cut;

	do {
		($cut, @steps) = cut_pieces($piece, @steps);
	} while ($cut && $piece == 1);
}
spew($o{output}, script_of(@steps));
print 'shrink: ', scalar @steps, " steps are left, after $boots boots: secmmu-vmm storm ",
	"$o{output} $o{storm}\n";
