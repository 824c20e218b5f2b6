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
use JSON::PP;
use lib $FindBin::Bin;
use Questions;

die "usage: report.pl RESULTS DIR\n" if @ARGV != 2;
my ($file, $dir) = @ARGV;
my @members = qw(name variant pages threads value unit flushes interrupts kernel
		 accel cpus repetition);

# Median or quartile of a sorted list, between two values if need be.
sub quantile
{
	my ($values, $q) = @_;
	my $at = $q * $#$values;
	my $low = int $at;

	return $values->[$low] if $low == $#$values;
	return $values->[$low] + ($at - $low) *
	       ($values->[$low + 1] - $values->[$low]);
}

# Read all lines. Returns a list of groups, one for each question and unit: name,
# unit, and cases in the order of the file, each with key and median, q1, q3, n.
sub load
{
	my (%groups, @order, $machine);

	open my $in, '<', $file or die "report.pl: cannot read $file: $!\n";
	while (<$in>) {
		my $line = eval { decode_json($_) };

		die "report.pl: $file line $.: no JSON\n" if !ref $line;
		for my $member (@members) {
			die "report.pl: $file line $.: no '$member'\n"
				if !exists $line->{$member};
		}
		my $key = { %{$line->{variant}}, pages => $line->{pages},
			    threads => $line->{threads} };
		my $id = join '|', map { "$_=$key->{$_}" } sort keys %$key;
		my $group = $groups{"$line->{name}|$line->{unit}"};

		if (!$group) {
			$group = { name => $line->{name}, unit => $line->{unit},
				   cases => [], by_id => {} };
			$groups{"$line->{name}|$line->{unit}"} = $group;
			push @order, $group;
		}
		my $case = $group->{by_id}{$id};

		if (!$case) {
			$case = { key => $key, values => [] };
			$group->{by_id}{$id} = $case;
			push @{$group->{cases}}, $case;
		}
		push @{$case->{values}}, $line->{value};
		$machine = "Linux $line->{kernel}, $line->{cpus} processors, " .
			   Questions::accelerator($line->{accel}, $line->{unit});
	}
	close $in;
	die "report.pl: $file is empty\n" if !@order;
	for my $case (map { @{$_->{cases}} } @order) {
		my @values = sort { $a <=> $b } @{$case->{values}};

		$case->{n} = @values;
		$case->{q1} = quantile(\@values, 0.25);
		$case->{median} = quantile(\@values, 0.5);
		$case->{q3} = quantile(\@values, 0.75);
	}
	return ($machine, @order);
}

sub number
{
	my ($value) = @_;
	my $text = sprintf $value == int $value || $value >= 100 ? '%.0f' :
			   '%.2f', $value;

	1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $text;
}

# "12,345 ±6%": median, half of the interquartile range.
sub cell
{
	my ($case) = @_;

	return '' if !$case;
	return number($case->{median}) if !$case->{median};
	return sprintf '%s ±%.0f%%', number($case->{median}),
	       50 * ($case->{q3} - $case->{q1}) / abs $case->{median};
}

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
	my $style = $question->{plot} eq 'bars' ?
		"set style data histograms\nset style fill solid 0.6\n" .
		"set yrange [0:*]\nplot for [i=0:$last] \$data index i " .
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
	my $question = Questions::about($group->{name});
	my $median = sub {
		my (%want) = @_;

		for my $case (@{$group->{cases}}) {
			my $key = $case->{key};

			return $case->{median} if !grep {
				!defined $key->{$_} || $key->{$_} ne $want{$_}
			} keys %want;
		}
		return;
	};

	return map {
		my ($what, $value, $limit) = @$_;

		sprintf '%s: %.3g, target at most %.3g: %s', $what, $value,
			$limit, $value <= $limit ? 'met' : 'MISSED';
	} grep { defined $_->[1] } $question->{targets} ?
		$question->{targets}->($median) : ();
}

binmode STDOUT, ':utf8';
my ($machine, @groups) = load();
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
