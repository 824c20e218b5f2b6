#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154,SC2317 # the trap sets command; try calls them
set -u
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"

usage()
{
	cat <<END
usage: selftest.sh [--slurm | --parallel | --vm]
Runs campaigns of tiny tasks: of those that pass, fail, freeze or cannot run each must come to
the one result that it has, whatever is interrupted or killed. By itself on this machine, in
seconds. --slurm: on two nodes of a Slurm cluster on the loopback device, one of which dies.
--parallel: through GNU parallel and an ssh server on the loopback device. --vm: real tasks,
each a test VM. The first two need root, and install packages. Prints TAP.
END
}

part=${1-}
case $#,$part in
0,* | 1,--slurm | 1,--parallel | 1,--vm) ;;
1,--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
scratch=$(mktemp -d)
failed=0
suite=campaign
ended=()
trap 'for command in "${ended[@]}"; do $command; done; rm -rf "$scratch"' EXIT
# make check has settings for the makes that it starts.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES JOBS KERNEL MUTANT SEED
export DIR=$scratch/campaigns LIST=$scratch/list
log=$scratch/log

# --- Tiny tasks ------------------------------------------------------------------------------

# Seed N of $1 tasks, each $2 long, whose beginnings are counted: by the last digit of N, 3
# fails, 5 freezes once, 7 is killed once.
make_list()
{
	local seed

	cat > "$scratch/tiny.sh" <<-'END'
		#!/bin/bash
		# tiny.sh SCRATCH SECONDS SEED --out DIR
		echo "$3" >> "$1/begun"
		first=
		mkdir "$1/seen.$3" 2> /dev/null && first=1
		sleep "$2"
		case $first,$3 in
		*,*3) exit 1 ;;
		1,*5) exit 123 ;;
		1,*7) kill -KILL $$ ;;
		esac
		echo "$3" >> "$1/ended"
		echo "seed $3"
	END
	chmod +x "$scratch/tiny.sh"
	rm -rf "$scratch"/seen.* "$scratch/begun" "$scratch/ended" "$DIR"
	touch "$scratch/ended"
	for ((seed = 1; seed <= $1; seed++)); do
		echo "tiny-$((seed % 2)) $seed $scratch/tiny.sh $scratch $2 $seed"
	done > "$LIST"
}

run()
{
	local want=$1 status=0
	shift
	"$top/campaign/campaign.sh" "$@" || status=$?
	[ "$status" = "$want" ] || { echo "status $status, not $want"; return 1; }
}

sql()
{
	sqlite3 "$DIR/results.db" "$1"
}

# Each of $1 tasks has one result, that which it must have.
complete()
{
	local all=$1 wrong

	[ "$(find "$DIR" -name result.json | wc -l)" = "$all" ] &&
		[ "$(sql 'SELECT count(*) FROM results')" = "$all" ] &&
		[ "$(sql 'SELECT count(DISTINCT seed) FROM results')" = "$all" ] || return
	wrong=$(sql "SELECT * FROM results WHERE (verdict = 'fail') <> (seed % 10 = 3)
		OR verdict NOT IN ('pass', 'fail') OR (verdict = 'pass' AND said <> 'seed ' || seed)
		OR (seed % 10 IN (5, 7) AND tries < 2)")
	[ ! "$wrong" ] || { echo "wrong: $wrong"; return 1; }
}

well_formed()
{
	perl -I"$top/lib" -MHtml=is_well_formed -0777 -ne 'exit !is_well_formed($_)' "$DIR/index.html" &&
		grep -q 'fail: tiny-1, seed 3, status 1' "$DIR/index.html"
}

all_here()
{
	make_list 20 0.1
	JOBS=4 run 1 list 1-20 && complete 20 &&
		[ "$(sort "$scratch/ended" | uniq -d | wc -l)" = 0 ]
}

not_again()
{
	local before

	before=$(wc -l < "$scratch/begun")
	run 1 list 1-20 && complete 20 && [ "$(wc -l < "$scratch/begun")" = "$before" ]
}

# The kernel ends everything of it, in the middle.
goes_on()
{
	local job

	make_list 20 0.2
	set -m
	JOBS=2 "$top/campaign/campaign.sh" list 1-20 &
	job=$!
	set +m
	until [ "$(wc -l < "$scratch/ended")" -ge 4 ] || ! kill -0 "$job"; do
		sleep 0.05
	done
	# Tasks have process groups of their own.
	# shellcheck disable=SC2046 # numbers
	kill -KILL -- "-$job" $(pgrep -f "$scratch/tiny.sh" || :)
	wait "$job"
	JOBS=4 run 1 list 1-20 && complete 20
}

# What cannot be run, and what always freezes, is tried again by the next campaign.
spoiled()
{
	rm -rf "$DIR"
	cat > "$LIST" <<-END
		absent 1 $scratch/absent
		frozen 1 sh $scratch/frozen.sh
		good 1 true
	END
	echo 'exit 123' > "$scratch/frozen.sh"
	run 1 list 1-1 || return
	[ "$(sql 'SELECT verdict, tries FROM results ORDER BY task' | tr '\n' ' ')" = \
		'error|1 frozen|5 pass|1 ' ] || return
	printf '#!/bin/sh\n' | tee "$scratch/frozen.sh" > "$scratch/absent"
	chmod +x "$scratch/absent"
	run 0 list 1-1 &&
		[ "$(sql 'SELECT verdict FROM results' | sort -u)" = pass ] &&
		[ "$(sql 'SELECT count(*) FROM results')" = 3 ]
}

refused()
{
	local says=$1 status=0 said
	shift
	said=$("$@" 2>&1) || status=$?
	echo "$*: status $status: $said"
	[ "$status" = 2 ] && grep -qF -e "$says" <<< "$said"
}

refusals()
{
	local campaign=$top/campaign/campaign.sh

	echo 'tiny 1 true' > "$LIST"
	refused '"sock"; there are: soak' "$campaign" sock 1-2 &&
		refused 'SEEDS is FIRST-LAST' "$campaign" list 9-3 &&
		refused 'SEEDS is FIRST-LAST' "$campaign" list x &&
		refused '"5.4"' env KERNEL=5.4 "$campaign" soak 1-2 &&
		refused '"cloud"' env ON=cloud "$campaign" list 1-2 &&
		refused 'no task' "$campaign" list 5-6 &&
		refused '"no-list"' env LIST=no-list "$campaign" list 1-2 || return
	printf 'tiny 1 true\ntiny 1 false\n' > "$LIST"
	refused 'same name and seed' "$campaign" list 1-1 || return
	echo '../x 1 true' > "$LIST"
	refused 'is no task' "$campaign" list 1-1
}

# All kinds have tasks, of which no two are the same.
kinds()
{
	local what

	for what in soak fuzz mutants explore judge; do
		"$top/campaign/kinds.sh" list "$what" 1 3 > "$scratch/tasks" || return
		[ "$(wc -l < "$scratch/tasks")" -ge 3 ] &&
			[ "$(awk '{ print $1, $2 }' "$scratch/tasks" | sort | uniq -d | wc -l)" = 0 ] &&
			! grep -v '^[A-Za-z0-9._-]* [0-9]* env [A-Z]' "$scratch/tasks" || return
	done
}

machinery()
{
	try "each task comes to one result" all_here
	try "the page is well-formed, and shows what failed" well_formed
	try "what has a result is not run again" not_again
	try "a campaign that was killed goes on" goes_on
	try "what could not be run is tried again, what froze as well" spoiled
	try "wrong settings are refused" refusals
	try "each kind has tasks" kinds
}

if ! git -C "$top" rev-parse HEAD > /dev/null 2>&1; then
	echo "ok - campaign # SKIP results belong to a commit, and this is no checkout of git"
	exit 0
fi
PACKAGES=sqlite3 "$top/check/setup.sh" || exit
case $part in
'') machinery ;;
*)
	# shellcheck source=/dev/null
	. "$top/campaign/selftest-${part#--}.sh"
	;;
esac
exit $failed
