// SPDX-License-Identifier: GPL-2.0
/* Reclaim by the limits of a memory cgroup. */
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "acts.h"
#include "inside.h"
#include "operation.h"
#include "text.h"

#define ROOT	"/tmp/storm-cgroup"
#define GROUP	ROOT "/storm"

/* Moves the process into a group of its own; what it touches from now on is the group's. */
static int enter_group(void)
{
	char pid[16];
	int error;

	if ((mkdir(ROOT, 0700) && errno != EEXIST) ||
	    (access(ROOT "/cgroup.procs", F_OK) && mount("none", ROOT, "cgroup2", 0, NULL)))
		return -errno;
	error = text_write(ROOT "/cgroup.subtree_control", "+memory");
	if (error)
		return error;
	if (mkdir(GROUP, 0700) && errno != EEXIST)
		return -errno;
	snprintf(pid, sizeof(pid), "%d", getpid());
	return text_write(GROUP "/cgroup.procs", pid);
}

/**
 * usable_reclaim - can this process be in a memory cgroup of its own? From now on it is
 */
USABLE(reclaim)
{
	int error;

	if (!inside_or_told())
		return -snprintf(why, size, "mounts cgroups: only in the test VM");
	error = usable_swap(operation, instance, why, size);
	if (error)
		return error;
	error = enter_group();
	if (error)
		return -snprintf(why, size, "no memory cgroup: %s", strerror(-error));
	if (access(GROUP "/memory.reclaim", F_OK))
		return -snprintf(why, size, "this kernel has no memory.reclaim");
	return 0;
}

/**
 * act_reclaim - reclaim some of what the process has, wherever it is
 */
ACT(reclaim)
{
	(void)scene;
	return text_write(GROUP "/memory.reclaim", "128K");
}
