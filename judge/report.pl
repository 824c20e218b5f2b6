#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# report.pl [--tap] RESULTS EXPECTED DIR
#
# Reads results.jsonl as secmmu-judge writes it, compares the verdicts with those that are
# recorded, and prints a matrix: DIR/matrix.txt, matrix.json and index.html have the same.
# --tap prints a line for each verdict as well. The exit status is 0 if each verdict is as
# recorded, 1 if not, 2 if there is none.
use strict;
use warnings;
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/../lib";
use Html qw(element page table);
use Usage qw(check_usage);
use Version qw(version);

my $tap = @ARGV && $ARGV[0] eq '--tap' && shift;
check_usage("usage: report.pl [--tap] RESULTS EXPECTED DIR\n", @ARGV == 3);
my ($results, $expected, $dir) = @ARGV;

my %quiet = map { $_ => 1 } 'pass', 'not applicable', 'skipped';

sub lines_of
{
	my ($name) = @_;

	open my $file, '<', $name or die "$name: $!\n";
	return <$file>;
}

# What is recorded, by "SUBJECT CHECK KERNEL".
sub load_expected
{
	my %recorded;

	for (lines_of($expected)) {
		next if /^\s*(#|$)/;
		chomp;
		my ($subject, $check, $kernel, $verdict, $reason) = split /\s*\|\s*/, $_, 5;

		die "$expected, line $.: five columns are expected\n" if !defined $reason;
		$recorded{"$subject $check $kernel"} = { verdict => $verdict, reason => $reason };
	}
	return \%recorded;
}

# Sets what the verdict means beside the record: ok, known, new, gone or none.
sub compare
{
	my ($result, $recorded) = @_;
	my $record = $recorded->{"$result->{subject} $result->{check} $result->{kernel}"} ||
		     $recorded->{"$result->{subject} $result->{check} *"};
	my $verdict = $result->{verdict};

	$result->{recorded} = $record ? $record->{verdict} : undef;
	$result->{why} = $record ? $record->{reason} : undef;
	if ($verdict eq 'not applicable' || $verdict eq 'skipped') {
		$result->{state} = 'none';
	} elsif (!$record) {
		$result->{state} = $verdict eq 'pass' ? 'ok' : 'new';
	} elsif (grep { $_ eq $verdict } split / or /, $record->{verdict}) {
		$result->{state} = $verdict eq 'pass' ? 'ok' : 'known';
	} else {
		$result->{state} = $verdict eq 'pass' ? 'gone' : 'new';
	}
}

sub cell
{
	my ($result) = @_;

	return '' if !$result;
	return '-' if $result->{verdict} eq 'not applicable';
	return 'ok' if $result->{state} eq 'ok';
	return 'ok!' if $result->{state} eq 'gone';
	return $result->{verdict} . ($result->{state} eq 'new' ? '!' : '');
}

sub sentence
{
	my ($result) = @_;
	my $text = "$result->{subject}/$result->{check} on $result->{kernel}: $result->{verdict}";

	$text .= " ($result->{reason})" if $result->{reason} ne '';
	$text .= ", recorded: $result->{why}" if $result->{state} eq 'known';
	$text .= ", but \"$result->{recorded}\" is recorded"
		if $result->{recorded} && $result->{state} ne 'known';
	return $text;
}

sub matrix_lines
{
	my ($rows, $columns, $cells) = @_;
	my @lines = ([ 'check', map { s/ /, /r } @$columns ]);
	my @width;

	push @lines, map { my $row = $_; [ $row, map { cell($cells->{$row}{$_}) } @$columns ] } @$rows;
	for my $line (@lines) {
		for my $i (0 .. $#$line) {
			my $length = length $line->[$i];

			$width[$i] = $length if $length > ($width[$i] // 0);
		}
	}
	return map {
		my $line = $_;
		join('  ', map { sprintf '%-*s', $width[$_], $line->[$_] } 0 .. $#$line) =~ s/ +$//r
	} @lines;
}

my $style = <<'END';
body { font: 14px sans-serif }
td, th { padding: 2px 8px; text-align: left }
.ok { background: #dfd } .known { background: #fec } .new, .gone { background: #fbb }
.none { color: #888 }
END

sub html_cell
{
	my ($result) = @_;

	return $result ? [cell($result), { class => $result->{state}, title => $result->{reason} }] : '';
}

sub write_html
{
	my ($rows, $columns, $cells, $notes) = @_;
	my @table = (['check', map { s/ /, /r } @$columns], map {
		my $row = $_;

		[$row, map { html_cell($cells->{$row}{$_}) } @$columns];
	} @$rows);

	open my $html, '>', "$dir/index.html" or die "$dir/index.html: $!\n";
	print $html page('Verdicts of make judge', $style, table(@table),
		element('p', {}, 'Green: as it must be. Orange: a bug that is recorded. Red: not as ' .
			'recorded. A dash: the subject cannot serve the check.'),
		element('ul', {}, map { element('li', {}, $_) } @$notes));
	close $html or die "$dir/index.html: $!\n";
}

sub write_json
{
	my ($list, $count) = @_;

	open my $json, '>', "$dir/matrix.json" or die "$dir/matrix.json: $!\n";
	print $json JSON::PP->new->canonical->pretty->encode({
		schema => 'secmmu-judge-1', version => version(), kernel => join(' ', kernels($list)),
		count => $count, results => $list });
	close $json or die "$dir/matrix.json: $!\n";
}

sub kernels
{
	my ($list) = @_;
	my %seen;

	return grep { !$seen{$_}++ } map { $_->{kernel} } @$list;
}

my $recorded = load_expected();
my @list = map { decode_json($_) } grep { /^\{/ } -e $results ? lines_of($results) : ();
if (!@list) {
	print "judge: no verdict at all\n";
	exit 2;
}
my (@rows, @columns, %seen, %cells, %count);
$count{$_} = 0 for qw(ok known new gone none);
for my $result (@list) {
	my $column = "$result->{subject} $result->{kernel}";

	compare($result, $recorded);
	push @rows, $result->{check} if !$seen{"row $result->{check}"}++;
	push @columns, $column if !$seen{"column $column"}++;
	$cells{$result->{check}}{$column} = $result;
	$count{$result->{state}}++;
}
my @notes = map { sentence($_) } grep { !$quiet{$_->{verdict}} || $_->{state} eq 'gone' } @list;
my %skips;
push @{$skips{"$_->{subject} on $_->{kernel}: $_->{reason}"}}, $_->{check}
	for grep { $_->{state} eq 'none' } @list;
push @notes, map { "not judged, $_: @{$skips{$_}}" } sort keys %skips;

my $n = 0;
for my $result ($tap ? @list : ()) {
	my $what = "$result->{subject}/$result->{check}";

	$n++;
	if ($result->{state} eq 'new' || $result->{state} eq 'gone') {
		print "not ok $n - ", sentence($result), "\n";
	} elsif ($result->{verdict} eq 'skipped') {
		print "ok $n - $what # SKIP $result->{reason}\n";
	} elsif ($result->{state} ne 'none') {
		print "ok $n - $what", $result->{state} eq 'known' ? ": $result->{verdict}" : '', "\n";
	}
}
my @lines = (matrix_lines(\@rows, \@columns, \%cells), '', @notes, '',
	     "judge: $count{ok} pass, $count{known} fail as recorded, " .
	     ($count{new} + $count{gone}) . " not as recorded, $count{none} not judged");
open my $text, '>', "$dir/matrix.txt" or die "$dir/matrix.txt: $!\n";
print $text "$_\n" for @lines;
close $text or die "$dir/matrix.txt: $!\n";
print "$_\n" for @lines;
write_json(\@list, \%count);
write_html(\@rows, \@columns, \%cells, \@notes);
exit($count{new} + $count{gone} ? 1 : 0);
