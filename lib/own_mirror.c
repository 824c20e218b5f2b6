// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "own_mirror.h"

int mirror_need(int ret, const char *what)
{
	if (ret < 0)
		die("cannot %s: %s", what, strerror(-ret));
	return ret;
}

static void get_info(int device, struct secmmu_info *info)
{
	*info = (struct secmmu_info) { .size = sizeof(*info) };
	mirror_need(secmmu_call(device, SECMMU_GET_INFO, info, sizeof(*info)),
		    "ask /dev/secmmu for its version");
}

int mirror_device(void)
{
	struct secmmu_info info;
	int device = secmmu_open();

	if (device == -EACCES || device == -EPERM)
		die("no permission to open /dev/secmmu: it takes root, or group kvm");
	if (device == -ENOENT || device == -ENODEV || device == -ENXIO)
		die("no /dev/secmmu: load the driver: modprobe secmmu, or insmod secmmu.ko");
	mirror_need(device, "open /dev/secmmu");
	get_info(device, &info);
	if (info.abi_version != SECMMU_ABI_VERSION)
		die("/dev/secmmu has ABI version %u, not %u", info.abi_version,
		    SECMMU_ABI_VERSION);
	return device;
}

void mirror_need_test_build(int device)
{
	struct secmmu_info info;

	get_info(device, &info);
	if (!(info.features & SECMMU_FEATURE_TEST))
		die("this takes a test build of the driver: make modules TEST=1");
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
		die("an engine cannot read: %s", strerror(errno));
}

void mirror_begin_touch(int engine, uint64_t gpa, size_t length)
{
	mirror_need(job_start(engine, 0, gpa, length, NULL), "start a job");
}

void mirror_end_touch(int engine, size_t length)
{
	int error;
	long long done = job_wait(engine, &error);

	if (error || done != (long long)length)
		die("the engine cannot touch its memory: %s", strerror(error));
}

void mirror_touch(int engine, uint64_t gpa, size_t length)
{
	mirror_begin_touch(engine, gpa, length);
	mirror_end_touch(engine, length);
}

void mirror_stats(int mirror, struct secmmu_stats *stats)
{
	int err;

	/* A signal that has been noted ends no call. */
	do {
		err = secmmu_get_stats(mirror, stats);
	} while (err == -EINTR);
	mirror_need(err, "read the mirror's counters");
}
