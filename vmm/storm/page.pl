#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
# The report of a storm as one page: its numbers, the operations, and how it went.
use strict;
use warnings;
use FindBin qw($Bin);
use JSON::PP;
use lib "$Bin/../../lib";
use Html qw(element table page);

my $usage = "usage: page.pl FILE > PAGE\nMakes a page of HTML of what \"secmmu-vmm storm --json " .
	"FILE\" has written.\n";

if (@ARGV != 1 || $ARGV[0] eq '--help') {
	print {@ARGV && $ARGV[0] eq '--help' ? *STDOUT : *STDERR} $usage;
	exit(@ARGV && $ARGV[0] eq '--help' ? 0 : 2);
}

my ($width, $height, $left) = (720, 120, 90);
my @curves = (
	['guest_writes', 'writes of the guest a second', 1],
	['engine_reads', 'pages that engines read a second', 1],
	['operations', 'operations a second', 1],
	['events', 'events a second', 1],
	['zapped', 'entries dropped a second', 1],
	['retries', 'faults that began again, a second', 1],
	['violations', 'violations so far', 0],
	['heap', 'bytes that the program has allocated', 0],
);

sub read_storm
{
	my ($file) = @_;

	open my $in, '<', $file or die "page.pl: cannot read $file: $!\n";
	local $/;
	my $storm = eval { decode_json(<$in>) } or die "page.pl: $file is no JSON\n";

	ref $storm eq 'HASH' && $storm->{timeline} && $storm->{operations}
		or die "page.pl: $file is not of a storm\n";
	return $storm;
}

# Points [seconds, value]: what there was at each moment, or how much was added a second.
sub points
{
	my ($name, $is_rate, @samples) = @_;
	my ($ms, $before, @points) = (0, 0);

	for my $sample (@samples) {
		my $value = $sample->{$name};

		$value = $sample->{ms} > $ms ? 1000 * ($value - $before) / ($sample->{ms} - $ms) : 0
			if $is_rate;
		push @points, [$sample->{ms} / 1000, $value];
		($ms, $before) = @$sample{'ms', $name};
	}
	return @points;
}

sub most
{
	my ($most) = sort { $b <=> $a } @_;

	return $most || 1;
}

sub draw
{
	my ($title, @points) = @_;
	my ($end, $top) = (most(map { $_->[0] } @points), most(map { $_->[1] } @points));
	my $line = join ' ', map {
		sprintf '%.1f,%.1f', $left + $width * $_->[0] / $end, $height * (1 - $_->[1] / $top) + 10
	} @points;
	my $text = sub { element('text', { x => $_[0], y => $_[1], style => $_[3] // '' }, $_[2]) };

	return (element('h2', {}, $title), element('svg',
		{ width => $left + $width + 20, height => $height + 40 },
		element('polyline', { points => "$left,10 $left," . ($height + 10) . ' ' .
			($left + $width) . ',' . ($height + 10), class => 'axis' }),
		element('polyline', { points => $line, class => 'curve' }),
		$text->($left - 6, 16, sprintf('%.0f', $top), 'text-anchor: end'),
		$text->($left - 6, $height + 10, '0', 'text-anchor: end'),
		$text->($left + $width, $height + 28, sprintf('%.0f s', $end), 'text-anchor: end')));
}

sub operation_row
{
	my ($operation) = @_;
	my $left_out = $operation->{left_out};

	return [$operation->{name}, map { [$_, { class => 'n' }] } '', '', '', "left out: $left_out"]
		if $left_out ne '';
	return [$operation->{name}, (map { [$_, { class => 'n' }] } @$operation{qw(done refused proofs)}),
		[$operation->{proofs} ? 'reached' : 'not reached',
		 { class => $operation->{proofs} ? 'good' : 'bad' }]];
}

my $storm = read_storm($ARGV[0]);
my @samples = @{$storm->{timeline}};
my @numbers = grep { !ref $storm->{$_} && defined $storm->{$_} } sort keys %$storm;
my $style = <<'END';
body { font: 14px sans-serif; max-width: 60em; margin: 1em auto }
td, th { padding: 2px 8px; text-align: left } td.n { text-align: right }
td.good { background: #3a7d44; color: #fff } td.bad { background: #b3261e; color: #fff }
.axis { stroke: #888; fill: none } .curve { stroke: #205493; fill: none; stroke-width: 1.5 }
END

print page("A storm of $storm->{subject}: $storm->{verdict}", $style,
	   element('h2', {}, 'Numbers'),
	   table(['what', 'value'], map { [$_, [$storm->{$_}, { class => 'n' }]] } @numbers),
	   element('h2', {}, 'Reads of engines, in nanoseconds'),
	   table(['part', 'within'], map { [$_, [$storm->{read_latency_ns}{$_}, { class => 'n' }]] }
		 qw(p50 p99 p999)),
	   element('h2', {}, 'Operations'),
	   table(['operation', 'done', 'refused', 'proofs', 'its path in the kernel'],
		 map { operation_row($_) } @{$storm->{operations}}),
	   @samples ? (map { draw($_->[1], points($_->[0], $_->[2], @samples)) } @curves) :
		      element('p', {}, 'It was over before there was a sample.'));
