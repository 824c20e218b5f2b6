#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# Were two runs the same, and if not, where do they part?
use strict;
use warnings;

my $usage = <<'END';
usage: digests.pl FILE FILE
Compares digests of test VMs that repeat themselves: two files that testvm has written
(--digest, or "digest" in a folder of --record), or those of two checks, build/check/digests,
step by step. Tells whether they are equal, and between which blocks of code the runs part
if they are not. A step of only one check counts as a difference. Exit status 0: all are
equal; 1: some are not; 2: there is nothing to compare.
END

# The steps of a file as [name and seed, lines]; a digest alone is one without a name.
sub steps
{
	my ($name) = @_;
	my @steps;

	open my $file, '<', $name or die "digests: cannot read $name: $!\n";
	while (<$file>) {
		chomp;
		if (/^step (.+)/) {
			push @steps, [$1, []];
		} else {
			@steps or push @steps, ['', []];
			push @{$steps[-1][1]}, $_;
		}
	}
	@steps or die "digests: $name is empty\n";
	return @steps;
}

# The number of blocks in a line of a digest; none in that of an empty one.
sub block
{
	my @words = split ' ', $_[0] // '';

	return @words ? $words[$words[0] =~ /^\d/ ? 0 : $words[0] eq 'schedule' ? 2 : 1] : 0;
}

sub is_complete
{
	return @{$_[0]} && $_[0][-1] =~ /^over /;
}

# Compares the digests $first and $second. A machine whose kernel has died, so that its digest
# has no last line, goes on until QEMU sees that.
sub compare
{
	my ($first, $second) = @_;
	my $n = 0;

	$n++ while $n < @$first && $n < @$second && $first->[$n] eq $second->[$n];
	my $to_the_end = $n == @$first && $n == @$second ||
		!is_complete($first) && !is_complete($second) && ($n == @$first || $n == @$second);

	return (1, "digest equal: $n checkpoints, the last: $first->[$n - 1]") if $n && $to_the_end;
	return (0, 'digest differs: the runs part between blocks ' .
		($n ? block($first->[$n - 1]) : 0) . ' and ' .
		block($n < @$first ? $first->[$n] : $second->[$n]));
}

@ARGV == 1 && $ARGV[0] eq '--help' and print($usage), exit 0;
@ARGV == 2 or print(STDERR $usage), exit 2;
my @first = eval { steps($ARGV[0]) };
my @second = eval { steps($ARGV[1]) };
@first && @second or print(STDERR $@), exit 2;
my %other = map { @$_ } @second;
my $status = 0;

for (@first) {
	my ($name, $digest) = @$_;
	my $its = delete $other{$name};
	my ($equal, $words) = $its ? compare($digest, $its) : (0, "is not in $ARGV[1]");

	print $name eq '' ? '' : "$name: ", "$words\n";
	$status = 1 if !$equal;
}
for (grep { exists $other{$_} } map { $_->[0] } @second) {
	print "$_: is not in $ARGV[0]\n";
	$status = 1;
}
exit $status;
