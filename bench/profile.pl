#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# profile.pl KALLSYMS PROFILE [TIMES]
#
# Prints the functions of a profile by instructions: those that each one executes between
# two marks, without the functions that it calls, and how often it is entered. PROFILE is of
# QEMU's plugin (testvm/plugin/schedule.c), KALLSYMS the guest's /proc/kallsyms. Figures are
# for one of TIMES (1) between a pair of marks.
use strict;
use warnings;
no warnings 'portable';
use FindBin;
use lib "$FindBin::Bin/../lib";
use Usage qw(check_usage);

check_usage("usage: profile.pl KALLSYMS PROFILE [TIMES]\n",
	    @ARGV >= 2 && @ARGV <= 3 && $ARGV[0] !~ /^-/ && ($ARGV[2] // 1) =~ /^[1-9]\d*$/);
my ($symbols, $profile, $times) = @ARGV;

# Pairs of address and name, by address.
sub read_symbols
{
	my ($file) = @_;
	my @list;

	open my $in, '<', $file or die "profile.pl: cannot read $file: $!\n";
	while (<$in>) {
		push @list, [ hex $1, $2 . ($3 // '') ]
			if /^([0-9a-f]+) [tw] (\S+)(?:\t(\[\w+\]))?$/i;
	}
	return sort { $a->[0] <=> $b->[0] } @list;
}

# The last of the symbols that is not behind the address.
sub find_symbol
{
	my ($list, $address) = @_;
	my ($low, $high) = (0, $#$list);

	return [ 0, 'user space' ] if $address < $list->[0][0];
	while ($low < $high) {
		my $middle = int(($low + $high + 1) / 2);

		if ($list->[$middle][0] <= $address) {
			$low = $middle;
		} else {
			$high = $middle - 1;
		}
	}
	return $list->[$low];
}

my @list = read_symbols($symbols);
my ($ends, %instructions, %entered) = (0);

die "profile.pl: $symbols has no addresses: read it as root\n" if !@list || !$list[-1][0];
open my $in, '<', $profile or die "profile.pl: cannot read $profile: $!\n";
while (<$in>) {
	if (my ($address, $length, $n) = /^([0-9a-f]+) (\d+) (\d+)$/) {
		my $symbol = find_symbol(\@list, hex $address);

		$instructions{$symbol->[1]} += $length * $n;
		$entered{$symbol->[1]} += $n if $symbol->[0] == hex $address;
	} elsif (/^end$/) {
		$ends++;
	} else {
		die "profile.pl: $profile line $.: this is no profile\n";
	}
}
die "profile.pl: nothing ran between two marks\n" if !$ends;
my $each = $ends * ($times // 1);

print "instructions  entered  function\n";
for (sort { $instructions{$b} <=> $instructions{$a} || $a cmp $b } keys %instructions) {
	last if $instructions{$_} < $each;
	printf "%12.1f  %7.2f  %s\n", $instructions{$_} / $each, ($entered{$_} // 0) / $each, $_;
}
