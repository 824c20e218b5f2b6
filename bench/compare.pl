#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# compare.pl [--percent N] BASE WITH
#
# Compares two files of results and prints the cases whose quartile ranges do not overlap
# and whose medians differ by at least N percent (default: 10 for times, 1 for counts),
# and the targets whose values do, which are ratios within one run. The exit status is
# zero unless a file cannot be read: people judge what moved.
use strict;
use warnings;
use utf8;
use FindBin;
use Getopt::Long;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Usage qw(check_usage);
use Results qw(load_results format_cell evaluate_targets);

my $usage = "usage: compare.pl [--percent N] BASE WITH\n";
my $wanted;

check_usage($usage, 1);
check_usage($usage, GetOptions('percent=f' => \$wanted) && @ARGV == 2 &&
	    (!defined $wanted || $wanted >= 0));
binmode STDOUT, ':utf8';

# How far medians must be apart, in percent.
sub needed_percent
{
	my ($group) = @_;

	return $wanted // ($group->{unit} eq 'ns' ? 10 : 1);
}

# From one number to another, in percent of the first.
sub percent_of
{
	my ($from, $to) = @_;

	return 0 if $from == $to;
	return $from ? 100 * ($to - $from) / abs $from : 9 ** 9 ** 9;
}

sub has_moved
{
	my ($base, $with, $percent) = @_;
	my $overlap = $base->{q1} <= $with->{q3} && $with->{q1} <= $base->{q3};

	return !$overlap &&
	       abs percent_of($base->{median}, $with->{median}) >= $percent;
}

# What tells a case from others, in words.
sub describe_case
{
	my ($case) = @_;
	my $key = $case->{key};

	return join ', ', map { "$_ $key->{$_}" }
	       grep { $key->{$_} || $_ !~ /^(pages|threads)$/ } sort keys %$key;
}

# The lines about a question, and how many cases were there twice.
sub compare_groups
{
	my ($base, $with) = @_;
	my %before = map { $_->{id} => $_ } @{$base->{cases}};
	my %now = map { $_->{id} => $_ } @{$with->{cases}};
	my %target = map { $_->[3] => $_ } evaluate_targets($base);
	my (@lines, $both);

	for my $case (@{$with->{cases}}) {
		my $was = $before{$case->{id}};

		if (!$was) {
			push @lines, describe_case($case) . ': new, ' . format_cell($case);
			next;
		}
		$both++;
		push @lines, sprintf '%s: %s, was %s: %+.0f%%', describe_case($case),
			format_cell($case), format_cell($was),
			percent_of($was->{median}, $case->{median})
			if has_moved($was, $case, needed_percent($with));
	}
	push @lines, map { describe_case($_) . ': gone, was ' . format_cell($_) }
		     grep { !$now{$_->{id}} } @{$base->{cases}};
	for (evaluate_targets($with)) {
		my (undef, $value, undef, $what, $verdict) = @$_;
		my (undef, $was, undef, undef, $before) = @{$target{$what} // []};

		next if !defined $was || !defined $value;
		my $crossed = $before ne $verdict && $verdict ne 'lost in noise';

		push @lines, sprintf 'target, %s: %.3g, was %.3g%s', $what,
			$value, $was, $crossed ? ": $verdict now" : ''
			if $crossed ||
			   abs percent_of($was, $value) >= needed_percent($with);
	}
	return ($both // 0, @lines);
}

my @files = map {
	my ($machine, @groups) = eval { load_results($_) };

	die "compare.pl: $@" if $@;
	{ machine => $machine, order => [ map { $_->{title} } @groups ],
	  groups => { map { ($_->{title} => $_) } @groups } };
} @ARGV;
my ($base, $with) = @files;
my ($all, $shown) = (0, 0);

print "base: $base->{machine}\nwith: $with->{machine}\n"
	if $base->{machine} ne $with->{machine};
for my $name (@{$with->{order}}) {
	next if !$base->{groups}{$name};
	my ($both, @lines) = compare_groups($base->{groups}{$name}, $with->{groups}{$name});

	$all += $both;
	$shown += @lines;
	print "\n$name\n", map { "  $_\n" } @lines if @lines;
}
print "\nonly in $ARGV[1]: $_\n" for grep { !$base->{groups}{$_} } @{$with->{order}};
print "\nonly in $ARGV[0]: $_\n" for grep { !$with->{groups}{$_} } @{$base->{order}};
print $shown ? "\n" : '', "$all cases compared: ", $shown ? "$shown lines" :
	'nothing moved', ' beyond the spread, by ', defined $wanted ?
	"$wanted percent" : '10 percent (times) or 1 (counts)', " at least\n";
