# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of explore.sh
# The rest of explore.sh --table: which seeded bugs are seen, after how many schedules.

# What is left of the plan; a kernel that dies of a bug takes the VM along.
plan=$out/plan/explore-plan
grep -v '^#' "$top/explore/mutants" | grep . > "$plan"
total=$(wc -l < "$plan")
: > "$out/results"

# The line that was begun last has come to no result.
struck_by()
{
	awk '$2 == "begin" { last = $3 " " $4 } $2 != "begin" { last = "" } END { print last }' \
		"$out/results"
}

say "$total lines of explore/mutants, schedules $first to $last, $policy"
while [ -s "$plan" ]; do
	play 2>&1 | tee -a "$out/said" | grep --line-buffered '^@' | tee -a "$out/results" |
		grep --line-buffered -v '^@ begin' || :
	line=$(struck_by)
	if [ "$line" ]; then
		cp "$out/console" "$out/console.${line// /.}"
		echo "@ $line died the kernel did not survive" | tee -a "$out/results"
	fi
	awk 'NR == FNR { if ($2 != "begin") done[$2, $3]; next } !(($1, $2) in done)' \
		"$out/results" "$plan" > "$plan.rest"
	if cmp -s "$plan" "$plan.rest"; then
		tail -n 5 "$out/said" >&2
		echo "explore: nothing comes of the rest" >&2
		exit 3
	fi
	mv "$plan.rest" "$plan"
done
OUT=$out perl -we '
	use strict;
	my ($policy, $last) = splice @ARGV, 0, 2;
	my (@rows, %seen, $wrong, %bugs);
	while (<>) {
		my ($mutant, $scenario, $first, $why) = /^@ (?!begin)(\S+) (\S+) (\S+) ?(.*)/
			or next;
		push @rows, sprintf q({ "mutant": "%s", "scenario": "%s", "schedules": %s }),
			$mutant, $scenario, $first eq "died" ? q("died") : $first || "null";
		if ($mutant eq "none") {
			$wrong++, print "not ok - without a bug, $scenario: $first $why\n" if $first;
			next;
		}
		$bugs{$mutant} //= 0;
		$bugs{$mutant}++ if $first;
	}
	my $n = keys %bugs or die "no results\n";
	my $found = grep { $_ } values %bugs;
	printf "%d of %d seeded bugs seen within %d schedules, %s\n", $found, $n, $last, $policy;
	open my $json, ">", "$ENV{OUT}/table.json" or die "table.json: $!\n";
	print $json qq({ "policy": "$policy", "last": $last, "rows": [\n\t),
		join(",\n\t", @rows), "\n] }\n";
	exit($wrong ? 1 : 0)' "$policy" "$last" "$out/results"
