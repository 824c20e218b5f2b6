// SPDX-License-Identifier: GPL-2.0
/* A memory control group for one test. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"
#include "secmmu_group.h"
#include "secmmu_sys.h"

#define PATH_ROOM	640

/* Between two sums; a few ticks of a processor; what the work takes that the timer begins. */
#define SUM_MS		2200
#define BUSY_MS		25
#define WORK_MS		200

/* Finds the hierarchy, or mounts it once more. */
static int find_root(struct secmmu_group *group)
{
	int ret;

	strcpy(group->root, "/sys/fs/cgroup");
	if (!access("/sys/fs/cgroup/cgroup.controllers", R_OK))
		return 0;
	strcpy(group->root, "/tmp/secmmu.XXXXXX");
	if (!mkdtemp(group->root))
		return -errno;
	if (mount("none", group->root, "cgroup2", 0, NULL)) {
		ret = -errno;
		rmdir(group->root);
		return ret;
	}
	group->mounted = true;
	return 0;
}

static int find_home(struct secmmu_group *group)
{
	char text[1024], *at;
	int ret = text_read("/proc/self/cgroup", text, sizeof(text));

	if (ret)
		return ret;
	at = strstr(text, "0::/");
	if (!at)
		return -ENOENT;
	at[strcspn(at, "\n")] = 0;
	snprintf(group->home, sizeof(group->home), "%s", at + 3);
	return 0;
}

int group_enter(struct secmmu_group *group)
{
	char path[PATH_ROOM];
	int ret;

	memset(group, 0, sizeof(*group));
	/* It may have to be mounted, and the root gets a controller. */
	if (!inside_or_told())
		return -EPERM;
	ret = find_root(group);
	ret = ret ?: find_home(group);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group->root);
	ret = text_write(path, "+memory");
	if (ret)
		return ret;
	snprintf(group->path, sizeof(group->path), "%s/secmmu.%d", group->root, getpid());
	if (mkdir(group->path, 0755)) {
		group->path[0] = 0;
		return -errno;
	}
	return group_write(group, "cgroup.procs", 0);
}

void group_leave(struct secmmu_group *group)
{
	char path[PATH_ROOM];

	if (group->path[0]) {
		snprintf(path, sizeof(path), "%s%s/cgroup.procs", group->root, group->home);
		number_write(path, 0);
		rmdir(group->path);
	}
	if (group->mounted) {
		umount(group->root);
		rmdir(group->root);
	}
	memset(group, 0, sizeof(*group));
}

long group_read(const struct secmmu_group *group, const char *file, const char *key)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	return number_read(path, key);
}

int group_write(const struct secmmu_group *group, const char *file, long number)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "%s/%s", group->path, file);
	return number_write(path, number);
}

void group_settle(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t home, one;
	bool moves = !sched_getaffinity(0, sizeof(home), &home);

	sleep_ms(SUM_MS);
	for (int i = 0; moves && i < processors; i++) {
		long end = now_ms() + BUSY_MS;

		CPU_ZERO(&one);
		CPU_SET(i, &one);
		/* If this one is not there, another is busy for nothing. */
		sched_setaffinity(0, sizeof(one), &one);
		while (now_ms() < end)
			;
	}
	if (moves)
		sched_setaffinity(0, sizeof(home), &home);
	sleep_ms(WORK_MS);
}
