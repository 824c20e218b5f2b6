// SPDX-License-Identifier: GPL-2.0
/* Events and faults in flight, one step at a time. Needs a test build. */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	256L
/* From here on: what fills the records of single events. */
#define FAR	128L

ACTOR_FIXTURE(inflight, PAGES)

/* A fault on this page begins and waits. */
static void start_waiting(TEST_ARGS(inflight), int thread, long page)
{
	struct secmmu_test_state state;

	ASSERT_EQ(0, state_get(self->mirror, &state));
	ACTOR_DO(thread, ACT_READ, thread % ACTOR_ENGINES, ACTOR_GPA(page));
	ASSERT_TRUE(actor_waits(&self->actor, thread, state.waiters + 1));
}

/* The fault that waited reads the word of its page. */
static void expect_served(TEST_ARGS(inflight), int thread, long page)
{
	EXPECT_ANSWER_VALUE(label(page, 1), thread);
}

SECMMU_TEST_F(inflight, A2_join_between_begin_and_end)
{
	__u64 number;

	EVENT_BEGIN(ACTOR_MEM(8), 4);
	ACTOR_DO(0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	ASSERT_EQ(1, number);
	/* Elsewhere the new mirror works; in the range it waits. */
	ACTOR_DO(0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(7));
	expect_served(_metadata, self, 0, 7);
	ACTOR_DO(0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(11));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(8), 4);
	expect_served(_metadata, self, 0, 11);
	EXPECT_COHERENT(self->mirror);
}

/* A mirror that joins inherits the hull, too. */
SECMMU_TEST_F(inflight, A2_join_beyond_the_records)
{
	__u64 number;
	long records = events_fill(self->mirror, ACTOR_MEM(FAR));

	ASSERT_LT(0, records);
	EVENT_BEGIN(ACTOR_MEM(8), 4);
	ACTOR_DO(0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	ASSERT_EQ(1, number);
	ACTOR_DO(0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(11));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	ACTOR_DO(1, ACT_READ, ACTOR_ENGINES + 1, ACTOR_GPA(FAR));
	ASSERT_TRUE(actor_waits(&self->actor, 1, 2));
	EVENT_END(ACTOR_MEM(8), 4);
	expect_served(_metadata, self, 0, 11);
	EXPECT_FALSE(actor_done(&self->actor, 1));
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR), records));
	expect_served(_metadata, self, 1, FAR);
}

SECMMU_TEST_F(inflight, A3_another_event_still_in_flight)
{
	__u64 number;

	EVENT_BEGIN(ACTOR_MEM(0), 4);
	ACTOR_DO(0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	EVENT_BEGIN(ACTOR_MEM(8), 4);
	EVENT_END(ACTOR_MEM(0), 4);
	ACTOR_DO(0, ACT_READ, ACTOR_ENGINES, ACTOR_GPA(8));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(8), 4);
	expect_served(_metadata, self, 0, 8);
}

SECMMU_TEST_F(inflight, A6_whole_event_between_gup_and_install)
{
	struct secmmu_stats a;
	int post;

	GET_STATS(a);
	post = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(3), 0, ACT_READ, 0, ACTOR_GPA(3));
	/* The page that the fault holds goes, another comes. */
	ACTOR_RUN(1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ACTOR_RUN(1, ACT_STORE, 3, label(3, 2));
	EXPECT_GOES_ON(post, 0);
	EXPECT_SINCE(1, a, retries_event);
	EXPECT_ACTOR_READS(label(3, 2), 0, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(inflight, A8_fault_inside_an_event)
{
	int post = ACTOR_HOLD(END, ACTOR_MEM(3), 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	struct secmmu_stats a, b;

	GET_STATS(a);
	start_waiting(_metadata, self, 0, 3);
	EXPECT_GOES_ON(post, 1);
	EXPECT_ANSWER(0, 0);
	GET_STATS(b);
	EXPECT_DELTA(1, a, b, waits);
	EXPECT_LT(a.wait_ns, b.wait_ns);
	EXPECT_ACTOR_READS(0, 0, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

/* @n events, around page 20 but not there, half of them before a fault there. */
static void surround(TEST_ARGS(inflight), long n)
{
	struct secmmu_stats a;
	long i;
	int post;

	GET_STATS(a);
	for (i = 0; i < n / 2; i++)
		EVENT_BEGIN(ACTOR_MEM(19 + i % 2 * 2), 1);
	post = GATE_ARM(FAULT_GOT, ACTOR_MEM(20));
	ACTOR_DO(0, ACT_READ, 0, ACTOR_GPA(20));
	ASSERT_TRUE(actor_reaches(&self->actor, 0, self->dev, post));
	for (; i < n; i++)
		EVENT_BEGIN(ACTOR_MEM(19 + i % 2 * 2), 1);
	GATE_OPEN(post);
	expect_served(_metadata, self, 0, 20);
	for (i = 0; i < n; i++)
		EVENT_END(ACTOR_MEM(19 + i % 2 * 2), 1);
	EXPECT_SINCE(0, a, retries);
	EXPECT_SINCE(0, a, waits);
	EXPECT_SINCE(1, a, faults);
	/* For the next time. */
	PASS_EVENT(ACTOR_MEM(20), 1);
}

SECMMU_TEST_F(inflight, A10_events_all_around)
{
	long records, n;

	for (n = 1; n <= 6; n++)
		surround(_metadata, self, n);
	/* Up to all that are kept one by one. */
	records = events_fill(self->mirror, ACTOR_MEM(FAR));
	ASSERT_LT(n, records);
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR), records));
	surround(_metadata, self, records);
}

/* The event that breaking COW raises is the fault's own. */
SECMMU_TEST_F(inflight, A10_own_event)
{
	struct secmmu_stats a;

	ACTOR_RUN(1, ACT_FORK);
	GET_STATS(a);
	ACTOR_RUN(0, ACT_WRITE, 0, ACTOR_GPA(3), label(3, 2));
	EXPECT_SINCE(1, a, retries_self);
	EXPECT_SINCE(1, a, retries);
	EXPECT_COHERENT(self->mirror);
}

/* The table it is about to fill is given back, as empty. */
SECMMU_TEST_F(inflight, A10_table_given_back)
{
	struct secmmu_stats a;
	int post;

	GET_STATS(a);
	post = ACTOR_HOLD(FAULT_LINKED, ACTOR_MEM(3), 0, ACT_READ, 0, ACTOR_GPA(3));
	PASS_EVENT(ACTOR_MEM(5), 1);
	GATE_OPEN(post);
	expect_served(_metadata, self, 0, 3);
	EXPECT_SINCE(1, a, retries_table);
	EXPECT_SINCE(1, a, retries);
	EXPECT_COHERENT(self->mirror);
}

/* A fault at @gpa, of page 3, which finds all tables gone in the end. */
static void lose_tables(TEST_ARGS(inflight), __u64 gpa)
{
	struct secmmu_stats a;
	int post;

	EXPECT_ACTOR_READS(label(4, 1), 0, ACTOR_GPA(4));
	GET_STATS(a);
	post = ACTOR_HOLD(FAULT_RECORDED, ACTOR_MEM(3), 0, ACT_READ, 0, gpa);
	PASS_EVENT(ACTOR_MEM(4), 1);
	EXPECT_COUNTER(1, tables);
	GATE_OPEN(post);
	expect_served(_metadata, self, 0, 3);
	EXPECT_SINCE(1, a, retries_table);
	EXPECT_SINCE(1, a, retries);
	EXPECT_COUNTER(4, tables);
	EXPECT_COHERENT(self->mirror);
	/* For the next time. */
	PASS_EVENT(ACTOR_MEM(3), 1);
}

/* All tables have gone since it has looked which were missing: none, or one, or two. */
SECMMU_TEST_F(inflight, A10_tables_gone_since)
{
	const __u64 gpas[] = { ACTOR_GPA(3), ACTOR_GPA(512 + 3), ACTOR_GPA(512 * 512 + 3) };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gpas); i++) {
		if (i)
			ACTOR_RUN(1, ACT_SLOT, i, gpas[i], 3, 1, 0);
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
