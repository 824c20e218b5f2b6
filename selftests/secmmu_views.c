// SPDX-License-Identifier: GPL-2.0
#include "secmmu_views.h"

int secmmu_create_mirror_tagged(int dev, __u32 tag_bits)
{
	struct secmmu_create_mirror arg = {
		.size = sizeof(arg),
		.flush_policy = SECMMU_FLUSH_RANGE,
		.tag_bits = tag_bits,
	};

	return secmmu_call(dev, SECMMU_CREATE_MIRROR, &arg, sizeof(arg));
}

int secmmu_create_engine_with(int mirror, __u32 flags)
{
	struct secmmu_create_engine arg = { .size = sizeof(arg), .flags = flags };

	return secmmu_call(mirror, SECMMU_CREATE_ENGINE, &arg, sizeof(arg));
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
