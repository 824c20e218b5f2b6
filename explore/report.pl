#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
use strict;
use warnings;
use FindBin;
use Getopt::Long;
use JSON::PP;
use lib "$FindBin::Bin/../lib";
use Version 'version';

my $usage = <<'END';
usage: report.pl [--quiet] DIR KERNEL FIRST LAST POLICY...
Reads DIR/lines, each a seeded bug (or "none") and a scenario, and the results of guest.sh
under each policy, DIR/results.POLICY. Writes DIR/result.json and prints a table of how many
schedules from FIRST on it took to see something wrong, unless --quiet. Exit status 1:
something was seen without a bug.
END
my %o;

GetOptions(\%o, 'help', 'quiet') or print(STDERR $usage), exit 2;
print($usage), exit 0 if $o{help};
my ($dir, $kernel, $first, $last, @policies) = @ARGV;
@policies or print(STDERR $usage), exit 2;

my (%seen, %bugs, @rows, @wrong);

for my $policy (@policies) {
	open my $results, '<', "$dir/results.$policy" or die "$dir/results.$policy: $!\n";
	while (<$results>) {
		my ($mutant, $scenario, $at, $why) = /^@ (?!begin)(\S+) (\S+) (\S+) ?(.*)/ or next;
		# A number counts from the first schedule; a word says that there is none.
		my $n = $at =~ /^\d+$/ ? $at && $at - $first + 1 : $at;

		push @rows, { policy => $policy, mutant => $mutant, scenario => $scenario,
			      schedules => $n || undef };
		$seen{"$mutant $scenario"}{$policy} = $n;
		$bugs{$policy}{$mutant} ||= $n if $mutant ne 'none';
		push @wrong, "not ok - without a bug, $scenario, $policy: $at $why\n"
			if $mutant eq 'none' && $n;
	}
}
open my $json, '>', "$dir/result.tmp" or die "$dir/result.tmp: $!\n";
print $json JSON::PP->new->canonical->pretty->encode({
	version => version(), kernel => $kernel, first => $first + 0, last => $last + 0,
	policies => \@policies, rows => \@rows });
close $json or die "$dir/result.tmp: $!\n";
rename "$dir/result.tmp", "$dir/result.json" or die "$dir/result.json: $!\n";
exit(@wrong ? 1 : 0) if $o{quiet};

open my $lines, '<', "$dir/lines" or die "$dir/lines: $!\n";
my $form = '%-22s %-20s' . ' %10s' x @policies . "\n";
print @wrong;
printf $form, 'seeded bug', 'scenario', @policies;
while (<$lines>) {
	my ($mutant, $scenario) = split;

	printf $form, $mutant, $scenario,
		map { $seen{"$mutant $scenario"}{$_} || '-' } @policies;
}
for my $policy (@policies) {
	my @found = values %{$bugs{$policy}};

	printf "%d of %d seeded bugs seen within %d schedules, %s\n",
		scalar(grep { $_ } @found), scalar @found, $last - $first + 1, $policy;
}
# What each bug takes, whichever policy shows it.
my %any = map { %{$bugs{$_} // {}} } @policies;

printf "%d of %d by any of them\n", scalar(grep {
	my $mutant = $_;

	grep { $bugs{$_}{$mutant} } @policies;
} keys %any), scalar keys %any if @policies > 1;
exit(@wrong ? 1 : 0);
