// SPDX-License-Identifier: GPL-2.0
/*
 * lib/test_hmm.c of the kernel, its own test of HMM: each open file mirrors the opener's
 * whole memory by hmm_range_fault() and one interval notifier. A gpa is an address.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "subject.h"
#include "test_hmm.h"

/**
 * struct dmirror - an accessor, which is a mirror of its own
 * @fd: the open file
 * @misses: faults that its commands have reported
 */
struct dmirror {
	int fd;
	uint64_t misses;
};

static int hmm_probe(char *why, size_t size)
{
	if (!access(HMM_DMIRROR_DEVICE, R_OK | W_OK))
		return 0;
	snprintf(why, size, "no " HMM_DMIRROR_DEVICE " (module test_hmm)");
	return -ENODEV;
}

/* Nothing is shared by the accessors. */
static int hmm_create(void **subject)
{
	*subject = NULL;
	return 0;
}

static int hmm_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			void *hva, size_t length)
{
	(void)subject;
	(void)id;
	(void)length;
	return flags || gpa != (uintptr_t)hva ? -EINVAL : 0;
}

static int hmm_accessor_open(void *subject, void **accessor)
{
	struct dmirror *dmirror = calloc(1, sizeof(*dmirror));

	(void)subject;
	if (!dmirror)
		return -ENOMEM;
	dmirror->fd = open(HMM_DMIRROR_DEVICE, O_RDWR | O_CLOEXEC);
	if (dmirror->fd < 0) {
		int ret = -errno;

		free(dmirror);
		return ret;
	}
	*accessor = dmirror;
	return 0;
}

static void hmm_accessor_close(void *accessor)
{
	struct dmirror *dmirror = accessor;

	close(dmirror->fd);
	free(dmirror);
}

/*
 * One page for each command: a read of several that fails has copied none of them, but
 * reports some.
 */
static ssize_t command(struct dmirror *dmirror, unsigned long number, uint64_t gpa, void *buffer,
		       size_t length)
{
	struct hmm_dmirror_cmd cmd;
	int ret;

	if (gpa % SUBJECT_PAGE || length % SUBJECT_PAGE)
		return -EINVAL;
	/* A fault that events overtake for a second is given up, and may be tried again. */
	do {
		ret = hmm_dmirror_call(dmirror->fd, number, gpa, buffer, 1, &cmd);
		dmirror->misses += cmd.faults;
	} while (ret == -EBUSY && number != HMM_DMIRROR_EXCLUSIVE);
	if (!ret)
		return (ssize_t)(cmd.cpages * SUBJECT_PAGE);
	/* A write where the process may not is -EPERM. */
	return ret == -EPERM ? -EACCES : ret;
}

static ssize_t hmm_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	return command(accessor, HMM_DMIRROR_READ, gpa, buffer, length);
}

static ssize_t hmm_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	return command(accessor, HMM_DMIRROR_WRITE, gpa, (void *)buffer, length);
}

static ssize_t hmm_migrate(void *accessor, uint64_t gpa, size_t length)
{
	const struct dmirror *dmirror = accessor;
	struct hmm_dmirror_cmd cmd;
	int ret;

	if (gpa % SUBJECT_PAGE || length != SUBJECT_PAGE)
		return -EINVAL;
	ret = hmm_dmirror_migrate(dmirror->fd, gpa, &cmd);
	return ret > 0 ? (ssize_t)SUBJECT_PAGE : ret;
}

static ssize_t hmm_make_exclusive(void *accessor, uint64_t gpa, size_t length)
{
	static char buffer[SUBJECT_PAGE];

	return command(accessor, HMM_DMIRROR_EXCLUSIVE, gpa, buffer, length);
}

static uint64_t hmm_misses(void *accessor)
{
	const struct dmirror *dmirror = accessor;

	return dmirror->misses;
}

SUBJECT(hmm) = {
	.name = "hmm",
	.summary = "lib/test_hmm.c of the kernel, a mirror for each accessor",
	.limits = SUBJECT_WHOLE_PAGES | SUBJECT_IDENTITY | SUBJECT_NO_SLOTS |
		  SUBJECT_NO_READONLY_SLOTS | SUBJECT_NO_USERFAULT,
	.probe = hmm_probe,
	.create = hmm_create,
	.slot_set = hmm_slot_set,
	.accessor_open = hmm_accessor_open,
	.accessor_close = hmm_accessor_close,
	.read = hmm_read,
	.write = hmm_write,
	.misses = hmm_misses,
	.migrate = hmm_migrate,
	.make_exclusive = hmm_make_exclusive,
};
