# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of explore.sh
# The rest of explore.sh --table: which seeded bugs are seen, after how many schedules, under
# each policy.

grep -v '^#' "$lines" | grep . > "$out/lines"

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
[ ! -e "$out/result.json" ] || rm -f "$out"/results.* "$out/result.json"
for policy in "${policies[@]}"; do
	choose_policy "$policy"
	say "$(wc -l < "$out/lines") lines of $(basename "$lines"), schedules $first to $last, $policy"
	try_all "$out/results.$policy"
done
"$top/explore/report.pl" "$out" "$kernel" "$first" "$last" "${policies[@]}"
