#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make campaign: many tasks, each with a seed of its own, on a queue that exists; what comes
# of them in one database and on one page.
set -euo pipefail
# shellcheck source=check/common.sh
. "$(dirname "$0")/../check/common.sh"
# shellcheck source=campaign/queues.sh
. "$top/campaign/queues.sh"

usage()
{
	cat <<END
usage: campaign.sh WHAT FIRST-LAST
       campaign.sh --collect
Runs tasks of WHAT: soak, fuzz, mutants, mutants-auto, explore, judge, or the lines of a file
(list), with the seeds FIRST to LAST, from a copy of this commit, and collects their results.
A campaign that was interrupted goes on when it is begun again; a task that has a result is
not run again. --collect only makes the database and the page anew.

In the environment (make campaign NAME=VALUE):
  ON      local (this machine, by default), parallel (GNU parallel) or slurm (job arrays)
  DIR     where all of it is kept, build/campaign by default; for more machines than one
          a folder that all of them have under this name, as they must SECMMU_CACHE
  JOBS    local, parallel: tasks at a time, of each machine
  HOSTS   parallel: machines, as its --sshlogin takes them, ":" by default: this one
  CPUS    slurm: processors of a task, 2 by default; Slurm's own variables hold as well
          (SBATCH_PARTITION, SBATCH_TIMELIMIT, ...)
Settings of the tasks are in Documentation/campaign.rst.

Exit status 0: all tasks have passed; 1: some have not; 2: usage, set-up; 3: none has failed,
but some have no result.
END
}

# How often tasks without a result are given to the queue.
rounds=5
on=${ON:-local}
dir=$(realpath -m "${DIR:-$BUILD/campaign}")

# --- The copy of the commit ------------------------------------------------------------------

# Sets commit, its name, and object, which git knows. Changes that are not committed make
# another one, of which git keeps no reference.
name_commit()
{
	local head tree

	head=$(git -C "$top" rev-parse --short=12 HEAD 2> /dev/null) ||
		refuse "results belong to a commit: this needs a checkout of git"
	object=$(git -C "$top" -c user.name=secmmu -c user.email=secmmu@invalid stash create)
	commit=$head
	if [ "$object" ]; then
		tree=$(git -C "$top" rev-parse --short=8 "$object^{tree}")
		commit=$head.$tree
		say "with changes that are not committed, but for files unknown to git"
	fi
	object=${object:-$head}
}

copy_commit()
{
	[ ! -e "$src" ] || return 0
	rm -rf "$src.new"
	mkdir -p "$src.new"
	git -C "$top" archive "$object" | tar -C "$src.new" -xf -
	mv "$src.new" "$src"
}

# --- What is left, and what has come ---------------------------------------------------------

# Prints the tasks without a result.
list_rest()
{
	local task seed rest

	while read -r task seed rest; do
		[ -e "$root/results/$task/$seed/result.json" ] || echo "$task $seed $rest"
	done < "$tasks"
}

count_results()
{
	echo $(($(wc -l < "$tasks") - $(list_rest | wc -l)))
}

# What an earlier campaign could not run, or what only froze, is no result of this one.
forget_spoiled()
{
	local task seed rest result

	while read -r task seed rest; do
		result=$root/results/$task/$seed/result.json
		if [ -e "$result" ] && grep -qE '"verdict":"(error|frozen)"' "$result"; then
			rm "$result" "${result%/*}/tries"
		fi
	done < "$tasks"
}

# --- The campaign ----------------------------------------------------------------------------

check_arguments()
{
	[[ $2 =~ ^(0|[1-9][0-9]*)(-([1-9][0-9]*))?$ ]] || refuse "SEEDS is FIRST-LAST, not \"$2\""
	first=${BASH_REMATCH[1]} last=${BASH_REMATCH[3]:-${BASH_REMATCH[1]}}
	if [ "${#first}" -gt 9 ] || [ "${#last}" -gt 9 ] || [ "$first" -gt "$last" ]; then
		refuse "SEEDS is FIRST-LAST, not \"$2\""
	fi
	need_word ON "$on" "local parallel slurm"
	need_numbers JOBS "${JOBS:-1}" CPUS "${CPUS:-1}"
	"$top/campaign/kinds.sh" check "$1"
	case $on in
	parallel) command -v parallel > /dev/null || refuse "ON=parallel: apt install parallel" ;;
	slurm) scontrol ping > /dev/null 2>&1 ||
		refuse "ON=slurm: no slurmctld answers here (scontrol ping)" ;;
	esac
}

prepare()
{
	mkdir -p "$root"
	(
		flock 7
		copy_commit
		BUILD=$src/build "$src/campaign/kinds.sh" prepare "$what"
	) 7> "$root/src.lock"
	BUILD=$src/build "$src/campaign/kinds.sh" list "$what" "$first" "$last" > "$tasks"
	[ -s "$tasks" ] || refuse "there is no task with these seeds"
	[ "$(awk '{ print $1, $2 }' "$tasks" | sort | uniq -d | wc -l)" = 0 ] ||
		refuse "two tasks have the same name and seed: $(awk 'seen[$1, $2]++' "$tasks" | head -n 1)"
}

run_all()
{
	local round

	if [ -e "$root/$what.jobs" ] && [ "$on" = slurm ]; then
		say "waiting for jobs of a campaign that was interrupted"
		slurm_wait_for_all "$root/$what.jobs"
	fi
	forget_spoiled
	for ((round = 1; round <= rounds; round++)); do
		list_rest > "$todo"
		[ -s "$todo" ] || break
		say "$(wc -l < "$todo") tasks of $(wc -l < "$tasks") for $on, time $round"
		"queue_$on"
	done
}

case ${1-},$# in
--help,1) usage; exit 0 ;;
--collect,1)
	PACKAGES=sqlite3 "$top/check/setup.sh"
	[ -d "$dir" ] || refuse "DIR: there is no \"$dir\""
	"$top/campaign/collect.pl" "$dir"
	echo "results: $dir/results.db, $dir/index.html"
	exit
	;;
-*) usage >&2; exit 2 ;;
*,2) ;;
*) usage >&2; exit 2 ;;
esac
what=$1
check_arguments "$@"
name_commit
root=$dir/$commit
src=$root/src
tasks=$root/$what.tasks
todo=$root/$what.todo
own_folder "$root/$what"
PACKAGES=sqlite3 "$top/check/setup.sh"
say "$what, seeds $first to $last, commit $commit; results are kept in $dir"
prepare
# Tasks have their settings in their commands.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES KERNEL MUTANT SEED TEST POLICY FILE SAMPLE QUICK SUBJECT \
	CHECK STORM PROGRAM
export -n JOBS CPUS BUILD
run_all
"$top/campaign/collect.pl" "$dir" "$commit" "$tasks"
[ ! "$(list_rest)" ] || exit 3
