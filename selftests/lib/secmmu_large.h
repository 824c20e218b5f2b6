/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of tests of 2 MiB entries, and what they all do. A test includes this once,
 * after it has defined LARGE, the fixture's name.
 */
#ifndef SECMMU_LARGE_H
#define SECMMU_LARGE_H

#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define BLOCK	(HUGE_SIZE / PAGE)
#define BLOCKS	3L
#define PAGES	(BLOCKS * BLOCK)

/* The harness pastes names, and would paste LARGE itself. */
#define LARGE_FIXTURE(name)		FIXTURE(name)
#define LARGE_SETUP(name)		FIXTURE_SETUP(name)
#define LARGE_TEARDOWN(name)		FIXTURE_TEARDOWN(name)
#define LARGE_DATA_OF(name)		FIXTURE_DATA(name)
#define LARGE_DATA			LARGE_DATA_OF(LARGE)

LARGE_FIXTURE(LARGE)
{
	int dev, mirror, engine;
	struct actor actor;
	int first;	/* gate in which the first invalidation stands */
};

LARGE_SETUP(LARGE)
{
	ACTOR_SETUP_HUGE(PAGES);
}

LARGE_TEARDOWN(LARGE)
{
	if (self->dev >= 0)
		gates_clear(self->dev);
	if (self->actor.pid)
		actor_stop(&self->actor);
	close(self->dev);
}

static inline long large(LARGE_DATA *self)
{
	struct secmmu_stats stats;
	int ret = secmmu_get_stats(self->mirror, &stats);

	return ret ?: (long)stats.large;
}

/* The engine reads a page, through an entry of 2 MiB. */
static inline void read_large(struct __test_metadata *_metadata, LARGE_DATA *self, long page)
{
	EXPECT_GPA(label(page, 1), self->engine, ACTOR_GPA(page));
	ASSERT_LE(1, large(self));
}

static inline int prefault(LARGE_DATA *self, __u32 flags, long page)
{
	struct secmmu_prefault range;

	return secmmu_prefault(self->mirror, flags, ACTOR_GPA(page), PAGE, &range);
}

/* A whole event that changes nothing. */
static inline void pass_event(struct __test_metadata *_metadata, LARGE_DATA *self,
			      long page, long pages)
{
	PASS_EVENT(ACTOR_MEM(page), pages);
}

/* Translations that engines would use without looking, or an error. */
static inline long live_entries(LARGE_DATA *self)
{
	struct secmmu_test_oracle result;
	int ret = oracle_check(self->mirror, &result);

	return ret ?: (long)result.tlb_entries;
}

/* A fault on page 5 of the first block, which it would map as a whole, is under way. */
static inline int hold_fault(struct __test_metadata *_metadata, LARGE_DATA *self, bool write)
{
	int got = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(5), 0, ACT_PREFAULT, ACTOR_GPA(5), 1,
			     write ? SECMMU_PREFAULT_WRITE : 0);

	return got;
}

#endif /* SECMMU_LARGE_H */
