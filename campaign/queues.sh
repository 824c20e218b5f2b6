# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # variables of campaign.sh
# The queues that run tasks, sourced by campaign.sh. Each of queue_NAME gives the tasks of file
# $todo to one, and returns when none of them runs any more. Tasks without a result then
# are none of its business.

# This machine.
queue_local()
{
	seq "$(wc -l < "$todo")" |
		xargs -n 1 -P "${JOBS:-$((($(nproc) + 1) / 2))}" "$src/campaign/task.sh" "$todo" || :
}

# GNU parallel: machines by ssh that have the same folder, and the same cache. A task that has
# come to no result is tried on another one. (--filter-hosts ends with a bug of its own where
# machines are slow to answer.)
queue_parallel()
{
	seq "$(wc -l < "$todo")" |
		parallel --will-cite --retries 3 --sshlogin "${HOSTS:-:}" ${JOBS:+-j "$JOBS"} \
			--joblog "$root/$what.joblog" --line-buffer \
			env ${SECMMU_CACHE:+SECMMU_CACHE="$SECMMU_CACHE"} \
			"$src/campaign/task.sh" "$todo" || :
}

# Does the queue have job $1, still? A controller that does not answer knows no better.
slurm_has()
{
	local said

	if said=$(squeue -h -j "$1" 2>&1); then
		[ "$said" ]
	else
		[[ $said != *"Invalid job id"* ]]
	fi
}

slurm_wait()
{
	local before='' now

	while slurm_has "$1"; do
		now=$(count_results)
		[ "$now" = "$before" ] || echo "$now of $(wc -l < "$tasks") results"
		before=$now
		sleep "${CAMPAIGN_POLL:-10}"
	done
}

# A part of $todo, behind its first $1 lines, of $2 tasks. A task that its node loses is begun
# again, and so is one that froze; its log goes on. (Variables in --export would have each node
# ask for the user's environment by a login.)
slurm_submit()
{
	sbatch --parsable --job-name="secmmu-$what" --array="1-$2" --requeue \
		--cpus-per-task="${CPUS:-2}" --open-mode=append --signal=B:TERM@30 \
		--output="$root/slurm/%A_%a.txt" --chdir="$root" <<- END
		#!/bin/bash
		exec ${src@Q}/campaign/task.sh ${todo@Q} \$(($1 + SLURM_ARRAY_TASK_ID))
		END
}

# Slurm: arrays of jobs. Those of a campaign that was interrupted are waited for.
queue_slurm()
{
	local most behind=0 left job kept=$root/$what.jobs

	most=$(scontrol show config | awk '$1 == "MaxArraySize" { print $3 - 1 }')
	left=$(wc -l < "$todo")
	mkdir -p "$root/slurm"
	: > "$kept"
	while [ "$left" -gt 0 ]; do
		job=$(slurm_submit "$behind" $((left < most ? left : most)))
		echo "$job" >> "$kept"
		behind=$((behind + most)) left=$((left - most))
	done
	say "the queue has the tasks as jobs $(tr '\n' ' ' < "$kept")"
	slurm_wait_for_all "$kept"
}

slurm_wait_for_all()
{
	local job

	while read -r job; do
		slurm_wait "${job%%;*}"
	done < "$1"
	rm "$1"
}
