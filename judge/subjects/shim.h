/* SPDX-License-Identifier: GPL-2.0 */
/* What the adapters of the shims share; see ../shims/shims.h. */
#ifndef JUDGE_SUBJECTS_SHIM_H
#define JUDGE_SUBJECTS_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "shims/shims.h"

/**
 * struct shim - an instance
 * @fd: the open file
 */
struct shim {
	int fd;
};

/**
 * struct shim_accessor - an accessor
 * @shim: its instance
 * @misses: that it has met
 */
struct shim_accessor {
	const struct shim *shim;
	uint64_t misses;
};

static inline int shim_probe(const char *device, char *why, size_t size)
{
	if (!access(device, R_OK | W_OK))
		return 0;
	snprintf(why, size, "no %s (a module of judge/shims)", device);
	return -ENODEV;
}

static inline int shim_create(const char *device, void **subject)
{
	struct shim *shim = malloc(sizeof(*shim));

	if (!shim)
		return -ENOMEM;
	shim->fd = open(device, O_RDWR | O_CLOEXEC);
	if (shim->fd < 0) {
		int ret = -errno;

		free(shim);
		return ret;
	}
	*subject = shim;
	return 0;
}

static inline void shim_destroy(void *subject)
{
	struct shim *shim = subject;

	close(shim->fd);
	free(shim);
}

static inline int shim_accessor_open(void *subject, void **accessor)
{
	struct shim_accessor *own = calloc(1, sizeof(*own));

	if (!own)
		return -ENOMEM;
	own->shim = subject;
	*accessor = own;
	return 0;
}

static inline void shim_accessor_close(void *accessor)
{
	free(accessor);
}

static inline ssize_t shim_transfer(struct shim_accessor *accessor, unsigned long command,
				    uint64_t gpa, void *buffer, size_t length)
{
	struct judge_transfer transfer = {
		.address = gpa,
		.buffer = (uintptr_t)buffer,
		.length = length,
	};
	int done = ioctl(accessor->shim->fd, command, &transfer);

	accessor->misses += transfer.misses;
	if (done >= 0)
		return done;
	return errno == EPERM ? -EACCES : -errno;
}

static inline ssize_t shim_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	return shim_transfer(accessor, JUDGE_READ, gpa, buffer, length);
}

static inline ssize_t shim_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	return shim_transfer(accessor, JUDGE_WRITE, gpa, (void *)buffer, length);
}

static inline uint64_t shim_misses(void *accessor)
{
	const struct shim_accessor *own = accessor;

	return own->misses;
}

#endif /* JUDGE_SUBJECTS_SHIM_H */
