// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

/* Longer arguments are not compared after an error. */
#define MAX_SNAPSHOT	8192

int secmmu_open(void)
{
	int fd = open(SECMMU_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int secmmu_call(int fd, unsigned long cmd, void *arg, size_t len)
{
	unsigned char before[MAX_SNAPSHOT];
	int ret, err;

	if (len > sizeof(before))
		len = 0;
	if (len)
		memcpy(before, arg, len);
	ret = ioctl(fd, cmd, arg);
	err = errno;
	if (ret >= 0)
		return ret;
	return len && memcmp(before, arg, len) ? -EBADMSG : -err;
}

int secmmu_create_mirror(int dev, __u32 policy, __u32 batch)
{
	struct secmmu_create_mirror arg = {
		.size = sizeof(arg),
		.flush_policy = policy,
		.flush_batch = batch,
	};

	return secmmu_call(dev, SECMMU_CREATE_MIRROR, &arg, sizeof(arg));
}

int secmmu_create_mirror_of(int dev, pid_t pid)
{
	struct secmmu_create_mirror arg = { .size = sizeof(arg), .pid = pid };

	return secmmu_call(dev, SECMMU_CREATE_MIRROR, &arg, sizeof(arg));
}

int secmmu_create_mirror_refilled(int dev)
{
	struct secmmu_create_mirror arg = {
		.size = sizeof(arg),
		.flags = SECMMU_MIRROR_REFILL,
	};

	return secmmu_call(dev, SECMMU_CREATE_MIRROR, &arg, sizeof(arg));
}

int secmmu_create_mirror_tagged(int dev, __u32 tag_bits)
{
	struct secmmu_create_mirror arg = { .size = sizeof(arg), .tag_bits = tag_bits };

	return secmmu_call(dev, SECMMU_CREATE_MIRROR, &arg, sizeof(arg));
}

int secmmu_create_engine_with(int mirror, __u32 flags)
{
	struct secmmu_create_engine arg = { .size = sizeof(arg), .flags = flags };

	return secmmu_call(mirror, SECMMU_CREATE_ENGINE, &arg, sizeof(arg));
}

int secmmu_create_engine(int mirror)
{
	return secmmu_create_engine_with(mirror, 0);
}

int secmmu_set_slot_in(int mirror, __u32 slot, __u32 flags, __u32 key, __u32 domains,
		       __u64 gpa, const void *hva, __u64 length)
{
	struct secmmu_set_slot arg = {
		.size = sizeof(arg),
		.slot = slot,
		.flags = flags,
		.key = key,
		.domains = domains,
		.gpa = gpa,
		.hva = (uintptr_t)hva,
		.length = length,
	};

	return secmmu_call(mirror, SECMMU_SET_SLOT, &arg, sizeof(arg));
}

int secmmu_set_slot(int mirror, __u32 slot, __u32 flags, __u64 gpa, const void *hva,
		    __u64 length)
{
	return secmmu_set_slot_in(mirror, slot, flags, 0, 0, gpa, hva, length);
}

int secmmu_delete_slot(int mirror, __u32 slot)
{
	return secmmu_set_slot(mirror, slot, 0, 0, NULL, 0);
}

int secmmu_get_stats(int mirror, struct secmmu_stats *stats)
{
	memset(stats, POISON_BYTE, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->reserved = 0;
	return secmmu_call(mirror, SECMMU_GET_STATS, stats, sizeof(*stats));
}

int secmmu_prefault(int mirror, __u32 flags, __u64 gpa, __u64 length,
		    struct secmmu_prefault *arg)
{
	*arg = (struct secmmu_prefault) {
		.size = sizeof(*arg),
		.flags = flags,
		.gpa = gpa,
		.length = length,
	};
	return secmmu_call(mirror, SECMMU_PREFAULT, arg, sizeof(*arg));
}

int secmmu_dirty_log(int mirror, __u32 slot, __u64 first, __u64 pages,
		     const void *bitmap)
{
	struct secmmu_get_dirty_log arg = {
		.size = sizeof(arg),
		.slot = slot,
		.first_page = first,
		.nr_pages = pages,
		.bitmap = (uintptr_t)bitmap,
	};

	return secmmu_call(mirror, SECMMU_GET_DIRTY_LOG, &arg, sizeof(arg));
}

ssize_t gpa_read(int engine, void *buf, size_t len, __u64 gpa)
{
	ssize_t ret = pread(engine, buf, len, gpa);

	return ret < 0 ? -errno : ret;
}

ssize_t gpa_write(int engine, const void *buf, size_t len, __u64 gpa)
{
	ssize_t ret = pwrite(engine, buf, len, gpa);

	return ret < 0 ? -errno : ret;
}

int tag_bits_set(int mirror, __u32 bits)
{
	struct secmmu_set_tag_bits arg = { .size = sizeof(arg), .tag_bits = bits };

	return secmmu_call(mirror, SECMMU_SET_TAG_BITS, &arg, sizeof(arg));
}

int key_alloc(int mirror)
{
	struct secmmu_key arg = { .size = sizeof(arg) };

	return secmmu_call(mirror, SECMMU_KEY_ALLOC, &arg, sizeof(arg));
}

int key_free(int mirror, __u32 key)
{
	struct secmmu_key arg = { .size = sizeof(arg), .key = key };

	return secmmu_call(mirror, SECMMU_KEY_FREE, &arg, sizeof(arg));
}

int rights_set(int engine, __u32 rights)
{
	struct secmmu_rights arg = { .size = sizeof(arg), .rights = rights };

	return secmmu_call(engine, SECMMU_SET_RIGHTS, &arg, sizeof(arg));
}

int rights_get(int engine, __u32 *rights)
{
	struct secmmu_rights arg = { .size = sizeof(arg) };
	int err = secmmu_call(engine, SECMMU_GET_RIGHTS, &arg, sizeof(arg));

	*rights = arg.rights;
	return err;
}

static int domain_call(int fd, unsigned long cmd, __u32 domain)
{
	struct secmmu_domain arg = { .size = sizeof(arg), .domain = domain };

	return secmmu_call(fd, cmd, &arg, sizeof(arg));
}

int domain_create(int mirror, __u32 domain)
{
	return domain_call(mirror, SECMMU_CREATE_DOMAIN, domain);
}

int domain_enter(int engine, __u32 domain)
{
	return domain_call(engine, SECMMU_ENTER_DOMAIN, domain);
}

int engine_attach(int engine, int mirror, __u32 domain)
{
	struct secmmu_attach arg = {
		.size = sizeof(arg),
		.mirror = mirror,
		.domain = domain,
	};

	return secmmu_call(engine, SECMMU_ATTACH, &arg, sizeof(arg));
}

int engine_detach(int engine)
{
	struct secmmu_detach arg = { .size = sizeof(arg) };

	return secmmu_call(engine, SECMMU_DETACH, &arg, sizeof(arg));
}

int job_start(int engine, __u32 flags, __u64 gpa, __u64 length, const void *data)
{
	struct secmmu_start_job arg = {
		.size = sizeof(arg),
		.flags = flags,
		.gpa = gpa,
		.length = length,
		.data = (uintptr_t)data,
	};

	return secmmu_call(engine, SECMMU_START_JOB, &arg, sizeof(arg));
}

long long job_wait(int engine, int *error)
{
	struct secmmu_wait_job arg = { .size = sizeof(arg) };
	int err = secmmu_call(engine, SECMMU_WAIT_JOB, &arg, sizeof(arg));

	*error = arg.error;
	return err ? err : (long long)arg.done;
}
