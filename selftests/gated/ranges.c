// SPDX-License-Identifier: GPL-2.0
/*
 * An event drops exactly the pages of its range, to the last one and no further, and each
 * of them is flushed under every policy. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	64L

/* Slots of eight pages each; the actor's slot 0 is gone. */
#define SLOT_PAGES	8L
static const struct {
	long page;	/* host */
	__u64 gpa_page;
} slots[] = {
	{ 8, 8 },
	/* Next to it in the process, in another table of the mirror. */
	{ 16, 1024 },
	/* Next to that in both. */
	{ 24, 1032 },
	/* Alone. */
	{ 48, 2048 },
};

FIXTURE(ranges)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(ranges)
{
	size_t i;

	ACTOR_START(PAGES, SECMMU_FLUSH_RANGE, 0);
	ACTOR_RUN(0, ACT_SLOT, 0, 0, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		ACTOR_RUN(0, ACT_SLOT, i, ACTOR_GPA(slots[i].gpa_page), slots[i].page,
			  SLOT_PAGES, 0);
}

FIXTURE_TEARDOWN(ranges)
{
	ACTOR_TEARDOWN();
}

static bool in_slot(long page)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		if (page >= slots[i].page && page < slots[i].page + SLOT_PAGES)
			return true;
	return false;
}

/* All pages of all slots go into the mirror, and from there into the TLB. */
static void map_all(TEST_ARGS(ranges))
{
	size_t i;
	long j;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		for (j = 0; j < SLOT_PAGES; j++)
			EXPECT_GPA(label(slots[i].page + j, 1), self->engine,
				   ACTOR_GPA(slots[i].gpa_page + j));
}

/* An event of [@first, @first + @pages) drops what it covers: nothing else. */
static void check_range(TEST_ARGS(ranges), long first, long pages)
{
	const char *mem = self->actor.mem + first * PAGE;
	struct secmmu_test_oracle before, after;
	struct secmmu_stats a, b;
	long covered = 0, i;

	for (i = first; i < first + pages; i++)
		covered += in_slot(i);
	map_all(_metadata, self);
	ASSERT_EQ(0, oracle_mark(self->mirror));
	ASSERT_EQ(0, oracle_check(self->mirror, &before));
	ASSERT_EQ((__u64)SLOT_PAGES * ARRAY_SIZE(slots), before.sptes);
	GET_STATS(a);
	PASS_EVENT(mem, pages);
	GET_STATS(b);
	ASSERT_EQ(0, oracle_check(self->mirror, &after));

	if (b.zapped - a.zapped != (__u64)covered || after.lost)
		TH_LOG("event of %ld pages from page %ld on:", pages, first);
	EXPECT_DELTA(covered, a, b, zapped);
	EXPECT_DELTA(!!covered, a, b, flushes);
	EXPECT_DELTA(0, a, b, unpaired);
	EXPECT_EQ(before.sptes - covered, after.sptes);
	EXPECT_EQ(0, after.lost);
	EXPECT_EQ(0, after.overflow);
	if (covered) {
		EXPECT_EQ(0, after.tlb_entries);
	}
}

SECMMU_TEST_F(ranges, B4_events_at_slot_borders)
{
	static const long range[][2] = {
		{ 8, 1 }, { 15, 1 },		/* a slot's first, last page */
		{ 11, 1 }, { 10, 3 },		/* inside */
		{ 7, 1 }, { 32, 1 }, { 0, 8 },	/* beside slots */
		{ 7, 2 }, { 31, 2 },		/* likewise, and the slot's page */
		{ 8, 8 }, { 16, 8 }, { 48, 8 },	/* a slot */
		{ 7, 10 }, { 47, 10 },		/* a slot and a page on each side */
		{ 15, 2 }, { 23, 2 },		/* one page each of two slots */
		{ 15, 10 },			/* the same and a slot between */
		{ 31, 18 },			/* the same, a gap between */
		{ 0, PAGES },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(range); i++)
		check_range(_metadata, self, range[i][0], range[i][1]);
}

/* An empty event covers nothing, is not recorded, and its end matches. */
SECMMU_TEST_F(ranges, B4_empty_event)
{
	static const long range[][2] = {
		{ 8, 0 }, { 11, 0 }, { 16, 0 }, { 24, -1 },
	};
	struct secmmu_test_state state;
	struct secmmu_stats a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(range); i++) {
		GET_STATS(a);
		check_range(_metadata, self, range[i][0], range[i][1]);
		EXPECT_SINCE(0, a, events);
		ASSERT_EQ(0, state_get(self->mirror, &state));
		EXPECT_EQ(0, state.events + state.overflow);
	}
}

FIXTURE(ledger)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_VARIANT(ledger)
{
	__u32 policy, batch;
	long pages;	/* in the event */
	__u64 flushes;
};

/* Around the size of the array. */
FIXTURE_VARIANT_ADD(ledger, array_not_full) {
	.policy = SECMMU_FLUSH_ARRAY, .batch = 8, .pages = 7, .flushes = 1,
};
FIXTURE_VARIANT_ADD(ledger, array_full) {
	.policy = SECMMU_FLUSH_ARRAY, .batch = 8, .pages = 8, .flushes = 1,
};
FIXTURE_VARIANT_ADD(ledger, array_overflow) {
	.policy = SECMMU_FLUSH_ARRAY, .batch = 8, .pages = 9, .flushes = 2,
};
FIXTURE_VARIANT_ADD(ledger, array_overflow_often) {
	.policy = SECMMU_FLUSH_ARRAY, .batch = 8, .pages = 27, .flushes = 4,
};
FIXTURE_VARIANT_ADD(ledger, each) { .policy = SECMMU_FLUSH_EACH, .pages = 5, .flushes = 5 };

/* Beyond 1024 pages, which was a limit once, and two tables. */
FIXTURE_VARIANT_ADD(ledger, range_over_1024) {
	.policy = SECMMU_FLUSH_RANGE, .pages = 1030, .flushes = 1,
};
FIXTURE_VARIANT_ADD(ledger, array_over_1024) {
	.policy = SECMMU_FLUSH_ARRAY, .batch = 512, .pages = 1030, .flushes = 3,
};

FIXTURE_SETUP(ledger)
{
	ACTOR_START(variant->pages + 2, variant->policy, variant->batch);
}

FIXTURE_TEARDOWN(ledger)
{
	ACTOR_TEARDOWN();
}

/* The event is about all pages but the first and the last. */
SECMMU_TEST_F(ledger, B1_flushes_of_one_event)
{
	const char *mem = self->actor.mem + PAGE;
	struct secmmu_prefault range;
	struct secmmu_stats a;
	long i, last = variant->pages + 1;

	ASSERT_EQ(0, secmmu_prefault(self->mirror, 0, ACTOR_BASE, (last + 1) * PAGE, &range));
	ASSERT_EQ(0, range.length);
	/* The engine knows the pages that come last. */
	for (i = last > 128 ? last - 128 : 0; i <= last; i++)
		EXPECT_GPA(label(i, 1), self->engine, ACTOR_GPA(i));
	ASSERT_EQ(0, oracle_mark(self->mirror));
	GET_STATS(a);
	EVENT_BEGIN(mem, variant->pages);
	EXPECT_DROPPED(variant->pages, variant->flushes, a);
	EXPECT_SINCE(1, a, zap_events);
	EXPECT_SINCE(0, a, assists);
	EXPECT_ORACLE(2, sptes);
	EXPECT_ORACLE(0, tlb_entries);
	EXPECT_ORACLE(0, lost);
	EVENT_END(mem, variant->pages);
}

/* Whenever the array is full it is flushed, before anything else is dropped. */
SECMMU_TEST_F(ledger, B1_flush_before_going_on)
{
	struct secmmu_prefault range;
	__u64 done = 0, flush, step = variant->batch ?: 1;
	int post, again;

	if (variant->policy == SECMMU_FLUSH_RANGE)
		step = variant->pages;
	ASSERT_EQ(0, secmmu_prefault(self->mirror, 0, ACTOR_BASE,
				     self->actor.pages * PAGE, &range));
	post = GATE_ARM_FOR(FLUSH_RAISED, 1);
	ACTOR_DO(1, ACT_MADVISE, 1, variant->pages, MADV_DONTNEED);
	for (flush = 1; flush <= variant->flushes; flush++) {
		ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, post));
		done += step;
		if (done > (__u64)variant->pages)
			done = variant->pages;
		EXPECT_ORACLE(self->actor.pages - done, sptes);
		again = GATE_ARM_FOR(FLUSH_RAISED, 1);
		GATE_OPEN(post);
		post = again;
	}
	EXPECT_ANSWER(0, 1);
	/* There was no other. */
	EXPECT_EQ(-ETIMEDOUT, gate_wait_ms(self->dev, post, 1));
}

TEST_HARNESS_MAIN
