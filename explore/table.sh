# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of explore.sh
# The rest of explore.sh --table: which seeded bugs are seen, after how many schedules, under
# each policy.

grep -v '^#' "$top/explore/mutants" | grep . > "$out/lines"

# The line that was begun last has come to no result.
struck_by()
{
	awk '$2 == "begin" { last = $3 " " $4 } $2 != "begin" { last = "" } END { print last }' "$1"
}

# What is left of the plan.
plan_rest()
{
	awk 'FILENAME == ARGV[1] { if ($2 != "begin") done[$2, $3]; next }
		!(($1, $2) in done)' \
		"$1" "$out/lines" > "$out/plan/explore-plan"
}

# try_all RESULTS: under one policy; a kernel that dies of a bug takes the VM along.
try_all()
{
	local results=$1 line left

	# An interrupted run goes on; what it had begun is begun again.
	touch "$results"
	sed -i '${/^@ begin/d}' "$results"
	plan_rest "$results"
	while left=$(wc -l < "$out/plan/explore-plan") && [ "$left" -gt 0 ]; do
		play 2>&1 | tee -a "$out/said" | grep --line-buffered '^@' | tee -a "$results" |
			grep --line-buffered -v '^@ begin' || :
		line=$(struck_by "$results")
		if [ "$line" ] && tail -n 3 "$out/said" | grep '^secmmu-explore ended'; then
			echo "explore: the scenario of \"$line\" is wrong" >&2
			exit 3
		fi
		if [ "$line" ]; then
			cp "$out/run/console" "$out/console.${line// /.}"
			echo "@ $line died the kernel did not survive" | tee -a "$results"
		fi
		plan_rest "$results"
		[ "$(wc -l < "$out/plan/explore-plan")" = "$left" ] || continue
		tail -n 5 "$out/said" >&2
		echo "explore: nothing comes of the rest" >&2
		exit 3
	done
}

# Whole tables are made anew.
[ ! -e "$out/table.json" ] || rm -f "$out"/results.* "$out/table.json"
for policy in "${policies[@]}"; do
	choose_policy "$policy"
	say "$(wc -l < "$out/lines") lines of explore/mutants, schedules $first to $last, $policy"
	try_all "$out/results.$policy"
done
OUT=$out perl -we '
	use strict;
	use JSON::PP;
	my ($kernel, $first, $last, @policies) = @ARGV;
	my (%seen, %bugs, @rows, $wrong);
	for my $policy (@policies) {
		open my $results, "<", "$ENV{OUT}/results.$policy" or die "$policy: $!\n";
		while (<$results>) {
			my ($mutant, $scenario, $at, $why) = /^@ (?!begin)(\S+) (\S+) (\S+) ?(.*)/
				or next;
			# Counted from the first one.
			my $n = $at =~ /^\d+$/ ? $at && $at - $first + 1 : $at;

			push @rows, { policy => $policy, mutant => $mutant,
				      scenario => $scenario, schedules => $n || undef };
			$seen{"$mutant $scenario"}{$policy} = $n;
			$bugs{$policy}{$mutant} ||= $n if $mutant ne "none";
			$wrong++, print "not ok - without a bug, $scenario, $policy: $at $why\n"
				if $mutant eq "none" && $n;
		}
	}
	open my $lines, "<", "$ENV{OUT}/lines" or die "lines: $!\n";
	my $form = "%-22s %-20s" . " %10s" x @policies . "\n";
	printf $form, "seeded bug", "scenario", @policies;
	while (<$lines>) {
		my ($mutant, $scenario) = split;
		printf $form, $mutant, $scenario,
			map { $seen{"$mutant $scenario"}{$_} || "-" } @policies;
	}
	for my $policy (@policies) {
		my $n = keys %{$bugs{$policy}} or die "no results\n";
		printf "%d of %d seeded bugs seen within %d schedules, %s\n",
			scalar(grep { $_ } values %{$bugs{$policy}}), $n, $last - $first + 1, $policy;
	}
	open my $json, ">", "$ENV{OUT}/table.json" or die "table.json: $!\n";
	print $json JSON::PP->new->canonical->pretty->encode({
		kernel => $kernel, first => $first + 0, last => $last + 0,
		policies => \@policies, rows => \@rows });
	exit($wrong ? 1 : 0)' "$kernel" "$first" "$last" "${policies[@]}"
