// SPDX-License-Identifier: GPL-2.0
/*
 * The adapter of the example in "Bring your own", Documentation/judge.rst: an instance is an
 * open file of /dev/naive. SECMMU_NAIVE_STEP says how far the driver is, see driver/naive.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "driver/naive.h"
#include "subject.h"

#define DEVICE		"/dev/naive"
#define PARAMETER	"/sys/module/naive/parameters/step"

/**
 * struct naive - the instance
 * @fd: the open file
 */
struct naive {
	int fd;
};

/**
 * struct accessor - what one thread copies with
 * @naive: the instance
 * @misses: that its copies have reported
 */
struct accessor {
	struct naive *naive;
	uint64_t misses;
};

static int naive_probe(char *why, size_t size)
{
	const char *step = getenv("SECMMU_NAIVE_STEP");
	int fd;

	if (access(DEVICE, R_OK | W_OK)) {
		snprintf(why, size, "no " DEVICE " (module naive)");
		return -ENODEV;
	}
	if (!step)
		return 0;
	fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, step, strlen(step)) < 0) {
		snprintf(why, size, "cannot write to " PARAMETER);
		return -EINVAL;
	}
	close(fd);
	return 0;
}

static int naive_create(void **subject)
{
	struct naive *naive = calloc(1, sizeof(*naive));

	if (!naive)
		return -ENOMEM;
	naive->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (naive->fd < 0) {
		int ret = -errno;

		free(naive);
		return ret;
	}
	*subject = naive;
	return 0;
}

static void naive_destroy(void *subject)
{
	struct naive *naive = subject;

	close(naive->fd);
	free(naive);
}

static int naive_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			  void *hva, size_t length)
{
	struct naive *naive = subject;
	struct naive_slot slot = { .gpa = gpa, .hva = (uintptr_t)hva, .length = length };

	if (id || flags)
		return -EINVAL;
	return ioctl(naive->fd, NAIVE_SLOT, &slot) ? -errno : 0;
}

static int naive_slot_delete(void *subject, unsigned int id)
{
	return naive_slot_set(subject, id, 0, 0, NULL, 0);
}

static int naive_accessor_open(void *subject, void **accessor)
{
	struct accessor *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->naive = subject;
	*accessor = new;
	return 0;
}

static void naive_accessor_close(void *accessor)
{
	free(accessor);
}

/* What lies in one page; the judge asks again for the rest. */
static ssize_t copy(struct accessor *accessor, uint64_t gpa, void *buffer, size_t length,
		    bool write)
{
	size_t left = SUBJECT_PAGE - gpa % SUBJECT_PAGE;
	struct naive_copy copy = {
		.gpa = gpa,
		.buffer = (uintptr_t)buffer,
		.length = (uint32_t)(length < left ? length : left),
		.write = write,
	};
	int ret = ioctl(accessor->naive->fd, NAIVE_COPY, &copy);

	accessor->misses += copy.missed;
	if (!ret)
		return copy.length;
	/* hmm_range_fault() says -EPERM where the process may not write. */
	return errno == EPERM ? -EACCES : -errno;
}

static ssize_t naive_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	return copy(accessor, gpa, buffer, length, false);
}

static ssize_t naive_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	return copy(accessor, gpa, (void *)buffer, length, true);
}

static uint64_t naive_misses(void *accessor)
{
	const struct accessor *naive = accessor;

	return naive->misses;
}

SUBJECT(naive) = {
	.name = "naive",
	.summary = "an example that is wrong on purpose",
	.limits = SUBJECT_ONE_SLOT | SUBJECT_NO_READONLY_SLOTS | SUBJECT_NO_USERFAULT,
	.probe = naive_probe,
	.create = naive_create,
	.destroy = naive_destroy,
	.slot_set = naive_slot_set,
	.slot_delete = naive_slot_delete,
	.accessor_open = naive_accessor_open,
	.accessor_close = naive_accessor_close,
	.read = naive_read,
	.write = naive_write,
	.misses = naive_misses,
};
