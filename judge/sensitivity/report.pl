#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# report.pl PATCHES EXPECTED DIR
#
# Reads DIR/FIX.control.jsonl and DIR/FIX.reverted.jsonl, results of the judge, for each fix in
# folder PATCHES, and prints a matrix: DIR/matrix.txt, matrix.json and index.html have the same.
# The exit status is 0 if all controls are as EXPECTED records them and each fix that was run is
# seen, unless its patch says why it cannot be; 1 if not, 2 if none was run.
use strict;
use warnings;
use FindBin;
use JSON::PP;
use lib "$FindBin::Bin/../../lib";
use Html qw(element page table);
use Usage qw(check_usage);
use Version qw(version);

check_usage("usage: report.pl PATCHES EXPECTED DIR\n", @ARGV == 3);
my ($patches, $expected, $dir) = @ARGV;

my %quiet = map { $_ => 1 } 'pass', 'not applicable', 'skipped';

# The header of a patch; a line that begins with a tab continues the one before.
sub load_header
{
	my ($name) = @_;
	my (%header, $last);

	open my $file, '<', $name or die "$name: $!\n";
	while (<$file>) {
		last if /^--- /;
		if (/^([A-Z][a-z ]*): *(.*)/) {
			$last = $1;
			$header{$last} = $2;
		} elsif (/^\t(.*)/ && $last) {
			$header{$last} .= " $1";
		}
	}
	return \%header;
}

# The verdicts of a run, by check; undef if it was not run.
sub load_results
{
	my ($name) = @_;
	my @list;

	open my $file, '<', $name or return undef;
	@list = map { decode_json($_) } grep { /^\{/ } <$file>;
	return \@list;
}

sub load_expected
{
	my %recorded;

	open my $file, '<', $expected or die "$expected: $!\n";
	while (<$file>) {
		next if /^\s*(#|$)/;
		chomp;
		my ($subject, $check, $kernel, $verdict) = split /\s*\|\s*/;

		$recorded{"$subject $check $kernel"} = $verdict;
	}
	return \%recorded;
}

my $recorded = load_expected();

sub as_recorded
{
	my ($result) = @_;
	my $verdict = $recorded->{"$result->{subject} $result->{check} $result->{kernel}"} //
		      $recorded->{"$result->{subject} $result->{check} *"} // 'pass';

	return $result->{verdict} eq 'not applicable' || $result->{verdict} eq 'skipped' ||
	       grep { $_ eq $result->{verdict} } split / or /, $verdict;
}

# What came of one fix: one row for each check, and whether it was seen.
sub judge_fix
{
	my ($fix) = @_;
	my $header = load_header("$patches/$fix.patch");
	my $control = load_results("$dir/$fix.control.jsonl");
	my $reverted = load_results("$dir/$fix.reverted.jsonl");
	my %row = (fix => $fix, takes_back => $header->{'Takes back'}, kernel => $header->{Kernel},
		   source => $header->{Source}, expected => $header->{'Seen by'},
		   as => $header->{As}, checks => [], state => 'not run');
	my %before;

	$row{reason} = 'not asked for';
	return \%row if !$control || !$reverted;
	$before{$_->{check}} = $_ for @$control;
	$row{state} = 'not seen';
	$row{reason} = $header->{'Not seen'} // 'unexplained';
	for my $result (@$reverted) {
		my $other = $before{$result->{check}};
		my $seen = !$quiet{$result->{verdict}} && $result->{verdict} ne 'broken' &&
			   $other && $other->{verdict} ne $result->{verdict};

		push @{$row{checks}}, {
			check => "$result->{subject}/$result->{check}", control => $other->{verdict},
			control_recorded => $other && as_recorded($other) ? JSON::PP::true : JSON::PP::false,
			reverted => $result->{verdict}, reason => $result->{reason},
			seconds => $result->{ms} / 1000,
			seen => $seen ? JSON::PP::true : JSON::PP::false };
		$row{state} = 'seen' if $seen;
	}
	return \%row;
}

sub cells
{
	my ($row, $check) = @_;
	my $seconds = $check ? sprintf('%.1f', $check->{seconds}) : '';
	my $control = $check ? ($check->{control} // 'none') . ($check->{control_recorded} ? '' : '!') : '';

	return ($row->{fix}, $row->{kernel}, $check ? $check->{check} : '-', $control,
		$check ? $check->{reverted} : $row->{state}, $seconds);
}

sub table_lines
{
	my (@lines) = @_;
	my @width;

	for my $line (@lines) {
		for my $i (0 .. $#$line) {
			$width[$i] = length $line->[$i] if length $line->[$i] > ($width[$i] // 0);
		}
	}
	return map {
		my $line = $_;
		join('  ', map { sprintf '%-*s', $width[$_], $line->[$_] } 0 .. $#$line) =~ s/ +$//r
	} @lines;
}

sub note
{
	my ($row) = @_;
	my ($by) = sort { $a->{seconds} <=> $b->{seconds} } grep { $_->{seen} } @{$row->{checks}};

	return "$row->{fix}: seen by $by->{check}, $by->{reverted} after " .
	       sprintf('%.1f', $by->{seconds}) . " s ($by->{reason})" if $by;
	return "$row->{fix}: $row->{state}: $row->{reason}; expected: $row->{expected}";
}

sub write_file
{
	my ($name, @text) = @_;

	open my $file, '>', "$dir/$name" or die "$dir/$name: $!\n";
	print $file @text;
	close $file or die "$dir/$name: $!\n";
}

my @fixes = map { s{.*/}{}r =~ s/\.patch$//r } sort glob "$patches/*.patch";
my @rows = map { judge_fix($_) } @fixes;
my @head = ('fix', 'kernel', 'check', 'control', 'fix taken back', 'seconds');
my @body = map { my $row = $_; map { [ cells($row, $_) ] } @{$row->{checks}} ? @{$row->{checks}} : undef }
	@rows;
my %count = ('seen' => 0, 'not seen' => 0, 'not run' => 0);
$count{$_->{state}}++ for @rows;
my $unexplained = grep { $_->{state} eq 'not seen' && $_->{reason} eq 'unexplained' } @rows;
my $wrong = grep { !$_->{control_recorded} } map { @{$_->{checks}} } @rows;
my @text = (table_lines(\@head, @body), '', map({ note($_) } @rows), '',
	    "sensitivity: $count{seen} seen, $count{'not seen'} not seen, $count{'not run'} not run, " .
	    "$wrong controls not as recorded");

print "$_\n" for @text;
write_file('matrix.txt', map { "$_\n" } @text);
write_file('matrix.json', JSON::PP->new->canonical->pretty->encode({
	schema => 'secmmu-sensitivity-1', version => version(), count => \%count, fixes => \@rows }));
write_file('index.html', page('Fixes taken back',
	"body { font: 14px sans-serif }\ntd, th { padding: 2px 8px; text-align: left }\n",
	table(\@head, @body), element('ul', {}, map { element('li', {}, note($_)) } @rows)));
exit 2 if !$count{seen} && !$count{'not seen'};
exit($unexplained || $wrong ? 1 : 0);
