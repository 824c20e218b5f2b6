// SPDX-License-Identifier: GPL-2.0
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "race.h"

static u64 planted;

static int planted_set(void *unused, u64 times)
{
	while (times-- && !signal_pending(current)) {
		/* Lest the compiler makes one addition of all. */
		barrier();
		planted++;
		cond_resched();
	}
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(planted_fops, NULL, planted_set, "%llu\n");

/**
 * secmmu_race_add - offer a race
 * @folder: where the file goes, and what it goes with
 */
void secmmu_race_add(struct dentry *folder)
{
	debugfs_create_file("planted_race", 0200, folder, NULL, &planted_fops);
}
