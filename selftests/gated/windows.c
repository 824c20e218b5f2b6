// SPDX-License-Identifier: GPL-2.0
/*
 * Flushes against windows that are open, each held at its most awkward moment.
 * While one is held, interrupts are off on its processor. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

/* Pages from SPARE on are empty: a thread that fills them gets pages just freed. */
#define PAGES	64L
#define SPARE	32L

/* So long nothing happens that must not happen. */
#define STAND_STILL	300

FIXTURE(windows)
{
	int dev, mirror, engine;
	struct actor actor;
	struct outsider outsider;
	int window;	/* gate in which the outsider's window is held */
	int end;	/* gate in which the event of thread 1 would end */
};

FIXTURE_SETUP(windows)
{
	ACTOR_START(PAGES, SECMMU_FLUSH_RANGE, 0);
	if (!cpus_enough())
		SECMMU_SKIP("less than %d processors", OUTSIDER_CPUS);
	ASSERT_EQ(0, cpus_spread(&self->actor));
	ASSERT_EQ(0, outsider_start(&self->outsider));
	ACTOR_RUN(1, ACT_MADVISE, SPARE, PAGES - SPARE, MADV_DONTNEED);
	ASSERT_EQ(0, oracle_mark(self->mirror));
}

FIXTURE_TEARDOWN(windows)
{
	if (self->dev >= 0)
		gates_clear(self->dev);
	outsider_stop(&self->outsider);
	actor_stop(&self->actor);
	close(self->dev);
}

/* The outsider's next window will be held in @gate. */
static void arm_window(TEST_ARGS(windows), unsigned int gate, __u64 gpa)
{
	self->window = ASSERT_NUMBER(gate_arm(self->dev, gate, self->outsider.pid, gpa));
}

/* An event on a page, by thread 1; its end is held. */
static void start_discard(TEST_ARGS(windows), long page)
{
	self->end = GATE_ARM_FOR(END, 1);
	ACTOR_DO(1, ACT_MADVISE, page, 1, MADV_DONTNEED);
}

/* Has the discard passed its flush? The page is about to be freed then. */
static bool flushed_early(FIXTURE_DATA(windows) *self)
{
	return !gate_wait_ms(self->dev, self->end, STAND_STILL);
}

static void finish_discard(TEST_ARGS(windows))
{
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, self->end));
	GATE_OPEN(self->end);
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
}

/* The page discarded gets a new owner, who fills it. */
static void reuse_memory(TEST_ARGS(windows))
{
	ACTOR_RUN(1, ACT_LABEL, SPARE, PAGES - SPARE, 7);
}

/* No engine has written to the pages from SPARE on. */
static void expect_memory(TEST_ARGS(windows))
{
	long i;

	for (i = SPARE; i < PAGES; i++) {
		ACTOR_DO(2, ACT_LOAD, i);
		EXPECT_ANSWER_VALUE(label(i, 7), 2);
	}
}

/* A window with a translation in hand, and the page is to be freed. */
static void page_under_a_window(TEST_ARGS(windows), bool write)
{
	const __u64 word = label(3, 2);
	bool early;

	/* The translation is in the engine's TLB. */
	EXPECT_PUT(self->engine, ACTOR_GPA(3), word);
	arm_window(_metadata, self, SECMMU_GATE_WINDOW_TRANSLATED, ACTOR_GPA(3));
	if (write)
		outsider_write(&self->outsider, self->engine, ACTOR_GPA(3), 1, &word);
	else
		outsider_read(&self->outsider, self->engine, ACTOR_GPA(3), 1);
	GATE_WAIT(self->window);
	start_discard(_metadata, self, 3);
	early = flushed_early(self);
	EXPECT_FALSE(early);
	EXPECT_FALSE(actor_done(&self->actor, 1));
	if (early) {
		/* See what comes of it. */
		finish_discard(_metadata, self);
		reuse_memory(_metadata, self);
	}
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	/* The page as it was, not as the next owner has it. */
	EXPECT_OUTSIDER_READ(word, self->outsider);
	if (!early) {
		finish_discard(_metadata, self);
		reuse_memory(_metadata, self);
	}
	expect_memory(_metadata, self);
	EXPECT_GPA(0, self->engine, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_CALL(windows, B3_page_being_written, page_under_a_window, true)
SECMMU_TEST_CALL(windows, B3_page_being_read, page_under_a_window, false)

/* The second invalidation has nothing to drop and waits as the first does. */
SECMMU_TEST_F(windows, B2_both_wait_for_the_window)
{
	int raised, second;

	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
	self->window = OUTSIDER_HOLD(self->outsider, WINDOW_TRANSLATED, ACTOR_GPA(3),
				     self->engine, ACTOR_GPA(3));
	/* The first has raised the generation: it waits for the window now. */
	raised = GATE_ARM_FOR(FLUSH_RAISED, 1);
	start_discard(_metadata, self, 3);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, raised));
	GATE_OPEN(raised);

	second = GATE_ARM_FOR(END, 2);
	ACTOR_DO(2, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	EXPECT_EQ(-ETIMEDOUT, gate_wait_ms(self->dev, second, STAND_STILL));
	EXPECT_FALSE(actor_done(&self->actor, 2));
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 2, self->dev, second));
	EXPECT_GOES_ON(second, 2);
	finish_discard(_metadata, self);
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	EXPECT_GPA(0, self->engine, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

/*
 * The window's processor is in the mask before the window looks at the generation:
 * a flush waits for it, whichever generation it is going to see.
 */
SECMMU_TEST_F(windows, B5_window_about_to_open)
{
	bool early;

	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
	self->window = OUTSIDER_HOLD(self->outsider, WINDOW_MARKED, 0, self->engine,
				     ACTOR_GPA(3));
	start_discard(_metadata, self, 3);
	early = flushed_early(self);
	EXPECT_FALSE(early);
	if (early)
		finish_discard(_metadata, self);
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	if (!early)
		finish_discard(_metadata, self);
	/* It has seen the new generation and waited for the event's end. */
	EXPECT_OUTSIDER_READ(0, self->outsider);
	EXPECT_COHERENT(self->mirror);
}

/* A window opens when the generation is raised and the mask is not read yet. */
SECMMU_TEST_F(windows, B5_window_opens_in_the_flush)
{
	struct secmmu_test_state state = {};
	int raised;

	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
	raised = ACTOR_HOLD_AT(FLUSH_RAISED, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	outsider_read(&self->outsider, self->engine, ACTOR_GPA(3), 1);
	do {
		sleep_ms(1);
		ASSERT_EQ(0, state_get(self->mirror, &state));
	} while (!state.waiters && !outsider_done(&self->outsider));
	EXPECT_FALSE(outsider_done(&self->outsider));
	EXPECT_EQ(0, gate_open(self->dev, raised));
	EXPECT_ANSWER(0, 1);
	EXPECT_OUTSIDER_READ(0, self->outsider);
	EXPECT_COHERENT(self->mirror);
}

/* A processor without an open window gets no interrupt; one with a window gets one. */
SECMMU_TEST_F(windows, B6_interrupts)
{
	struct secmmu_stats a;
	long i;

	/* Engines everywhere, which remember; none has a window open. */
	for (i = 0; i < ACTOR_THREADS; i++)
		ACTOR_RUN(i, ACT_READ, i % ACTOR_ENGINES, ACTOR_GPA(i));
	outsider_read(&self->outsider, self->engine, ACTOR_GPA(5), 1);
	ASSERT_EQ(0, outsider_answer(&self->outsider, NULL));
	GET_STATS(a);
	PASS_EVENT(self->actor.mem, 1);
	EXPECT_DROPPED(1, 1, a);
	EXPECT_SINCE(0, a, interrupts);

	self->window = OUTSIDER_HOLD(self->outsider, WINDOW_TRANSLATED, ACTOR_GPA(5),
				     self->engine, ACTOR_GPA(5));
	GET_STATS(a);
	start_discard(_metadata, self, 3);
	EXPECT_FALSE(flushed_early(self));
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	finish_discard(_metadata, self);
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	EXPECT_SINCE(1, a, flushes);
	EXPECT_SINCE(1, a, interrupts);
}

/* An engine that works elsewhere is left alone, and comes back to nothing old. */
SECMMU_TEST_F(windows, B6_engine_elsewhere)
{
	__u64 other;
	struct secmmu_stats a;

	outsider_read(&self->outsider, self->actor.engine[1], ACTOR_GPA(3), 1);
	EXPECT_OUTSIDER_READ(label(3, 1), self->outsider);
	ACTOR_DO(1, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 1, &other));
	ACTOR_RUN(1, ACT_ATTACH, 1, other);
	self->window = OUTSIDER_HOLD(self->outsider, WINDOW_TRANSLATED, ACTOR_GPA(5),
				     self->actor.engine[1], ACTOR_GPA(5));
	GET_STATS(a);
	/* Does not wait for that window. */
	EXPECT_EQ(0, actor_run(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED));
	EXPECT_DROPPED(1, 1, a);
	EXPECT_SINCE(0, a, interrupts);
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	EXPECT_OUTSIDER_READ(label(5, 1), self->outsider);

	ACTOR_RUN(1, ACT_ATTACH, 1, 0);
	outsider_read(&self->outsider, self->actor.engine[1], ACTOR_GPA(3), 1);
	EXPECT_OUTSIDER_READ(0, self->outsider);
}

/* A window follows the mode it began with, and a change of the mode waits for it. */
SECMMU_TEST_F(windows, D2_change_waits)
{
	const __u64 gpa = tagged(ACTOR_GPA(5), 21, 6);

	/* There are engines that have frozen it. */
	ASSERT_EQ(0, refresh_policy(self->mirror, SECMMU_REFRESH_SYNC));
	ACTOR_RUN(1, ACT_TAG_BITS, 6);
	self->window = OUTSIDER_HOLD(self->outsider, WINDOW_TRANSLATED, 0, self->engine, gpa);
	ACTOR_DO(1, ACT_TAG_BITS, 0);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	EXPECT_ANSWER(0, 1);
	EXPECT_OUTSIDER_READ(label(5, 1), self->outsider);
	outsider_read(&self->outsider, self->engine, gpa, 1);
	EXPECT_EQ(-ENXIO, outsider_answer(&self->outsider, NULL));
}

/* Pages that follow each other in the slots do so nowhere else. */
SECMMU_TEST_F(windows, B8_each_page_its_translation)
{
	static const long border[][2] = { { 10, 5 }, { 20, 30 }, { 9, 2 } };
	__u64 words[2], found[2], gpa;
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(border); i++) {
		for (j = 0; j < 2; j++)
			ACTOR_RUN(0, ACT_SLOT, 1 + j, ACTOR_GPA(PAGES + j), border[i][j], 1, 0);
		gpa = ACTOR_GPA(PAGES + 1);
		words[0] = ~label(border[i][0], 3);
		words[1] = label(border[i][1], 3);
		outsider_write(&self->outsider, self->engine, gpa - 8, 2, words);
		EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
		EXPECT_ACTOR_READS(words[1], 0, ACTOR_GPA(border[i][1]));
		EXPECT_ACTOR_READS(words[0], 0, ACTOR_GPA(border[i][0] + 1) - 8);
		outsider_read(&self->outsider, self->actor.engine[1], gpa - 8, 2);
		EXPECT_EQ(0, outsider_answer(&self->outsider, found));
		EXPECT_EQ(words[0], found[0]);
		EXPECT_EQ(words[1], found[1]);
	}
}

/* What the second page was when the first one's window opened does not count. */
SECMMU_TEST_F(windows, B8_event_between_two_pages)
{
	const __u64 before = ~label(4, 0);
	__u64 words[2];
	int raised;

	EXPECT_PUT(self->engine, ACTOR_GPA(4) - 8, before);
	EXPECT_GPA(label(4, 1), self->engine, ACTOR_GPA(4));
	arm_window(_metadata, self, SECMMU_GATE_WINDOW_TRANSLATED, ACTOR_GPA(3));
	outsider_read(&self->outsider, self->engine, ACTOR_GPA(4) - 8, 2);
	GATE_WAIT(self->window);
	raised = GATE_ARM_FOR(FLUSH_RAISED, 1);
	start_discard(_metadata, self, 4);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, raised));
	GATE_OPEN(raised);
	EXPECT_FALSE(flushed_early(self));
	EXPECT_EQ(0, gate_open(self->dev, self->window));
	finish_discard(_metadata, self);
	EXPECT_EQ(0, outsider_answer(&self->outsider, words));
	EXPECT_EQ(before, words[0]);
	EXPECT_EQ(0, words[1]);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
