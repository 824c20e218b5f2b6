# SPDX-License-Identifier: GPL-2.0
#
# Reads results.jsonl for report.pl and compare.pl, with what secmmu-bench says of each
# question: see struct question in bench.h. Dies with a sentence if it cannot.
package Results;
use strict;
use warnings;
use utf8;
use Exporter 'import';
use FindBin;
use JSON::PP;

our @EXPORT_OK = qw(load_results format_number format_cell matches_conditions evaluate_targets);

# With fewer values than this nothing is known of the noise of a clock.
use constant FEW => 3;

use constant MET => 'met';
use constant MISSED => 'MISSED';
use constant LOST => 'lost in noise';

my @members = qw(name variant pages threads value unit flushes interrupts kernel
		 accel cpus repetition);

my %accelerators = (
	tcg => 'emulated by QEMU',
	kvm => 'QEMU with KVM',
	none => 'bare hardware',
	vm => 'a virtual machine',
);

# The questions by name, as this build of the benchmarks describes them.
sub load_questions
{
	my $build = $ENV{BUILD} // "$FindBin::Bin/../build";
	my $program = "$build/bench/bin/secmmu-bench";

	no warnings 'exec';
	open my $in, '-|', $program, '--describe'
		or die "cannot run $program: $!; build it: make -C bench\n";
	my $text = do { local $/; <$in> };

	close $in or die "$program --describe fails\n";
	return { map { $_->{name} => $_ } @{decode_json($text)} };
}

# Median or quartile of a sorted list, between two values if need be.
sub find_quantile
{
	my ($values, $q) = @_;
	my $at = $q * $#$values;
	my $low = int $at;

	return $values->[$low] if $low == $#$values;
	return $values->[$low] + ($at - $low) *
	       ($values->[$low + 1] - $values->[$low]);
}

# The numbers of a sorted list between which the true median lies with a probability of
# 95 percent, whatever the distribution: so many coins show heads as there are values below
# it. A short list gives all that it has.
sub find_interval
{
	my ($values, $unit) = @_;
	my $n = @$values;
	my ($k, $ways, $sum) = (0, 1, 1);

	return (-9 ** 9 ** 9, 9 ** 9 ** 9) if $n < FEW && $unit eq 'ns';
	while (2 * ($sum + $ways * ($n - $k) / ($k + 1)) <= 0.05 * 2 ** $n) {
		$ways *= ($n - $k) / ($k + 1);
		$sum += $ways;
		$k++;
	}
	return @$values[$k, $n - 1 - $k];
}

# One line of a file, checked.
sub parse_line
{
	my ($text, $where) = @_;
	my $line = eval { decode_json($text) };

	die "$where: no JSON\n" if !ref $line;
	for my $member (@members) {
		die "$where: no '$member'\n" if !exists $line->{$member};
	}
	return $line;
}

sub summarize_case
{
	my ($case, $unit) = @_;
	my @values = sort { $a <=> $b } @{$case->{values}};

	$case->{n} = @values;
	$case->{q1} = find_quantile(\@values, 0.25);
	$case->{median} = find_quantile(\@values, 0.5);
	$case->{q3} = find_quantile(\@values, 0.75);
	($case->{low}, $case->{high}) = find_interval(\@values, $unit);
}

# Read all lines of a file. Returns a description of the machine, and a list of groups,
# one for each question and unit: name, unit, question, and cases in the order of the
# file, each with id, key and median, q1, q3, n, and low and high, between which the median
# is.
sub load_results
{
	my ($file) = @_;
	my (%groups, %cases, @order, $machine, $counts);
	my $questions = load_questions();

	open my $in, '<', $file or die "cannot read $file: $!\n";
	while (my $text = <$in>) {
		my $line = parse_line($text, "$file line $.");
		my $key = { %{$line->{variant}}, pages => $line->{pages},
			    threads => $line->{threads} };
		my $id = join '|', map { "$_=$key->{$_}" } sort keys %$key;
		my $title = "$line->{name}, $line->{unit}";
		my $group = $groups{$title};

		if (!$group) {
			$group = { name => $line->{name}, unit => $line->{unit},
				   title => $title, cases => [],
				   question => $questions->{$line->{name}} //
					       { text => '',
						 rows => [ 'pages', 'threads' ] } };
			$groups{$title} = $group;
			push @order, $group;
		}
		my $case = $cases{$title}{$id};

		if (!$case) {
			$case = { id => $id, key => $key, values => [] };
			$cases{$title}{$id} = $case;
			push @{$group->{cases}}, $case;
		}
		push @{$case->{values}}, $line->{value};
		$counts = 1 if $line->{unit} eq 'instructions';
		$machine = "Linux $line->{kernel}, $line->{cpus} processors, " .
			   ($accelerators{$line->{accel}} // $line->{accel}) .
			   ($counts ? ', counting instructions' : '');
	}
	close $in;
	die "$file is empty\n" if !@order;
	for my $group (@order) {
		summarize_case($_, $group->{unit}) for @{$group->{cases}};
	}
	return ($machine, @order);
}

# "12,345" or "1.23".
sub format_number
{
	my ($value) = @_;
	my $text = sprintf $value == int $value || $value >= 100 ? '%.0f' :
			   '%.2f', $value;

	1 while $text =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $text;
}

# "12,345 ±6%": median, half of the interquartile range.
sub format_cell
{
	my ($case) = @_;

	return '' if !$case;
	return format_number($case->{median}) if !$case->{median};
	return sprintf '%s ±%.0f%%', format_number($case->{median}),
	       50 * ($case->{q3} - $case->{q1}) / abs $case->{median};
}

# "key=value, key!=value", where values may have commas: a list of key, operator, value.
sub parse_conditions
{
	my ($text) = @_;

	return map { [ /^(\w+)(!?=)(.*)$/ ] } split /, (?=\w+!?=)/, $text // '';
}

# Does a case meet all conditions?
sub matches_conditions
{
	my ($case, $text) = @_;

	return !grep {
		my ($key, $operator, $value) = @$_;

		(defined $case->{key}{$key} && $case->{key}{$key} eq $value) !=
			($operator eq '=')
	} parse_conditions($text);
}

# The quotient of two of { median, low, high }; nothing if the second may be zero or less.
sub divide_ranges
{
	my ($x, $y) = @_;

	return if $y->{low} <= 0;
	return { median => $x->{median} / $y->{median},
		 low => $x->{low} / $y->{$x->{low} < 0 ? 'low' : 'high'},
		 high => $x->{high} / $y->{$x->{high} < 0 ? 'high' : 'low'} };
}

sub subtract_ranges
{
	my ($x, $y) = @_;

	return { median => $x->{median} - $y->{median},
		 low => $x->{low} - $y->{high}, high => $x->{high} - $y->{low} };
}

# The value of "[CASE]", "[CASE] - [CASE]" or "[CASE] / [CASE]" with the given keys: whether
# all its cases were measured, then { median, low, high } unless it is lost in noise.
sub evaluate_expression
{
	my ($group, $text, $given) = @_;
	my ($operator) = $text =~ m{\] ([-/]) \[};
	my ($first, $second) = map {
		my $conditions = $_;
		my %named = map { $_->[0] => 1 } parse_conditions($conditions);
		my $wanted = join ', ', $conditions, map { "$_=$given->{$_}" }
			     grep { !$named{$_} } keys %$given;

		(grep { matches_conditions($_, $wanted) } @{$group->{cases}})[0]
	} $text =~ /\[(.*?)\]/g;

	return 0 if !$first || ($operator && !$second);
	return (1, $first) if !$operator;
	return (1, subtract_ranges($first, $second)) if $operator eq '-';
	return (1, divide_ranges($first, $second));
}

# What there is to say of a value and its limit: the value counts where all that it may be
# is on one side.
sub find_verdict
{
	my ($value, $limit) = @_;

	return LOST if !$value;
	return MET if $value->{high} <= $limit;
	return $value->{low} > $limit ? MISSED : LOST;
}

# All combinations of "key=value|value, ...", as hashes.
sub expand_each
{
	my ($text) = @_;
	my @all = ({});

	for (parse_conditions($text)) {
		my ($key, undef, $values) = @$_;

		@all = map {
			my $given = $_;

			map { { %$given, $key => $_ } } split /\|/, $values
		} @all;
	}
	return @all;
}

# The targets of a group that were measured: a list of description, value (none if nothing
# is left of it beyond the noise), limit, a name ("the same" refers to the description
# before), and verdict.
sub evaluate_targets
{
	my ($group) = @_;
	my $question = $group->{question};
	my ($main, @targets) = ('');

	for my $given (expand_each($question->{each})) {
		for (@{$question->{targets} // []}) {
			my $what = $_->{what} =~ s/\{(\w+)\}/$given->{$1}/gr =~
				   s/\b1 pages\b/1 page/r;
			my $name = $what =~ /^the same/ ? "$main, $what" : $what;
			my ($measured, $value) =
				evaluate_expression($group, $_->{value}, $given);

			$main = $what if $name eq $what;
			if ($measured && $_->{of}) {
				($measured, my $of) =
					evaluate_expression($group, $_->{of}, $given);
				$value = divide_ranges($value, $of) if $value && $of;
				$value = undef if !$of;
			}
			push @targets, [ $what, $value && $value->{median}, $_->{limit},
					 $name, find_verdict($value, $_->{limit}) ]
				if $measured;
		}
	}
	return @targets;
}

1;
