# SPDX-License-Identifier: GPL-2.0
#
# Draws the cases of a group with gnuplot, for report.pl: bars with their names beside them,
# in panels that have an axis each; or lines over a number.
package Plot;
use strict;
use warnings;
use utf8;
use Exporter 'import';
use Results qw(format_number matches_conditions);

our @EXPORT_OK = qw(plot_group);

# In pixels: the width of all, of the names of bars, and the height of one bar.
use constant { WIDTH => 1000, NAMES => 360, BAR => 22 };

# Colours that a person with poor colour vision can tell apart.
my @colours = map { "#$_" }
	qw(0072b2 d55e00 009e73 cc79a7 e69f00 56b4e9 000000 999999);

# The keys that tell plotted cases apart.
sub telling_keys
{
	my ($question, @cases) = @_;
	my @keys = (@{$question->{rows}}, $question->{across} // ());

	return grep {
		my $key = $_;
		my %values = map { ($_->{key}{$key} // '') => 1 } @cases;

		keys %values > 1;
	} @keys;
}

# A case by the values of some keys; a number needs its key.
sub name_case
{
	my ($case, @keys) = @_;

	return join ', ', map {
		my $value = $case->{key}{$_} // '';

		$value eq '' ? () :
		$_ eq 'build' ? "$value build" :
		$value =~ /^\d+$/ ? "$_ " . format_number($value) : $value
	} @keys;
}

sub quote
{
	my ($text) = @_;

	return '"' . $text =~ s/(["\\])/\\$1/gr . '"';
}

# Cases by the name of their panel; and the names, in the order of the cases.
sub split_panels
{
	my ($question, @cases) = @_;
	my (%panels, @names);

	for my $case (@cases) {
		my $name = name_case($case, @{$question->{panels}});

		push @names, $name if !$panels{$name};
		push @{$panels{$name}}, $case;
	}
	return (\%panels, @names);
}

# Round numbers from zero on, six at most, as gnuplot takes them.
sub draw_numbers
{
	my ($most) = @_;
	my $step = 10 ** int(log($most) / log(10) - 2);

	$step *= 10 while $most / $step > 50;
	($step) = grep { $most / $_ <= 5 } map { $step * $_ } 1, 2, 5, 10, 20, 50;
	return join ', ', map {
		quote(format_number($_ * $step)) . ' ' . $_ * $step
	} 0 .. $most / $step;
}

# What gnuplot is told of one panel, whose upper edge is so many pixels from the bottom. The
# longest bar leaves room for its number.
sub draw_panel
{
	my ($name, $unit, $cases, $names, $top, $height) = @_;
	my $last = $#$cases;
	my $most = (sort { $b <=> $a } map { $_->{q3} } @$cases)[0] || 1;
	my $bottom = $top - BAR * @$cases;
	my $text = sprintf "set tmargin at screen %f\nset bmargin at screen %f\n",
		$top / $height, $bottom / $height;

	$text .= 'set title ' . quote($name eq '' ? $unit : "$name, $unit") .
		" offset 0,-0.7\nset xtics (" . draw_numbers($most) . ")\n" .
		sprintf("set xrange [0:%g]\nset yrange [%g:-0.5]\n", 1.15 * $most, $last + .5) .
		'set ytics (' . join(', ', map { quote($names->[$_]) . " $_" } 0 .. $last) . ")\n" .
		"plot '-' using (0.5*\$2):1:(0.5*\$2):(0.38) with boxxyerror, " .
		"'-' using 2:1:3:4 with xerrorbars linecolor rgb '#000000' pointtype 0, " .
		"'-' using 4:1:5 with labels left offset 0.7,0\n";
	my $data = join '', map {
		my $case = $cases->[$_];

		"$_ $case->{median} $case->{q1} $case->{q3} " .
		quote(format_number($case->{median})) . "\n"
	} 0 .. $last;
	return $text . "${data}e\n" x 3;
}

sub draw_bars
{
	my ($group, @cases) = @_;
	my $question = $group->{question};
	my ($panels, @names) = split_panels($question, @cases);
	my $height = 60 * @names + BAR * @cases;
	my $top = $height;
	my $text = '';

	for my $name (@names) {
		my $list = $panels->{$name};
		my @keys = telling_keys($question, @$list);

		$top -= 28;
		$text .= draw_panel($name, $group->{unit}, $list,
				    [ map { name_case($_, @keys) } @$list ], $top, $height);
		$top -= 32 + BAR * @$list;
	}
	return ($height, sprintf(<<END, NAMES / WIDTH) . $text . "unset multiplot\n");
set style fill solid 0.7
unset key
set grid xtics
set tics nomirror
set lmargin at screen %f
set rmargin at screen 0.97
set multiplot
END
}

sub draw_lines
{
	my ($group, @cases) = @_;
	my $question = $group->{question};
	my $x = $question->{across};
	my @keys = grep { $_ ne $x } telling_keys($question, @cases);
	my (%points, @titles);

	for my $case (@cases) {
		my $title = name_case($case, @keys);

		push @titles, $title if !$points{$title};
		push @{$points{$title}}, $case;
	}
	my $text = "set logscale $question->{plot}\nset grid\n" .
		"set key outside right Left reverse\nset format y '%.0s%c'\n" .
		"set format x '%.0s%c'\n" .
		'set xlabel ' . quote($x) . "\nset ylabel " . quote($group->{unit}) . "\nplot " .
		join(', ', map {
			"'-' using 1:2:3:4 with yerrorlines linecolor rgb " .
			"'$colours[$_ % @colours]' dashtype " . (1 + int $_ / @colours) .
			' linewidth 2 title ' . quote($titles[$_])
		} 0 .. $#titles) . "\n";

	for my $title (@titles) {
		$text .= "$_->{key}{$x} $_->{median} $_->{q1} $_->{q3}\n" for @{$points{$title}};
		$text .= "e\n";
	}
	return (480, $text);
}

# Let gnuplot draw a group into a folder. Returns the name of the file, if there is anything
# to draw.
sub plot_group
{
	my ($group, $dir) = @_;
	my $question = $group->{question};
	my $name = lc "$group->{name}-$group->{unit}.svg";
	my @cases = grep { matches_conditions($_, $question->{plotted}) } @{$group->{cases}};

	return if !$question->{plot} || !grep { $_->{q3} } @cases;
	$name =~ s/[^a-z0-9.]+/-/g;
	my ($height, $text) = $question->{plot} eq 'bars' ? draw_bars($group, @cases) :
							    draw_lines($group, @cases);

	open my $gnuplot, '|-', 'gnuplot' or die "no gnuplot: $!\n";
	binmode $gnuplot, ':utf8';
	print $gnuplot "set terminal svg noenhanced size ", WIDTH, ",$height dynamic ",
		"font 'sans,12' background 'white'\nset output '$dir/$name'\n",
		"set encoding utf8\nset linetype 1 linecolor rgb '$colours[0]'\n", $text;
	close $gnuplot or die "gnuplot failed on $name\n";
	return $name;
}

1;
