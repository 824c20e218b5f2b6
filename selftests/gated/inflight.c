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

#define PAGES	256L
/* From here on: what fills the records of single events. */
#define FAR	128L

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

/* A mirror that joins inherits the hull, too. */
SECMMU_TEST_F(inflight, A2_join_beyond_the_records)
{
	long records;
	__u64 number;

	records = events_fill(self->mirror, page_of(self, FAR));
	ASSERT_LT(0, records);
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 8), 4));
	actor_do(&self->actor, 0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	ASSERT_EQ(1, number);
	actor_do(&self->actor, 0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(11));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	actor_do(&self->actor, 1, ACT_READ, ACTOR_ENGINES + 1, ACTOR_GPA(FAR));
	ASSERT_TRUE(actor_waits(&self->actor, 1, 2));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 8), 4));
	expect_served(_metadata, self, 0, 11);
	EXPECT_FALSE(actor_done(&self->actor, 1));
	ASSERT_EQ(0, events_empty(self->mirror, page_of(self, FAR), records));
	expect_served(_metadata, self, 1, FAR);
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

/* @n events, around page 20 but not there, half of them before a fault there. */
static void surround(struct __test_metadata *_metadata,
		     FIXTURE_DATA(inflight) *self, long n)
{
	struct secmmu_stats a, b;
	long i;
	int post;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	for (i = 0; i < n / 2; i++) {
		ASSERT_EQ(0, event_begin(self->mirror,
					 page_of(self, 19 + i % 2 * 2), 1));
	}
	post = GATE_ARM(FAULT_GOT, page_of(self, 20));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(20));
	ASSERT_TRUE(actor_reaches(&self->actor, 0, self->dev, post));
	for (; i < n; i++) {
		ASSERT_EQ(0, event_begin(self->mirror,
					 page_of(self, 19 + i % 2 * 2), 1));
	}
	ASSERT_EQ(0, gate_open(self->dev, post));
	expect_served(_metadata, self, 0, 20);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, event_end(self->mirror,
				       page_of(self, 19 + i % 2 * 2), 1));
	}
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(0, a, b, retries);
	EXPECT_DELTA(0, a, b, waits);
	EXPECT_DELTA(1, a, b, faults);
	/* For the next time. */
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 20), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 20), 1));
}

SECMMU_TEST_F(inflight, A10_events_all_around)
{
	long records, n;

	for (n = 1; n <= 6; n++)
		surround(_metadata, self, n);
	/* Up to all that are kept one by one. */
	records = events_fill(self->mirror, page_of(self, FAR));
	ASSERT_LT(n, records);
	ASSERT_EQ(0, events_empty(self->mirror, page_of(self, FAR), records));
	surround(_metadata, self, records);
}

/* The event that breaking COW raises is the fault's own. */
SECMMU_TEST_F(inflight, A10_own_event)
{
	struct secmmu_stats a, b;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_FORK));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_WRITE, 0, ACTOR_GPA(3),
			       stamp(3, 2)));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, retries_self);
	EXPECT_DELTA(1, a, b, retries);
	EXPECT_COHERENT(self->mirror);
}

/* The table it is about to fill is given back, as empty. */
SECMMU_TEST_F(inflight, A10_table_given_back)
{
	struct secmmu_stats a, b;
	int post;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	post = GATE_ARM(FAULT_LINKED, page_of(self, 3));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 5), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 5), 1));
	ASSERT_EQ(0, gate_open(self->dev, post));
	expect_served(_metadata, self, 0, 3);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, retries_table);
	EXPECT_DELTA(1, a, b, retries);
	EXPECT_COHERENT(self->mirror);
}

/* A fault at @gpa, of page 3, which finds all tables gone in the end. */
static void lose_tables(struct __test_metadata *_metadata, FIXTURE_DATA(inflight) *self,
			__u64 gpa)
{
	struct secmmu_stats a, b;
	int post;

	EXPECT_ACTOR_READS(stamp(4, 1), &self->actor, 0, ACTOR_GPA(4));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	post = GATE_ARM(FAULT_RECORDED, page_of(self, 3));
	actor_do(&self->actor, 0, ACT_READ, 0, gpa);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 4), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 4), 1));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_EQ(1, b.tables);
	ASSERT_EQ(0, gate_open(self->dev, post));
	expect_served(_metadata, self, 0, 3);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, retries_table);
	EXPECT_DELTA(1, a, b, retries);
	EXPECT_EQ(4, b.tables);
	EXPECT_COHERENT(self->mirror);
	/* For the next time. */
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
}

/* All tables have gone since it has looked which were missing: none, or one, or two. */
SECMMU_TEST_F(inflight, A10_tables_gone_since)
{
	const __u64 gpas[] = { ACTOR_GPA(3), ACTOR_GPA(512 + 3), ACTOR_GPA(512 * 512 + 3) };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gpas); i++) {
		if (i) {
			ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, i, gpas[i], 3,
					       1, 0));
		}
		lose_tables(_metadata, self, gpas[i]);
	}
}

/* Starts a job that touches a page, and waits to be killed. */
static int start_job_and_wait(void *arg)
{
	CHECK(!job_start(*(int *)arg, 0, ACTOR_GPA(0), PAGE, NULL));
	for (;;)
		pause();
}

/* Its starter ends while the job is at its last piece: what is done is done. */
SECMMU_TEST_F(inflight, G6_given_up_too_late)
{
	int mirror, engine, post, error = -1;
	char *mem = region_map(1);
	pid_t starter;

	ASSERT_NE(NULL, mem);
	mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	ASSERT_LE(0, mirror);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_GPA(0), mem, PAGE));
	engine = secmmu_create_engine_with(mirror, SECMMU_ENGINE_BACKGROUND);
	ASSERT_LE(0, engine);
	post = GATE_ARM(FAULT_INSTALLED, mem);
	starter = child_start(start_job_and_wait, &engine);
	ASSERT_LT(0, starter);
	EXPECT_EQ(0, gate_wait(self->dev, post));
	/* Its descriptors are closed when it has been waited for. */
	child_kill(starter);
	EXPECT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(PAGE, job_wait(engine, &error));
	EXPECT_EQ(0, error);
	close(engine);
	close(mirror);
	region_unmap(mem, 1);
}

TEST_HARNESS_MAIN
