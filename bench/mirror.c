// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "mirror.h"

int mirror_device(void)
{
	return bench_open("/dev/secmmu", "load secmmu.ko");
}

void mirror_need_test_build(int device)
{
	struct secmmu_info info = { .size = sizeof(info) };

	if (ioctl(device, SECMMU_GET_INFO, &info))
		bench_die("cannot ask the driver: %s", strerror(errno));
	if (!(info.features & SECMMU_FEATURE_TEST))
		bench_die("the driver is no test build; load one");
}

int mirror_create(int device, uint32_t policy, uint32_t batch)
{
	struct secmmu_create_mirror create = {
		.size = sizeof(create),
		.flush_policy = policy,
		.flush_batch = batch,
	};
	int mirror = ioctl(device, SECMMU_CREATE_MIRROR, &create);

	if (mirror < 0)
		bench_die("cannot create a mirror: %s", strerror(errno));
	return mirror;
}

void mirror_slot(int mirror, uint32_t slot, uint64_t gpa, const void *hva,
		 size_t length)
{
	struct secmmu_set_slot set = {
		.size = sizeof(set),
		.slot = slot,
		.gpa = gpa,
		.hva = (uintptr_t)hva,
		.length = length,
	};

	if (ioctl(mirror, SECMMU_SET_SLOT, &set))
		bench_die("cannot set slot %u: %s", slot, strerror(errno));
}

int mirror_engine(int mirror, uint32_t flags)
{
	struct secmmu_create_engine create = {
		.size = sizeof(create),
		.flags = flags,
	};
	int engine = ioctl(mirror, SECMMU_CREATE_ENGINE, &create);

	if (engine < 0)
		bench_die("cannot create an engine: %s", strerror(errno));
	return engine;
}

void mirror_prefault(int mirror, uint64_t gpa, size_t length, uint32_t flags)
{
	struct secmmu_prefault range = {
		.size = sizeof(range),
		.flags = flags,
		.gpa = gpa,
		.length = length,
	};

	while (range.length)
		if (ioctl(mirror, SECMMU_PREFAULT, &range))
			bench_die("cannot prefault: %s", strerror(errno));
}

void mirror_touch(int engine, uint64_t gpa, size_t length)
{
	struct secmmu_start_job start = {
		.size = sizeof(start),
		.gpa = gpa,
		.length = length,
	};
	struct secmmu_wait_job wait = { .size = sizeof(wait) };

	if (ioctl(engine, SECMMU_START_JOB, &start) ||
	    ioctl(engine, SECMMU_WAIT_JOB, &wait))
		bench_die("the engine has no job: %s", strerror(errno));
	if (wait.error || wait.done != length)
		bench_die("the engine cannot touch its memory: %s",
			  strerror(wait.error));
}

void mirror_stats(int mirror, struct secmmu_stats *stats)
{
	*stats = (struct secmmu_stats) { .size = sizeof(*stats) };
	if (ioctl(mirror, SECMMU_GET_STATS, stats))
		bench_die("cannot read the mirror's counters: %s",
			  strerror(errno));
}
