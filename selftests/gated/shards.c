// SPDX-License-Identifier: GPL-2.0
/*
 * Events and faults in several blocks of 2 MiB, which the driver records apart from each
 * other. Needs a test build.
 */
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"

/* More blocks than there are shards. */
#define BLOCKS		36L
#define BLOCK_PAGES	512L
#define PAGES		(BLOCKS * BLOCK_PAGES)

/* A page of a block. */
#define IN(block, page)	((block) * BLOCK_PAGES + (page))

ACTOR_FIXTURE(shards, PAGES)

static void begin_prefault(FIXTURE_DATA(shards) *self, int thread, long page)
{
	ACTOR_DO(thread, ACT_PREFAULT, ACTOR_GPA(page), 1, 0);
}

/* No event that the prefault has to wait for. */
static void expect_free(TEST_ARGS(shards), long page)
{
	begin_prefault(self, 0, page);
	ASSERT_FALSE(actor_waits(&self->actor, 0, 1));
	EXPECT_ANSWER(0, 0);
}

/* The prefault waits until the event from @first on ends. */
static void expect_covered(TEST_ARGS(shards), long page, long first, long pages)
{
	EVENT_BEGIN(ACTOR_MEM(first), pages);
	begin_prefault(self, 0, page);
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(first), pages);
	EXPECT_ANSWER(0, 0);
	EXPECT_STATE(0, events);
}

/* Events that begin and end anywhere in a block. */
static const struct {
	long first, pages;
} wides[] = {
	{ IN(1, 511), 2 },
	{ IN(1, 0), 2 * BLOCK_PAGES },
	{ IN(1, 1), 2 * BLOCK_PAGES },
	{ IN(2, 300), 5 * BLOCK_PAGES + 7 },
	{ IN(3, 0), 16 * BLOCK_PAGES },
	{ IN(3, 100), 16 * BLOCK_PAGES },
	{ IN(1, 100), 31 * BLOCK_PAGES },
	{ IN(0, 0), PAGES },
};

/* Its first page, its last one, and one of each block between. */
SECMMU_TEST_F_TIMEOUT(shards, A19_each_block_of_an_event, SECMMU_TIMEOUT_LONG)
{
	size_t i;

	for (i = 0; i < sizeof(wides) / sizeof(*wides); i++) {
		long first = wides[i].first, pages = wides[i].pages, last = first + pages - 1;
		struct secmmu_stats a;
		long block;

		GET_STATS(a);
		expect_covered(_metadata, self, first, first, pages);
		expect_covered(_metadata, self, last, first, pages);
		for (block = first / BLOCK_PAGES + 1; block <= last / BLOCK_PAGES; block++)
			expect_covered(_metadata, self, IN(block, 0), first, pages);
		/* Each event counts once, whatever it covers. */
		EXPECT_SINCE(2 + last / BLOCK_PAGES - first / BLOCK_PAGES, a, events);
		EXPECT_SINCE(0, a, unpaired);
		EVENT_BEGIN(ACTOR_MEM(first), pages);
		EXPECT_STATE(1, events);
		if (first)
			expect_free(_metadata, self, first - 1);
		if (last < PAGES - 1)
			expect_free(_metadata, self, last + 1);
		EVENT_END(ACTOR_MEM(first), pages);
	}
}

/* A fault that is under way when the event comes is hit in any of its blocks. */
SECMMU_TEST_F(shards, A19_fault_comes_first)
{
	static const long pages[] = { IN(2, 300), IN(3, 0), IN(5, 17), IN(7, 306) };
	struct secmmu_stats a;
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		int post = GATE_ARM(FAULT_GOT, ACTOR_MEM(pages[i]));

		GET_STATS(a);
		begin_prefault(self, 0, pages[i]);
		GATE_WAIT(post);
		PASS_EVENT(ACTOR_MEM(IN(2, 300)), 5 * BLOCK_PAGES + 7);
		GATE_OPEN(post);
		EXPECT_ANSWER(0, 0);
		EXPECT_SINCE(1, a, retries);
	}
}

/* Events of several blocks end in another order than they began, and by their own range. */
SECMMU_TEST_F(shards, A4_wide_events_overlap)
{
	EVENT_BEGIN(ACTOR_MEM(IN(1, 0)), 3 * BLOCK_PAGES);
	EVENT_BEGIN(ACTOR_MEM(IN(2, 0)), 3 * BLOCK_PAGES);
	EVENT_BEGIN(ACTOR_MEM(IN(1, 0)), 3 * BLOCK_PAGES);
	EVENT_BEGIN(ACTOR_MEM(IN(3, 5)), 1);
	EXPECT_STATE(4, events);
	begin_prefault(self, 0, IN(3, 5));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(IN(3, 5)), 1);
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(IN(1, 0)), 3 * BLOCK_PAGES);
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(IN(2, 0)), 3 * BLOCK_PAGES);
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(IN(1, 0)), 3 * BLOCK_PAGES);
	EXPECT_ANSWER(0, 0);
	EXPECT_STATE(0, events);
	EXPECT_COUNTER(0, unpaired);
}

/*
 * An end without a begin ends nothing of what another block has beyond its array: the first
 * block, which has none, tells.
 */
SECMMU_TEST_F(shards, A5_wide_end_without_begin)
{
	long records = events_fill(self->mirror, ACTOR_MEM(IN(2, 0)));

	ASSERT_LT(0, records);
	EVENT_BEGIN(ACTOR_MEM(IN(2, 400)), 1);
	EVENT_END(ACTOR_MEM(IN(1, 0)), 2 * BLOCK_PAGES);
	EXPECT_COUNTER(1, unpaired);
	begin_prefault(self, 0, IN(2, 400));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(IN(2, 400)), 1);
	EXPECT_ANSWER(0, 0);
	EXPECT_COUNTER(1, unpaired);
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(IN(2, 0)), records));
}

/* What fills the array of one block leaves the others exact. */
SECMMU_TEST_F(shards, A10_hull_of_one_block)
{
	long records = events_fill(self->mirror, ACTOR_MEM(IN(2, 0)));

	ASSERT_LT(0, records);
	EVENT_BEGIN(ACTOR_MEM(IN(2, 300)), 1);
	EVENT_BEGIN(ACTOR_MEM(IN(3, 300)), 1);
	EVENT_BEGIN(ACTOR_MEM(IN(2, 400)), 1);
	expect_free(_metadata, self, IN(3, 350));
	begin_prefault(self, 0, IN(2, 350));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(IN(2, 400)), 1);
	EVENT_END(ACTOR_MEM(IN(3, 300)), 1);
	EVENT_END(ACTOR_MEM(IN(2, 300)), 1);
	EXPECT_ANSWER(0, 0);
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(IN(2, 0)), records));
}

/*
 * Host and guest addresses are not aligned alike: a fault of several pages, which are in one
 * table, ends where its block of host memory does.
 */
SECMMU_TEST_F(shards, A19_fault_across_blocks)
{
	const long before = 4, around = 8;
	int post;

	ACTOR_RUN(0, ACT_SLOT, 0, 0, 0, 0, 0);
	ACTOR_RUN(0, ACT_SLOT, 0, ACTOR_GPA(0), IN(1, BLOCK_PAGES - before), around, 0);
	post = GATE_ARM(FAULT_GOT, ACTOR_MEM(IN(1, BLOCK_PAGES - before)));
	ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(0), around, 0);
	GATE_WAIT(post);
	/* The page after the block goes while the fault is under way. */
	ACTOR_RUN(1, ACT_MADVISE, IN(2, 0), 1, MADV_DONTNEED);
	GATE_OPEN(post);
	EXPECT_ANSWER(0, 0);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
