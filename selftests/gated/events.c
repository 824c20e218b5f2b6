// SPDX-License-Identifier: GPL-2.0
/*
 * Events in flight that overlap, end in any order, or have never begun; also more
 * of them than are kept one by one. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	256L
/* From here on: what fills the records of single events. */
#define FAR	128L

ACTOR_FIXTURE(events, PAGES)

/* A prefault of this page waits for an event, or does not. */
static void expect_covered(TEST_ARGS(events), bool covered, long page)
{
	struct secmmu_stats a;

	GET_STATS(a);
	ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(page), 1, 0);
	if (covered) {
		ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
		return;
	}
	ASSERT_FALSE(actor_waits(&self->actor, 0, 1));
	EXPECT_ANSWER(0, 0);
	EXPECT_SINCE(0, a, waits);
	EXPECT_SINCE(0, a, retries);
}

/* All orders in which @n events that cover page 8 can end. */
static void permute(TEST_ARGS(events), const long (*range)[2], unsigned int n,
		    unsigned int order)
{
	unsigned int left = n, i;
	bool ended[4] = {};

	for (i = 0; i < n; i++)
		EVENT_BEGIN(ACTOR_MEM(range[i][0]), range[i][1]);
	expect_covered(_metadata, self, true, 8);
	while (left) {
		unsigned int pick = order % left;

		order /= left--;
		for (i = 0; ended[i] || pick; i++)
			pick -= !ended[i];
		ended[i] = true;
		EVENT_END(ACTOR_MEM(range[i][0]), range[i][1]);
		/* It looks again and goes on waiting. */
		if (left) {
			ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
		}
	}
	EXPECT_ANSWER(0, 0);
	/* Nothing of it is left. */
	PASS_EVENT(ACTOR_MEM(8), 1);
}

SECMMU_TEST_F_TIMEOUT(events, A4_ends_in_any_order, SECMMU_TIMEOUT_LONG)
{
	static const long ranges[][4][2] = {
		{ { 8, 1 }, { 8, 4 }, { 0, 9 }, { 0, 64 } },
		{ { 8, 1 }, { 8, 1 }, { 8, 1 }, { 8, 1 } },
		{ { 7, 2 }, { 8, 2 }, { 7, 2 }, { 0, 9 } },
	};
	unsigned int orders = 1, set, n, order;

	for (n = 1; n <= 4; n++) {
		orders *= n;
		for (set = 0; set < ARRAY_SIZE(ranges); set++)
			for (order = 0; order < orders; order++)
				permute(_metadata, self, ranges[set], n, order);
	}
}

/* All records in use. Returns their number. */
static long fill_records(TEST_ARGS(events))
{
	long n = events_fill(self->mirror, ACTOR_MEM(FAR));

	ASSERT_LT(1, n);
	ASSERT_GT(PAGES, FAR + n);
	EXPECT_STATE(n, events);
	EXPECT_STATE(0, overflow);
	return n;
}

static void empty_records(TEST_ARGS(events), long n)
{
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR), n));
	EXPECT_STATE(0, events);
	EXPECT_STATE(0, overflow);
	EXPECT_COUNTER(0, unpaired);
}

/* Events that are not kept one by one. */
SECMMU_TEST_F_TIMEOUT(events, A4_hull_ends_in_any_order, SECMMU_TIMEOUT_LONG)
{
	static const long ranges[][4][2] = {
		{ { 8, 1 }, { 8, 4 }, { 0, 9 }, { 0, 64 } },
		{ { 8, 1 }, { 8, 1 }, { 8, 1 } },
		/* Only together do these cover page 8. */
		{ { 3, 1 }, { 20, 1 }, { 5, 1 } },
	};
	unsigned int set, order;
	long records;

	records = fill_records(_metadata, self);
	for (order = 0; order < 24; order++)
		permute(_metadata, self, ranges[0], 4, order);
	for (set = 1; set < ARRAY_SIZE(ranges); set++)
		for (order = 0; order < 6; order++)
			permute(_metadata, self, ranges[set], 3, order);
	empty_records(_metadata, self, records);
}

/*
 * A hull grows at either end, by events that come later: it covers what lies between
 * them, and nothing beyond.
 */
SECMMU_TEST_F(events, A4_hull_grows)
{
	static const struct {
		long event[3], low, high;
	} hulls[] = {
		{ { 20, 8, 30 }, 8, 30 },
		{ { 20, 30, 8 }, 8, 30 },
		{ { 30, 20, 8 }, 8, 30 },
		{ { 8, 20, 30 }, 8, 30 },
		{ { 30, 8, 20 }, 8, 30 },
	};
	size_t i;
	long j, records;

	records = fill_records(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(hulls); i++) {
		for (j = 0; j < 3; j++)
			EVENT_BEGIN(ACTOR_MEM(hulls[i].event[j]), 1);
		expect_covered(_metadata, self, false, hulls[i].low - 1);
		expect_covered(_metadata, self, false, hulls[i].high + 1);
		expect_covered(_metadata, self, true, hulls[i].low + 1);
		/* All but the last one end. */
		for (j = 0; j < 2; j++) {
			EVENT_END(ACTOR_MEM(hulls[i].event[j]), 1);
			ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
		}
		EVENT_END(ACTOR_MEM(hulls[i].event[2]), 1);
		EXPECT_ANSWER(0, 0);
		PASS_EVENT(ACTOR_MEM(0), 40);
	}
	empty_records(_metadata, self, records);
}

/* An event in the hull and one with a record, of the same range. */
SECMMU_TEST_F(events, A4_hull_and_record)
{
	long records = fill_records(_metadata, self);

	EVENT_BEGIN(ACTOR_MEM(8), 2);
	records--;
	EVENT_END(ACTOR_MEM(FAR + records), 1);
	EVENT_BEGIN(ACTOR_MEM(8), 2);
	expect_covered(_metadata, self, true, 8);
	EVENT_END(ACTOR_MEM(8), 2);
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(8), 2);
	EXPECT_ANSWER(0, 0);
	empty_records(_metadata, self, records);
	EXPECT_COHERENT(self->mirror);
}

/* Once its last event has ended, a hull begins anew elsewhere. */
SECMMU_TEST_F(events, A10_hull_forgotten)
{
	static const long free[] = { 8, 24, 39, 41 };
	unsigned int i;
	long records = fill_records(_metadata, self);

	EVENT_BEGIN(ACTOR_MEM(8), 1);
	EVENT_BEGIN(ACTOR_MEM(60), 1);
	EVENT_END(ACTOR_MEM(8), 1);
	EVENT_END(ACTOR_MEM(60), 1);
	EVENT_BEGIN(ACTOR_MEM(40), 1);
	for (i = 0; i < ARRAY_SIZE(free); i++)
		expect_covered(_metadata, self, false, free[i]);
	expect_covered(_metadata, self, true, 40);
	EVENT_END(ACTOR_MEM(40), 1);
	EXPECT_ANSWER(0, 0);
	empty_records(_metadata, self, records);
}

/* What ends without having begun is made up for. */
SECMMU_TEST_F(events, A5_end_without_begin)
{
	struct secmmu_stats a;
	long i;

	for (i = 2; i <= 5; i++)
		EXPECT_ACTOR_READS(label(i, 1), 0, ACTOR_GPA(i));
	GET_STATS(a);
	EVENT_END(ACTOR_MEM(3), 2);
	EXPECT_SINCE(1, a, unpaired);
	EXPECT_DROPPED(2, 1, a);
	EXPECT_STATE(0, events);
	EXPECT_STATE(0, overflow);
	EXPECT_COHERENT(self->mirror);
	for (i = 2; i <= 5; i++)
		expect_covered(_metadata, self, false, i);
}

/* It does not end what others have begun; their ends are still to come. */
SECMMU_TEST_F(events, A5_end_of_another_range)
{
	EVENT_BEGIN(ACTOR_MEM(8), 4);
	expect_covered(_metadata, self, true, 8);
	EVENT_END(ACTOR_MEM(8), 2);
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(8), 4);
	EXPECT_ANSWER(0, 0);
	EXPECT_COUNTER(1, unpaired);
}

/* The area is gone, the event has not begun: the CPU still has the page, as the spte. */
SECMMU_TEST_F(events, I2_oracle_waits_for_munmap)
{
	int entered;

	ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(3), 1, 0);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, NULL));
	entered = ACTOR_HOLD(START_ENTERED, ACTOR_MEM(3), 1, ACT_MUNMAP, 3, 1);
	EXPECT_ORACLE(1, sptes);
	EXPECT_ORACLE(1, unjudged);
	EXPECT_ORACLE(0, stale);
	EXPECT_GOES_ON(entered, 1);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
