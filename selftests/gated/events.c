// SPDX-License-Identifier: GPL-2.0
/*
 * Events in flight that overlap, end in any order, or have never begun; also more
 * of them than are kept one by one. Needs a test build.
 */
#define _GNU_SOURCE
#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define PAGES	256L
/* From here on: what fills the records of single events. */
#define FAR	128L

FIXTURE(events)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(events)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(events)
{
	ACTOR_TEARDOWN();
}

/* A prefault of this page waits for an event, or does not. */
static void expect_covered(struct __test_metadata *_metadata,
			   FIXTURE_DATA(events) *self, bool covered,
			   long page)
{
	struct secmmu_stats a, b;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(page), 1, 0);
	if (covered) {
		ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
		return;
	}
	ASSERT_FALSE(actor_waits(&self->actor, 0, 1));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(0, a, b, waits);
	EXPECT_DELTA(0, a, b, retries);
}

/* All orders in which @n events that cover page 8 can end. */
static void permute(struct __test_metadata *_metadata,
		    FIXTURE_DATA(events) *self, const long (*range)[2],
		    unsigned int n, unsigned int order)
{
	unsigned int left = n, i;
	bool ended[4] = {};

	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, event_begin(self->mirror,
					 ACTOR_MEM(range[i][0]),
					 range[i][1]));
	}
	expect_covered(_metadata, self, true, 8);
	while (left) {
		unsigned int pick = order % left;

		order /= left--;
		for (i = 0; ended[i] || pick; i++)
			pick -= !ended[i];
		ended[i] = true;
		ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(range[i][0]),
				       range[i][1]));
		/* It looks again and goes on waiting. */
		if (left) {
			ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
		}
	}
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	/* Nothing of it is left. */
	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(8), 1));
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(8), 1));
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
static long fill_records(struct __test_metadata *_metadata,
			 FIXTURE_DATA(events) *self)
{
	struct secmmu_test_state state;
	long n;

	n = events_fill(self->mirror, ACTOR_MEM(FAR));
	ASSERT_LT(1, n);
	ASSERT_GT(PAGES, FAR + n);
	ASSERT_EQ(0, state_get(self->mirror, &state));
	ASSERT_EQ(n, state.events);
	ASSERT_EQ(0, state.overflow);
	return n;
}

static void empty_records(struct __test_metadata *_metadata,
			  FIXTURE_DATA(events) *self, long n)
{
	struct secmmu_test_state state;
	struct secmmu_stats stats;

	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR), n));
	ASSERT_EQ(0, state_get(self->mirror, &state));
	EXPECT_EQ(0, state.events);
	EXPECT_EQ(0, state.overflow);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.unpaired);
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
		for (j = 0; j < 3; j++) {
			ASSERT_EQ(0, event_begin(self->mirror,
						 ACTOR_MEM(hulls[i].event[j]), 1));
		}
		expect_covered(_metadata, self, false, hulls[i].low - 1);
		expect_covered(_metadata, self, false, hulls[i].high + 1);
		expect_covered(_metadata, self, true, hulls[i].low + 1);
		/* All but the last one end. */
		for (j = 0; j < 2; j++) {
			ASSERT_EQ(0, event_end(self->mirror,
					       ACTOR_MEM(hulls[i].event[j]), 1));
			ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
		}
		ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(hulls[i].event[2]), 1));
		EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
		ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(0), 40));
		ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(0), 40));
	}
	empty_records(_metadata, self, records);
}

/* An event in the hull and one with a record, of the same range. */
SECMMU_TEST_F(events, A4_hull_and_record)
{
	long records;

	records = fill_records(_metadata, self);
	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(8), 2));
	records--;
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(FAR + records), 1));
	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(8), 2));
	expect_covered(_metadata, self, true, 8);
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(8), 2));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(8), 2));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	empty_records(_metadata, self, records);
	EXPECT_COHERENT(self->mirror);
}

/* Once its last event has ended, a hull begins anew elsewhere. */
SECMMU_TEST_F(events, A10_hull_forgotten)
{
	static const long free[] = { 8, 24, 39, 41 };
	unsigned int i;
	long records;

	records = fill_records(_metadata, self);
	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(8), 1));
	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(60), 1));
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(8), 1));
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(60), 1));
	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(40), 1));
	for (i = 0; i < ARRAY_SIZE(free); i++)
		expect_covered(_metadata, self, false, free[i]);
	expect_covered(_metadata, self, true, 40);
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(40), 1));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	empty_records(_metadata, self, records);
}

/* What ends without having begun is made up for. */
SECMMU_TEST_F(events, A5_end_without_begin)
{
	struct secmmu_test_state state;
	struct secmmu_stats a, b;
	long i;

	for (i = 2; i <= 5; i++) {
		EXPECT_ACTOR_READS(stamp(i, 1), &self->actor, 0, ACTOR_GPA(i));
	}
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(3), 2));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, unpaired);
	EXPECT_DELTA(2, a, b, zapped);
	EXPECT_DELTA(1, a, b, flushes);
	ASSERT_EQ(0, state_get(self->mirror, &state));
	EXPECT_EQ(0, state.events);
	EXPECT_EQ(0, state.overflow);
	EXPECT_COHERENT(self->mirror);
	for (i = 2; i <= 5; i++)
		expect_covered(_metadata, self, false, i);
}

/* It does not end what others have begun; their ends are still to come. */
SECMMU_TEST_F(events, A5_end_of_another_range)
{
	struct secmmu_stats stats;

	ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(8), 4));
	expect_covered(_metadata, self, true, 8);
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(8), 2));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(8), 4));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.unpaired);
}

/* The area is gone, the event has not begun: the CPU still has the page, as the spte. */
SECMMU_TEST_F(events, I2_oracle_waits_for_munmap)
{
	struct secmmu_test_oracle result;
	int entered;

	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 1, 0);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, NULL));
	entered = GATE_ARM(START_ENTERED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MUNMAP, 3, 1);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, entered));
	ASSERT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ(1, result.sptes);
	EXPECT_EQ(1, result.unjudged);
	EXPECT_EQ(0, result.stale);
	ASSERT_EQ(0, gate_open(self->dev, entered));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
