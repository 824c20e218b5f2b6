// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/secmmu_test.h>

#include "verdict.h"

/* What a program can have open: of 1,024, as a process begins with. */
#define MAX_FDS	1024

#define IN_USE	"/sys/module/secmmu/refcnt"

static void judge_mirror(int mirror, struct outcome *outcome)
{
	struct secmmu_test_oracle oracle = { .size = sizeof(oracle) };
	struct secmmu_test_state state = { .size = sizeof(state) };

	if (ioctl(mirror, SECMMU_TEST_CHECK, &oracle) ||
	    ioctl(mirror, SECMMU_TEST_STATE, &state))
		return;
	outcome->judged++;
	outcome->entries += oracle.sptes + oracle.tlb_entries;
	if (oracle.stale || oracle.too_wide) {
		outcome->verdict = VERDICT_INCOHERENT;
		snprintf(outcome->text, sizeof(outcome->text),
			 "%llu entries stale, %llu too wide, of %llu in the table and %llu in TLBs",
			 oracle.stale, oracle.too_wide, oracle.sptes,
			 oracle.tlb_entries);
	} else if (state.faults || state.waiters) {
		outcome->verdict = VERDICT_LEFT;
		snprintf(outcome->text, sizeof(outcome->text),
			 "%u faults in flight, %u of them wait, and nobody accesses",
			 state.faults, state.waiters);
	}
}

/*
 * Jobs go on without the threads that started them, those of engines too whose number
 * was given to another one since.
 */
static void end_jobs(void)
{
	for (int fd = 0; fd < MAX_FDS; fd++) {
		struct secmmu_wait_job wait = { .size = sizeof(wait) };

		ioctl(fd, SECMMU_WAIT_JOB, &wait);
	}
}

/**
 * judge_world - judge all mirrors
 * @world: where nothing happens any more, in this process and its children
 * @outcome: gets the verdict
 */
void judge_world(const struct world *world, struct outcome *outcome)
{
	end_jobs();
	for (int i = 0; i < NR_MIRRORS && outcome->verdict < VERDICT_FAILURE; i++)
		if (world->mirror[i] >= 0)
			judge_mirror(world->mirror[i], outcome);
}

static bool driver_unused(void)
{
	FILE *file = fopen(IN_USE, "re");
	long users = 0;

	if (!file)
		return true;
	if (fscanf(file, "%ld", &users) != 1)
		users = 0;
	fclose(file);
	return !users;
}

/**
 * judge_unused - is the driver not in use?
 * @patience_s: how long what is dying may take, in seconds
 *
 * Return: whether it is not, or cannot be asked.
 */
bool judge_unused(unsigned int patience_s)
{
	for (unsigned int i = 0; i < patience_s * 100; i++) {
		if (driver_unused())
			return true;
		usleep(10 * 1000);
	}
	return driver_unused();
}
