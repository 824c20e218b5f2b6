/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A memory control group for one test, on the unified hierarchy, wherever that
 * is mounted. Functions return zero or a negative error number.
 */
#ifndef SECMMU_GROUP_H
#define SECMMU_GROUP_H

#include <stdbool.h>

/**
 * struct secmmu_group - a control group
 * @root: where the hierarchy is mounted
 * @mounted: by us
 * @path: folder of the group, or empty
 * @home: group from which the process came, below @root
 */
struct secmmu_group {
	char root[64];
	bool mounted;
	char path[96];
	char home[512];
};

/* Moves the calling process to a new group, which it leaves before it ends. */
int group_enter(struct secmmu_group *group);
void group_leave(struct secmmu_group *group);

/* As number_read() and number_write(), for a file of the group. */
long group_read(const struct secmmu_group *group, const char *file, const char *key);
int group_write(const struct secmmu_group *group, const char *file, long number);

/*
 * Waits until the sums in memory.stat are up to date. The kernel adds up every two seconds, by a
 * timer that waits for as long as its processor is idle: each processor is kept busy for a moment.
 */
void group_settle(void);

#endif /* SECMMU_GROUP_H */
