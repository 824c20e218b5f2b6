// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/secmmu_test.h>

#include "secmmu_fail.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

#define DEBUG	"/sys/kernel/debug/"
/* Counts down with each failed copy: tells them from failed allocations. */
#define COPIES	DEBUG "fail_usercopy/times"
#define MANY	1000000000L

/* Of the kernel. Nothing is spared; a failure is no news for its log. */
static const struct {
	const char *path, *value;
} setting[FAIL_SETTINGS] = {
	{ DEBUG "failslab/ignore-gfp-wait", "N" },
	{ DEBUG "failslab/verbose", "0" },
	{ DEBUG "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUG "fail_page_alloc/min-order", "0" },
	{ DEBUG "fail_page_alloc/verbose", "0" },
	{ DEBUG "fail_usercopy/verbose", "0" },
};

/* A countdown, or with zero the end of it, which tells what it has hit. */
static int call_driver(int dev, unsigned int nth)
{
	struct secmmu_test_fail arg = { .size = sizeof(arg), .nth = nth };
	int ret = secmmu_call(dev, SECMMU_TEST_FAIL, &arg, sizeof(arg));

	return ret ?: nth ? 0 : (int)arg.hit;
}

static int start_driver(struct fail *fail, int dev)
{
	int ret = call_driver(dev, 0);

	fail->fd = dev;
	/* Nothing to end: that it knows. */
	return ret == -ESRCH ? 0 : ret;
}

static void stop_kernel(struct fail *fail)
{
	int i;

	for (i = 0; i < FAIL_SETTINGS; i++)
		if (fail->saved[i][0])
			text_write(setting[i].path, fail->saved[i]);
	close(fail->fd);
}

static int start_kernel(struct fail *fail)
{
	int i, ret = 0;

	fail->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail->fd < 0)
		return -errno;
	for (i = 0; i < FAIL_SETTINGS && !ret; i++)
		ret = text_read(setting[i].path, fail->saved[i], sizeof(fail->saved[i]));
	for (i = 0; i < FAIL_SETTINGS && !ret; i++)
		ret = text_write(setting[i].path, setting[i].value);
	ret = ret ?: number_write(COPIES, MANY);
	if (ret)
		stop_kernel(fail);
	return ret;
}

static int arm_kernel(struct fail *fail, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	fail->copies = number_read(COPIES, "");
	if (fail->copies < 0)
		return fail->copies;
	return pwrite(fail->fd, text, len, 0) == len ? 0 : -errno;
}

static int disarm_kernel(struct fail *fail)
{
	char text[16] = "";
	long copies;

	/* The copies of these two calls may fail instead: then nothing had before. */
	if (pread(fail->fd, text, sizeof(text) - 1, 0) < 0)
		return errno == EFAULT ? FAIL_NOTHING : -errno;
	if (strtol(text, NULL, 10)) {
		if (pwrite(fail->fd, "0", 1, 0) < 0 && errno != EFAULT)
			return -errno;
		return FAIL_NOTHING;
	}
	copies = number_read(COPIES, "");
	if (copies < 0)
		return copies;
	return copies == fail->copies ? FAIL_ALLOCATION : FAIL_COPY;
}

int fail_start(struct fail *fail, enum fail_by by, int dev)
{
	int ret;

	memset(fail, 0, sizeof(*fail));
	fail->by = by;
	ret = by == FAIL_BY_DRIVER ? start_driver(fail, dev) : start_kernel(fail);
	if (ret)
		fail->fd = 0;
	return ret;
}

void fail_stop(struct fail *fail)
{
	if (!fail->fd)
		return;
	if (fail->by == FAIL_BY_DRIVER)
		call_driver(fail->fd, 0);
	else
		stop_kernel(fail);
	fail->fd = 0;
}

int fail_arm(struct fail *fail, unsigned int nth)
{
	return fail->by == FAIL_BY_DRIVER ? call_driver(fail->fd, nth) :
					    arm_kernel(fail, nth);
}

int fail_disarm(struct fail *fail)
{
	return fail->by == FAIL_BY_DRIVER ? call_driver(fail->fd, 0) :
					    disarm_kernel(fail);
}
