#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# report.pl [--judge] RESULTS DIR
#
# Reads results.jsonl as the benchmarks write it, prints a table for each question
# and how the targets were met, and leaves the same with plots in DIR/index.html.
# A target is met or missed if that is beyond the noise of the measurements, else lost in
# noise. The last line counts them. The exit status is zero if the results can be read, and,
# with --judge, no target is missed.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Html qw(element table page);
use Usage qw(check_usage);
use Plot qw(plot_group);
use Results qw(load_results format_number format_cell evaluate_targets);

my $judge = @ARGV && $ARGV[0] eq '--judge' && shift @ARGV;

check_usage("usage: report.pl [--judge] RESULTS DIR\n", @ARGV == 2 && $ARGV[0] !~ /^-/);
my ($file, $dir) = @ARGV;

# A group as rows of cells, the first one the titles. Cases differ by the keys that
# the question names as rows, and by one that goes across.
sub layout_table
{
	my ($group) = @_;
	my $question = $group->{question};
	my @down = @{$question->{rows}};
	my $across = $question->{across};
	my (@columns, @rows, %row, %seen);

	for my $case (@{$group->{cases}}) {
		my $id = join '|', map { $case->{key}{$_} // '' } @down;
		my $column = $across ? $case->{key}{$across} : '';

		push @columns, $column if !$seen{$column}++;
		push @rows, $id if !$row{$id};
		$row{$id}{$column} = $case;
	}
	my @title = map { $across ? "$across " . ($_ =~ /^\d+$/ ? format_number($_) : $_) :
			  $group->{unit} } @columns;
	my @lines = ([ @down, @title ]);

	for my $id (@rows) {
		push @lines, [ (split /\|/, $id, scalar @down),
			       map { format_cell($row{$id}{$_}) } @columns ];
	}
	return (scalar @down, @lines);
}

sub print_table
{
	my ($group) = @_;
	my ($left, @lines) = layout_table($group);
	my @width;

	for my $line (@lines) {
		for my $i (0 .. $#$line) {
			my $length = length $line->[$i];

			$width[$i] = $length if $length > ($width[$i] // 0);
		}
	}
	print "\n$group->{title}\n";
	for my $line (@lines) {
		my $text = join '  ', map {
			my $pad = ' ' x ($width[$_] - length $line->[$_]);
			$_ < $left ? "$line->[$_]$pad" : "$pad$line->[$_]"
		} 0 .. $#$line;

		print $text =~ s/ +$//r, "\n";
	}
}

# What stands above all tables.
sub head_elements
{
	my ($machine) = @_;

	return (element('p', {}, "$machine."), element('h2', {}, 'Method'),
		element('p', {}, <<END, element('a', {href => 'results.jsonl'}, 'results.jsonl'), <<END));
Each round measures every case of a question once, in another order each time. One
round before the others only warms up. Tables show the median of all rounds and, behind
±, half of the interquartile range; error bars in plots are the quartiles. Each raw
measurement is a line of
END
. Under emulation, compare ratios within one run only: absolute times say nothing about
hardware. Documentation/benchmarks.rst has the rest.
END
}

sub group_elements
{
	my ($group, $image, @verdicts) = @_;
	my ($left, @lines) = layout_table($group);

	return (element('h2', {}, $group->{title}), element('p', {}, $group->{question}{text}),
		$image ? element('p', {}, element('img', {src => $image, alt => 'plot'})) : (),
		table(map {
			my $line = $_;

			[map { [$line->[$_], $_ < $left ? {} : {class => 'n'}] } 0 .. $#$line]
		} @lines),
		@verdicts ? element('ul', {}, map { element('li', {}, $_) } @verdicts) : ());
}

# How many targets have each verdict.
my %verdicts;

# The lines about targets of a group.
sub judge_targets
{
	my ($group) = @_;

	return map {
		my ($what, $value, $limit, undef, $verdict) = @$_;

		$verdicts{$verdict}++;
		sprintf '%s: %starget at most %.3g: %s', $what,
			defined $value ? sprintf('%.3g, ', $value) : '', $limit, $verdict;
	} evaluate_targets($group);
}

binmode STDOUT, ':utf8';
my ($machine, @groups) = eval { load_results($file) };
die "report.pl: $@" if $@;

my $style = <<END;
body { font-family: sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse }
td, th { padding: .2em .8em; border-bottom: 1px solid #ccc; text-align: left }
.n { text-align: right; white-space: nowrap }
img { max-width: 100% }
END
my @elements = head_elements($machine);
for my $group (@groups) {
	my @verdicts = judge_targets($group);
	my $image = eval { plot_group($group, $dir) };

	die "report.pl: $@" if $@;
	print_table($group);
	print "  $_\n" for @verdicts;
	push @elements, group_elements($group, $image, @verdicts);
}
open my $out, '>:utf8', "$dir/index.html"
	or die "report.pl: cannot write $dir/index.html: $!\n";
print $out page('secmmu benchmarks', $style, @elements);
close $out or die "report.pl: cannot write $dir/index.html: $!\n";
print "\n$machine\nMedian and half of the interquartile range; plots in $dir/index.html\n";
printf "targets: %d met, %d MISSED, %d lost in noise\n",
	map { $verdicts{$_} // 0 } 'met', 'MISSED', 'lost in noise';
exit 1 if $judge && $verdicts{MISSED};
