// SPDX-License-Identifier: GPL-2.0
/* Operations on what an engine sees: tags, keys, domains, other mirrors; and its jobs. */
#include <sys/ioctl.h>

#include <linux/secmmu.h>
#include <linux/secmmu_test.h>

#include "act.h"

uint64_t tag_of(uint64_t number)
{
	static const uint64_t tags[NR_TAGS] = {
		0,
		1ULL << 57,			/* of 6 bits */
		0x3fULL << 57,
		1ULL << 48,			/* ... of 15 */
		0x7fffULL << 48,
	};

	return tags[number % NR_TAGS];
}

void act_tag_bits(struct world *world, const uint64_t *arg)
{
	static const uint32_t bits[] = { 0, 6, 15, 7 };
	struct secmmu_set_tag_bits set = { .tag_bits = bits[arg[1] % 4] };

	driver_call(world->mirror[arg[0]], SECMMU_SET_TAG_BITS, &set, sizeof(set),
		    arg[2]);
}

void act_refresh(struct world *world, const uint64_t *arg)
{
	struct secmmu_test_refresh refresh = {
		.size = sizeof(refresh),
		.policy = arg[1] % (SECMMU_REFRESH_GEN_BUMP + 1),
	};

	ioctl(world->mirror[arg[0]], SECMMU_TEST_REFRESH, &refresh);
}

void act_key(struct world *world, const uint64_t *arg)
{
	struct secmmu_key key = { .key = arg[2] ? arg[1] : 0 };

	driver_call(world->mirror[arg[0]],
		    arg[2] ? SECMMU_KEY_FREE : SECMMU_KEY_ALLOC, &key, sizeof(key),
		    arg[3]);
}

void act_rights(struct world *world, const uint64_t *arg)
{
	struct secmmu_rights rights = { .rights = arg[2] << 2 * (arg[1] % 16) };

	driver_call(world->engine[arg[0]],
		    arg[3] ? SECMMU_GET_RIGHTS : SECMMU_SET_RIGHTS, &rights,
		    sizeof(rights), arg[4]);
}

void act_domain(struct world *world, const uint64_t *arg)
{
	struct secmmu_domain domain = { .domain = arg[1] };

	driver_call(world->mirror[arg[0]], SECMMU_CREATE_DOMAIN, &domain,
		    sizeof(domain), arg[2]);
}

void act_enter(struct world *world, const uint64_t *arg)
{
	struct secmmu_domain domain = { .domain = arg[1] };

	driver_call(world->engine[arg[0]], SECMMU_ENTER_DOMAIN, &domain,
		    sizeof(domain), arg[2]);
}

void act_attach(struct world *world, const uint64_t *arg)
{
	struct secmmu_attach attach = {
		.mirror = world->mirror[arg[1]],
		.domain = arg[2],
	};

	driver_call(world->engine[arg[0]], SECMMU_ATTACH, &attach, sizeof(attach),
		    arg[3]);
}

void act_detach(struct world *world, const uint64_t *arg)
{
	struct secmmu_detach detach = { 0 };

	driver_call(world->engine[arg[0]], SECMMU_DETACH, &detach, sizeof(detach),
		    arg[1]);
}

void act_job(struct world *world, const uint64_t *arg)
{
	/* It outlives the call. */
	static char own[16 * PAGE];
	struct secmmu_start_job job = {
		.flags = arg[4],
		.gpa = (arg[1] * PAGE + arg[2]) ^ tag_of(arg[6]),
		.length = arg[3] * PAGE,
	};

	switch (arg[5]) {
	case 1:
		job.data = ARENA_START;
		break;
	case 2:
		job.data = ARENA_START + PAGE - 3;
		break;
	case 3:
		job.data = (uintptr_t)own;
		if (job.length > sizeof(own))
			job.length = sizeof(own);
		break;
	default:
		/* Touches the pages, moves nothing. */
		break;
	}
	driver_call(world->engine[arg[0]], SECMMU_START_JOB, &job, sizeof(job), arg[7]);
}

void act_wait_job(struct world *world, const uint64_t *arg)
{
	struct secmmu_wait_job wait = { 0 };

	driver_call(world->engine[arg[0]], SECMMU_WAIT_JOB, &wait, sizeof(wait), arg[1]);
}
