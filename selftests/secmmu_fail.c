// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "secmmu_fail.h"
#include "secmmu_sys.h"

#define DEBUG	"/sys/kernel/debug/"
/* Counts down with each failed copy: tells them from failed allocations. */
#define COPIES	DEBUG "fail_usercopy/times"
#define MANY	1000000000L

/* Nothing is spared; a failure is no news for the kernel's log. */
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

int fail_start(struct fail *fail)
{
	int i, ret = 0;

	fail->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail->fd < 0)
		return -errno;
	for (i = 0; i < FAIL_SETTINGS && !ret; i++)
		ret = text_read(setting[i].path, fail->saved[i],
				sizeof(fail->saved[i]));
	for (i = 0; i < FAIL_SETTINGS && !ret; i++)
		ret = text_write(setting[i].path, setting[i].value);
	ret = ret ?: number_write(COPIES, MANY);
	if (ret)
		fail_stop(fail);
	return ret;
}

void fail_stop(struct fail *fail)
{
	int i;

	for (i = 0; i < FAIL_SETTINGS; i++)
		if (fail->saved[i][0])
			text_write(setting[i].path, fail->saved[i]);
	close(fail->fd);
	fail->fd = -1;
}

int fail_arm(struct fail *fail, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	fail->copies = number_read(COPIES, "");
	if (fail->copies < 0)
		return fail->copies;
	return pwrite(fail->fd, text, len, 0) == len ? 0 : -errno;
}

int fail_disarm(struct fail *fail)
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
