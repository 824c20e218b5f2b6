#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# Tests report.pl with results that were never measured: what it says of targets, its exit
# status, and that its plots name what they show. Prints "ok" and "not ok" lines.
use strict;
use warnings;
use FindBin;
use File::Temp qw(tempdir);
use JSON::PP;
use lib "$FindBin::Bin/../lib";
use Usage qw(check_usage);

check_usage("usage: selftest.pl\n", !@ARGV);
my $dir = tempdir(CLEANUP => 1);
my ($number, $failed) = (0, 0);

sub say_whether
{
	my ($what, $right, $said) = @_;

	$number++;
	$failed ||= !$right;
	print map { "# $_\n" } split /\n/, $said if !$right;
	print $right ? '' : 'not ', "ok $number - $what\n";
}

# Values of a way to forbid and permit writes, as results.
sub results_of
{
	my ($how, $unit, @values) = @_;
	my $n = 0;

	return map { encode_json({
		name => 'Q11 views', pages => 512, threads => 1, value => $_, unit => $unit,
		variant => { what => 'forbid, permit, write all', how => $how },
		flushes => undef, interrupts => undef, kernel => '6.1', accel => 'tcg', cpus => 2,
		repetition => ++$n,
	}) . "\n" } @values;
}

# Report on results. Returns what it says, and its status.
sub report
{
	my ($option, @lines) = @_;

	open my $out, '>', "$dir/results.jsonl" or die "cannot write to $dir: $!\n";
	print $out @lines;
	close $out;
	my $said = `perl '$FindBin::Bin/report.pl' $option '$dir/results.jsonl' '$dir' 2>&1`;

	return ($said, $? >> 8);
}

# The target is that rights of a key take no longer than a slot: by these values of the key,
# in percent of the slot's.
sub judge
{
	my ($what, $unit, $wanted, $status, @percent) = @_;
	my @lines = (results_of('rights of a key', $unit, map { 1000 * $_ } @percent),
		     results_of('slot read-only', $unit, map { 100_000 + $_ } 1 .. @percent));
	my ($said, $got) = report('--judge', @lines);

	say_whether("$what: $wanted", $got == $status && $said =~ /by the slot: .*: $wanted$/m &&
		    $said =~ /^targets: [01] met, [01] MISSED, [01] lost in noise$/m &&
		    $said =~ /\b1 $wanted\b/, "status $got\n$said");
	($said, $got) = report('', @lines);
	say_whether("$what: not judged", $got == 0, "status $got\n$said");
}

judge('a small value', 'ns', 'met', 0, 50 .. 56);
judge('a large value', 'ns', 'MISSED', 1, 120 .. 126);
judge('on both sides of the limit', 'ns', 'lost in noise', 0, 90, 95, 97, 99, 101, 103, 105);
judge('one of seven beyond the limit', 'ns', 'lost in noise', 0, 50 .. 55, 150);
judge('one of nine beyond the limit', 'ns', 'met', 0, 50 .. 57, 150);
judge('two by the clock', 'ns', 'lost in noise', 0, 50, 51);
judge('two counts', 'instructions', 'met', 0, 50, 51);
judge('one count, too large', 'instructions', 'MISSED', 1, 150);

my ($said, $status) = report('', results_of('rights of a key', 'ns', 1 .. 7),
			     results_of('slot read-only', 'ns', (0) x 7));

say_whether('a divisor of zero: lost in noise', !$status && $said =~ /: lost in noise$/m, $said);
$said = do { local (@ARGV, $/) = "$dir/q11-views-ns.svg"; <> };
say_whether('the plot has all names', $said =~ /rights of a key/ && $said =~ /slot read-only/ &&
	    $said =~ /forbid, permit, write all/, 'it has not');
($said, $status) = report('', "{}\n");
say_whether('no results: an error', $status && $said =~ /no 'name'/, "status $status\n$said");
print "1..$number\n";
exit $failed;
