# SPDX-License-Identifier: GPL-2.0
#
# What reads results.jsonl: for report.pl and compare.pl. Dies with a sentence if it
# cannot.
package Results;
use strict;
use warnings;
use utf8;
use Exporter 'import';
use JSON::PP;
use Questions;

our @EXPORT_OK = qw(load number cell targets);

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

# Read all lines of a file. Returns what ran them, and a list of groups, one for each
# question and unit: name, unit, and cases in the order of the file, each with id, key
# and median, q1, q3, n.
sub load
{
	my ($file) = @_;
	my (%groups, @order, $machine, $counting);

	open my $in, '<', $file or die "cannot read $file: $!\n";
	while (my $text = <$in>) {
		my $line = eval { decode_json($text) };

		die "$file line $.: no JSON\n" if !ref $line;
		for my $member (@members) {
			die "$file line $.: no '$member'\n"
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
			$case = { id => $id, key => $key, values => [] };
			$group->{by_id}{$id} = $case;
			push @{$group->{cases}}, $case;
		}
		push @{$case->{values}}, $line->{value};
		$counting = $line->{unit} if $line->{unit} eq 'instructions';
		$machine = "Linux $line->{kernel}, $line->{cpus} processors, " .
			   Questions::accelerator($line->{accel},
						  $counting // $line->{unit});
	}
	close $in;
	die "$file is empty\n" if !@order;
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

# The targets of a group: a list of description, value, limit, and a name: "the
# same" is what was described last.
sub targets
{
	my ($group) = @_;
	my $main = '';
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

	return grep { defined $_->[1] } map {
		my $more = $_->[0] =~ /^the same/;

		$main = $_->[0] if !$more;
		[ @$_[0 .. 2], $more ? "$main, $_->[0]" : $_->[0] ]
	} $question->{targets} ? $question->{targets}->($median) : ();
}

1;
