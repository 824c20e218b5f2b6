#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# report.pl RESULTS DIR
#
# Reads results.jsonl as the benchmarks write it, prints a table for each question
# and how the targets were met, and leaves the same with plots in DIR/index.html.
# The exit status says whether the results could be read; a missed target is
# reported, not an error.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Questions;
use Results qw(load number cell targets);

die "usage: report.pl RESULTS DIR\n" if @ARGV != 2;
my ($file, $dir) = @ARGV;

# A group as rows of cells, the first one the titles. Cases differ by the keys that
# the question names as rows, and by one that goes across.
sub table
{
	my ($group) = @_;
	my $question = Questions::about($group->{name});
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
	my @title = map { $across ? "$across " . ($_ =~ /^\d+$/ ? number($_) : $_) :
			  $group->{unit} } @columns;
	my @lines = ([ @down, @title ]);

	for my $id (@rows) {
		push @lines, [ (split /\|/, $id, scalar @down),
			       map { cell($row{$id}{$_}) } @columns ];
	}
	return (scalar @down, @lines);
}

sub print_table
{
	my ($group) = @_;
	my ($left, @lines) = table($group);
	my @width;

	for my $line (@lines) {
		for my $i (0 .. $#$line) {
			my $length = length $line->[$i];

			$width[$i] = $length if $length > ($width[$i] // 0);
		}
	}
	print "\n$group->{name}, $group->{unit}\n";
	for my $line (@lines) {
		my $text = join '  ', map {
			my $pad = ' ' x ($width[$_] - length $line->[$_]);
			$_ < $left ? "$line->[$_]$pad" : "$pad$line->[$_]"
		} 0 .. $#$line;

		print $text =~ s/ +$//r, "\n";
	}
}

sub html
{
	my ($text) = @_;

	$text =~ s/&/&amp;/g;
	$text =~ s/</&lt;/g;
	return $text;
}

sub html_table
{
	my ($group) = @_;
	my ($left, @lines) = table($group);
	my $out = "<table>\n";

	for my $row (0 .. $#lines) {
		my $tag = $row ? 'td' : 'th';

		$out .= '<tr>' . join('', map {
			($_ < $left ? "<$tag>" : "<$tag class=\"n\">") .
			html($lines[$row][$_]) . "</$tag>"
		} 0 .. $#{$lines[$row]}) . "</tr>\n";
	}
	return "$out</table>\n";
}

# One block of data for each series, with its title.
sub series
{
	my ($group, $question) = @_;
	my $x = $question->{across};
	my (%points, @titles);

	for my $case (@{$group->{cases}}) {
		next if $question->{draws} && !$question->{draws}->($case->{key});
		my $title = join ', ', map { $case->{key}{$_} // '' }
				       @{$question->{rows}};

		push @titles, $title if !$points{$title};
		push @{$points{$title}}, $case;
	}
	return map {
		my $title = $_;
		my $data = join '', map {
			my $at = $_->{key}{$x};
			($at =~ /^[\d.]+$/ ? $at : "\"$at\"") .
			" $_->{median} $_->{q1} $_->{q3}\n"
		} @{$points{$title}};
		"\"$title\"\n$data\n\n"
	} @titles;
}

# Let gnuplot draw a group. Returns the name of the file.
sub plot
{
	my ($group) = @_;
	my $question = Questions::about($group->{name});
	my $name = lc "$group->{name}-$group->{unit}.svg";

	return if !$question->{plot} || !grep { $_->{q3} } @{$group->{cases}};
	$name =~ s/[^a-z0-9.]+/-/g;
	my @series = series($group, $question);
	my $last = $#series;
	my $style = $question->{plot} =~ /^(log)?bars$/ ?
		"set style data histograms\nset style fill solid 0.6\n" .
		($1 ? "set logscale y\n" : "set yrange [0:*]\n") . "plot for [i=0:$last] \$data index i " .
		"using 2:xtic(1) title columnheader(1)\n" :
		"set logscale $question->{plot}\n" .
		"plot for [i=0:$last] \$data index i using 1:2:3:4 " .
		"with yerrorlines title columnheader(1)\n";

	open my $gnuplot, '|-', 'gnuplot' or die "report.pl: no gnuplot: $!\n";
	binmode $gnuplot, ':utf8';
	print $gnuplot "set terminal svg noenhanced size 1200,480 dynamic background 'white'\n",
		"set output '$dir/$name'\n",
		"set encoding utf8\nset key outside right Left reverse\nset grid\n",
		"set format y '%.0s%c'\n",
		"set xlabel '$question->{across}'\nset ylabel '$group->{unit}'\n",
		"\$data << EOD\n", @series, "EOD\n", $style;
	close $gnuplot or die "report.pl: gnuplot failed on $name\n";
	return $name;
}

# The lines about targets of a group.
sub verdicts
{
	my ($group) = @_;

	return map {
		my ($what, $value, $limit) = @$_;

		$value < 0 ?
			sprintf '%s: lost in the noise, target at most %.3g', $what,
				$limit :
			sprintf '%s: %.3g, target at most %.3g: %s', $what, $value,
				$limit, $value <= $limit ? 'met' : 'MISSED';
	} targets($group);
}

binmode STDOUT, ':utf8';
my ($machine, @groups) = eval { load($file) };
die "report.pl: $@" if $@;

my $page = Questions::head($machine);

for my $group (@groups) {
	my $question = Questions::about($group->{name});
	my @verdicts = verdicts($group);
	my $image = plot($group);

	print_table($group);
	print "  $_\n" for @verdicts;
	$page .= '<h2>' . html("$group->{name}, $group->{unit}") . "</h2>\n<p>" .
		 html($question->{text}) . "</p>\n";
	$page .= "<p><img src=\"$image\" alt=\"plot\"></p>\n" if $image;
	$page .= html_table($group);
	$page .= '<ul>' . join('', map { '<li>' . html($_) . '</li>' } @verdicts) .
		 "</ul>\n" if @verdicts;
}
open my $out, '>:utf8', "$dir/index.html"
	or die "report.pl: cannot write $dir/index.html: $!\n";
print $out $page, "</body>\n</html>\n";
close $out or die "report.pl: cannot write $dir/index.html: $!\n";
print "\n$machine\nMedian and half of the interquartile range; plots in $dir/index.html\n";
