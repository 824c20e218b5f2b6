// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device, and pages that a device has for itself: lib/test_hmm.c of the kernel, which
 * is a second subscriber of the process too, and whose callback sleeps for its lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "acts.h"
#include "operation.h"
#include "test_hmm.h"

/* It mirrors the process that has opened it. */
static int device = -1;

/* Does a page of this process go to the device? It lies where no operation can be. */
static bool can_migrate(void)
{
	struct hmm_dmirror_cmd cmd;
	char *page = mmap(NULL, GUEST_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	bool moved;

	if (page == MAP_FAILED)
		return false;
	moved = hmm_dmirror_migrate(device, (uintptr_t)page, &cmd) > 0;
	munmap(page, GUEST_PAGE_SIZE);
	return moved;
}

/**
 * usable_device - is there a device with memory? From now on it mirrors this process
 */
USABLE(device)
{
	(void)operation;
	/* Its own reads of such pages are a bug of its own: Documentation/found.rst. */
	if (instance->ops->migrate)
		return -snprintf(why, size, "%s is the device", instance->ops->name);
	if (device < 0)
		device = open(HMM_DMIRROR_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -snprintf(why, size, "no " HMM_DMIRROR_DEVICE ": %s; the test VM takes "
				 "--load test_hmm, where the kernel has it", strerror(errno));
	if (!can_migrate())
		return -snprintf(why, size, "this kernel has no memory of devices");
	return 0;
}

/**
 * act_to_device - a page migrates to the device's memory, and back when it is touched
 *
 * Not one of KSM's: KSM would go on reading it there, which is an oops (Documentation/found.rst).
 */
ACT(to_device)
{
	struct hmm_dmirror_cmd cmd;
	int ret = scene_own_page(scene);

	if (ret)
		return ret;
	ret = hmm_dmirror_migrate(device, (uintptr_t)scene->hva, &cmd);
	scene->reached = ret > 0;
	return ret < 0 ? ret : 0;
}

/**
 * act_make_exclusive - the device has a page for itself, until it is touched
 */
ACT(make_exclusive)
{
	struct hmm_dmirror_cmd cmd;
	char content[GUEST_PAGE_SIZE];
	int error = hmm_dmirror_call(device, HMM_DMIRROR_EXCLUSIVE, (uintptr_t)scene->hva, content,
				     1, &cmd);

	scene->reached = !error && cmd.cpages == 1;
	return error;
}
