// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mirror.h"

int mirror_need(int ret, const char *what)
{
	if (ret < 0)
		bench_die("cannot %s: %s", what, strerror(-ret));
	return ret;
}

int mirror_device(void)
{
	return bench_open(SECMMU_DEVICE, "load secmmu.ko");
}

void mirror_need_test_build(int device)
{
	struct secmmu_info info = { .size = sizeof(info) };

	mirror_need(secmmu_call(device, SECMMU_GET_INFO, &info, sizeof(info)),
		    "ask the driver");
	if (!(info.features & SECMMU_FEATURE_TEST))
		bench_die("the driver is no test build; load one");
}

int mirror_create(int device)
{
	return mirror_need(secmmu_create_mirror(device, SECMMU_FLUSH_RANGE, 0),
			   "create a mirror");
}

void mirror_slot(int mirror, uint32_t slot, uint64_t gpa, const void *hva,
		 size_t length)
{
	mirror_need(secmmu_set_slot(mirror, slot, 0, gpa, hva, length), "set a slot");
}

void mirror_renew_slot(int mirror, uint32_t slot, uint64_t gpa, const void *hva,
		       size_t length)
{
	mirror_need(secmmu_delete_slot(mirror, slot), "delete a slot");
	mirror_slot(mirror, slot, gpa, hva, length);
}

int mirror_engine(int mirror, uint32_t flags)
{
	return mirror_need(secmmu_create_engine_with(mirror, flags), "create an engine");
}

void mirror_prefault(int mirror, uint32_t domain, uint64_t gpa, size_t length,
		     uint32_t flags)
{
	struct secmmu_prefault range = {
		.size = sizeof(range),
		.flags = flags,
		.gpa = gpa,
		.length = length,
		.domain = domain,
	};

	while (range.length)
		mirror_need(secmmu_call(mirror, SECMMU_PREFAULT, &range, sizeof(range)),
			    "prefault");
}

void mirror_read_word(int engine, uint64_t gpa)
{
	uint64_t word;

	if (pread(engine, &word, sizeof(word), gpa) != sizeof(word))
		bench_die("an engine cannot read: %s", strerror(errno));
}

void mirror_touch(int engine, uint64_t gpa, size_t length)
{
	long long done;
	int error;

	mirror_need(job_start(engine, 0, gpa, length, NULL), "start a job");
	done = job_wait(engine, &error);
	if (error || done != (long long)length)
		bench_die("the engine cannot touch its memory: %s", strerror(error));
}

void mirror_stats(int mirror, struct secmmu_stats *stats)
{
	mirror_need(secmmu_get_stats(mirror, stats), "read the mirror's counters");
}

void mirror_count(int mirror, const struct secmmu_stats *before,
		  struct secmmu_stats *after, struct bench_sample *sample)
{
	mirror_stats(mirror, after);
	sample->counted = true;
	sample->flushes = after->flushes - before->flushes;
	sample->interrupts = after->interrupts - before->interrupts;
}
