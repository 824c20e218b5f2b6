// SPDX-License-Identifier: GPL-2.0
/* The driver of this project: a mirror, and an engine for each accessor. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client.h"
#include "subject.h"

/* How the negative control is made of a test build. */
#define MUTANT_FILE	"/sys/module/secmmu/parameters/mutant"
#define MUTANT		"ignore-invalidate"

/**
 * struct secmmu - the instance
 * @mirror: descriptor of the mirror
 */
struct secmmu {
	int mirror;
};

/**
 * struct engine - an accessor
 * @mirror: its mirror
 * @fd: descriptor of the engine
 */
struct engine {
	int mirror;
	int fd;
};

static int secmmu_probe(char *why, size_t size)
{
	struct secmmu_info info = { .size = sizeof(info) };
	int device = secmmu_open();
	int ret;

	if (device < 0) {
		snprintf(why, size, "no " SECMMU_DEVICE " (module secmmu)");
		return device;
	}
	ret = secmmu_call(device, SECMMU_GET_INFO, &info, sizeof(info));
	close(device);
	if (ret < 0 || info.abi_version != SECMMU_ABI_VERSION) {
		snprintf(why, size, "another version of the driver");
		return -EPROTO;
	}
	return 0;
}

static int broken_probe(char *why, size_t size)
{
	int ret = secmmu_probe(why, size);
	int fd;

	if (ret)
		return ret;
	fd = open(MUTANT_FILE, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, MUTANT, strlen(MUTANT)) < 0) {
		snprintf(why, size, "no test build of the driver");
		ret = -ENODEV;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

static int secmmu_create(void **subject)
{
	struct secmmu *secmmu;
	int device = secmmu_open();
	int mirror;

	if (device < 0)
		return device;
	mirror = secmmu_create_mirror(device, SECMMU_FLUSH_RANGE, 0);
	close(device);
	if (mirror < 0)
		return mirror;
	secmmu = malloc(sizeof(*secmmu));
	if (!secmmu) {
		close(mirror);
		return -ENOMEM;
	}
	secmmu->mirror = mirror;
	*subject = secmmu;
	return 0;
}

static void secmmu_destroy(void *subject)
{
	struct secmmu *secmmu = subject;

	close(secmmu->mirror);
	free(secmmu);
}

static int secmmu_slot_set(void *subject, unsigned int id, unsigned int flags, uint64_t gpa,
			   void *hva, size_t length)
{
	const struct secmmu *secmmu = subject;

	return secmmu_set_slot(secmmu->mirror, id,
			       (flags & SLOT_READONLY ? SECMMU_SLOT_READONLY : 0) |
			       (flags & SLOT_LOG_DIRTY ? SECMMU_SLOT_LOG_DIRTY : 0),
			       gpa, hva, length);
}

static int secmmu_slot_delete(void *subject, unsigned int id)
{
	const struct secmmu *secmmu = subject;

	return secmmu_delete_slot(secmmu->mirror, id);
}

static int secmmu_accessor_open(void *subject, void **accessor)
{
	const struct secmmu *secmmu = subject;
	struct engine *engine = malloc(sizeof(*engine));

	if (!engine)
		return -ENOMEM;
	engine->mirror = secmmu->mirror;
	engine->fd = secmmu_create_engine(secmmu->mirror);
	if (engine->fd < 0) {
		int ret = engine->fd;

		free(engine);
		return ret;
	}
	*accessor = engine;
	return 0;
}

static void secmmu_accessor_close(void *accessor)
{
	struct engine *engine = accessor;

	close(engine->fd);
	free(engine);
}

static ssize_t secmmu_read(void *accessor, uint64_t gpa, void *buffer, size_t length)
{
	const struct engine *engine = accessor;

	return gpa_read(engine->fd, buffer, length, gpa);
}

static ssize_t secmmu_write(void *accessor, uint64_t gpa, const void *buffer, size_t length)
{
	const struct engine *engine = accessor;

	return gpa_write(engine->fd, buffer, length, gpa);
}

/* A call that stops early has got on; it says so, or what keeps it. */
static int prefault_range(void *accessor, uint64_t gpa, size_t length, bool write)
{
	struct secmmu_prefault range = {
		.size = sizeof(range),
		.flags = write ? SECMMU_PREFAULT_WRITE : 0,
		.gpa = gpa,
		.length = length,
	};
	const struct engine *engine = accessor;
	int ret = 0;

	while (range.length && !ret)
		ret = secmmu_call(engine->mirror, SECMMU_PREFAULT, &range, sizeof(range));
	return ret;
}

static int get_dirty(void *subject, unsigned int id, uint64_t *bitmap, size_t pages)
{
	const struct secmmu *secmmu = subject;

	return secmmu_dirty_log(secmmu->mirror, id, 0, pages, bitmap);
}

static struct secmmu_stats get_stats(int mirror)
{
	struct secmmu_stats stats = { 0 };

	/* Fails for no live mirror. */
	secmmu_get_stats(mirror, &stats);
	return stats;
}

/* All engines' together: fine for a check, which has one at work. */
static uint64_t count_misses(void *accessor)
{
	const struct engine *engine = accessor;

	return get_stats(engine->mirror).faults;
}

static uint64_t count_invalidations(void *subject)
{
	const struct secmmu *secmmu = subject;

	return get_stats(secmmu->mirror).events;
}

#define OPERATIONS				\
	.limits = SUBJECT_NO_EACCES,		\
	.ages = true,				\
	.create = secmmu_create,		\
	.destroy = secmmu_destroy,		\
	.slot_set = secmmu_slot_set,		\
	.slot_delete = secmmu_slot_delete,	\
	.accessor_open = secmmu_accessor_open,	\
	.accessor_close = secmmu_accessor_close, \
	.read = secmmu_read,			\
	.write = secmmu_write,			\
	.prefault = prefault_range,		\
	.dirty = get_dirty,			\
	.misses = count_misses,			\
	.invalidations = count_invalidations

SUBJECT(secmmu) = {
	.name = "secmmu",
	.summary = "the driver of this project, an engine for each accessor",
	.probe = secmmu_probe,
	OPERATIONS
};

/* The negative control: the bug stays switched on, so this one comes last. */
SUBJECT(secmmu_broken) = {
	.name = "secmmu-broken",
	.summary = "the same with the seeded bug " MUTANT ", to be convicted",
	.probe = broken_probe,
	OPERATIONS
};
