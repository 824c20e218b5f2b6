// SPDX-License-Identifier: GPL-2.0
/*
 * Events and faults in flight, one step at a time. Needs a test build.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	64L

FIXTURE(inflight)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(inflight)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(inflight)
{
	ACTOR_TEARDOWN();
}

static char *page_of(FIXTURE_DATA(inflight) *self, long page)
{
	return self->actor.mem + page * PAGE;
}

/* A fault on this page begins and waits. */
static void start_waiting(struct __test_metadata *_metadata,
			  FIXTURE_DATA(inflight) *self, int thread, long page)
{
	struct secmmu_test_state state;

	ASSERT_EQ(0, state_get(self->mirror, &state));
	actor_do(&self->actor, thread, ACT_READ, thread % ACTOR_ENGINES,
		 ACTOR_GPA(page));
	ASSERT_TRUE(actor_waits(&self->actor, thread, state.waiters + 1));
}

/* ... and now it gets its word, which is the page's. */
static void expect_served(struct __test_metadata *_metadata,
			  FIXTURE_DATA(inflight) *self, int thread, long page)
{
	__u64 word = POISON;

	EXPECT_EQ(0, actor_answer(&self->actor, thread, &word));
	EXPECT_EQ(stamp(page, 1), word);
}

SECMMU_TEST_F(inflight, A2_join_between_begin_and_end)
{
	__u64 number;

	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 8), 4));
	actor_do(&self->actor, 0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	ASSERT_EQ(1, number);
	/* Elsewhere the new mirror works; in the range it waits. */
	actor_do(&self->actor, 0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(7));
	expect_served(_metadata, self, 0, 7);
	actor_do(&self->actor, 0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(11));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 8), 4));
	expect_served(_metadata, self, 0, 11);
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(inflight, A3_another_event_still_in_flight)
{
	__u64 number;

	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 0), 4));
	actor_do(&self->actor, 0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 8), 4));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 0), 4));
	actor_do(&self->actor, 0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(8));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 8), 4));
	expect_served(_metadata, self, 0, 8);
}

/* Every thread that reads one of @n pages waits, and only those. */
static void expect_covered(struct __test_metadata *_metadata,
			   FIXTURE_DATA(inflight) *self, bool covered,
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
		    FIXTURE_DATA(inflight) *self, const long (*range)[2],
		    unsigned int n, unsigned int order)
{
	unsigned int left = n, i;
	bool ended[4] = {};

	for (i = 0; i < n; i++)
		ASSERT_EQ(0, event_begin(self->mirror,
					 page_of(self, range[i][0]),
					 range[i][1]));
	expect_covered(_metadata, self, true, 8);
	while (left) {
		unsigned int pick = order % left;

		order /= left--;
		for (i = 0; ended[i] || pick; i++)
			pick -= !ended[i];
		ended[i] = true;
		ASSERT_EQ(0, event_end(self->mirror, page_of(self, range[i][0]),
				       range[i][1]));
		/* It looks again and goes on waiting. */
		if (left)
			ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	}
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	/* Nothing of it is left. */
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 8), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 8), 1));
}

SECMMU_TEST_F_TIMEOUT(inflight, A4_ends_in_any_order, SECMMU_TIMEOUT_LONG)
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

SECMMU_TEST_F(inflight, A6_whole_event_between_gup_and_install)
{
	struct secmmu_stats a, b;
	int post;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	post = gate_arm(self->dev, SECMMU_GATE_FAULT_GOT, 0,
			(uintptr_t)page_of(self, 3));
	ASSERT_LE(0, post);
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, post));
	/* The page that the fault holds goes, another comes. */
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_MADVISE, 3, 1,
			       MADV_DONTNEED));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_STORE, 3, stamp(3, 2)));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, retries_event);
	EXPECT_ACTOR_READS(stamp(3, 2), &self->actor, 0, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(inflight, A8_fault_inside_an_event)
{
	int post;

	post = gate_arm(self->dev, SECMMU_GATE_END, 0,
			(uintptr_t)page_of(self, 3));
	ASSERT_LE(0, post);
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	start_waiting(_metadata, self, 0, 3);
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	EXPECT_ACTOR_READS(0, &self->actor, 0, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
