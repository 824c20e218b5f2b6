// SPDX-License-Identifier: GPL-2.0
/*
 * Events for a part of what one 2 MiB entry maps, while an engine uses it. Needs a
 * test build.
 */
#include <pthread.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

#define BASE	0x1c0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
#define PAGES	(HUGE_SIZE / PAGE)

/* The part. */
#define FIRST	100L
#define COUNT	10L

#define STAND_STILL	300

FIXTURE(partial)
{
	int dev, mirror, engine;
	char *mem;	/* a huge page, labelled, mapped by one entry */
	struct outsider outsider;
	pthread_t thread;
	int event;	/* what the thread has got */
	bool over;	/* it has got it */
};

FIXTURE_SETUP(partial)
{
	struct secmmu_stats stats;

	self->mem = NULL;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	if (!cpus_enough())
		SECMMU_SKIP("less than %d processors", OUTSIDER_CPUS);
	BLOCKS_SETUP(1);
	/* A fork would make the outsider share it. */
	ASSERT_EQ(0, madvise(self->mem, HUGE_SIZE, MADV_DONTFORK));
	ASSERT_EQ(0, outsider_start(&self->outsider));
	SET_SLOT(0, 0, BASE, 0, PAGES);
	EXPECT_GPA(label(FIRST + 5, 1), self->engine, GPA(FIRST + 5));
	GET_STATS(stats);
	ASSERT_EQ(1, stats.large);
	ASSERT_EQ(0, cpus_spread(NULL));
	ASSERT_EQ(0, oracle_mark(self->mirror));
}

FIXTURE_TEARDOWN(partial)
{
	if (self->dev >= 0)
		gates_clear(self->dev);
	outsider_stop(&self->outsider);
	blocks_unmap(self->mem, 1);
	SECMMU_TEARDOWN();
}

/* The event changes nothing: all that it covers goes, and nothing else. */
static void *raise_event(void *data)
{
	FIXTURE_DATA(partial) *self = data;
	const char *mem = self->mem + FIRST * PAGE;

	/* It may spin: not where the test runs. */
	self->event = cpus_aside() ?:
		      event_begin(self->mirror, mem, COUNT) ?:
		      event_end(self->mirror, mem, COUNT);
	__atomic_store_n(&self->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The thread stands in a gate; false: the event is over. */
static bool event_reaches(FIXTURE_DATA(partial) *self, int post)
{
	bool over, there;

	do {
		over = __atomic_load_n(&self->over, __ATOMIC_ACQUIRE);
		there = !gate_wait_ms(self->dev, post, 1);
	} while (!over && !there);
	return there;
}

static void finish_event(TEST_ARGS(partial))
{
	ASSERT_EQ(0, pthread_join(self->thread, NULL));
	ASSERT_EQ(0, self->event);
}

/* Pages [@first, @first + @count) are there without a fault. */
static void expect_mapped(TEST_ARGS(partial), long first, long count)
{
	struct secmmu_stats a;
	long i;

	GET_STATS(a);
	for (i = first; i < first + count; i++)
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	EXPECT_SINCE(0, a, faults);
}

/* The part goes once the window has closed, the rest stays all the time. */
static void event_under_a_window(TEST_ARGS(partial), long page)
{
	struct secmmu_test_oracle result;
	struct secmmu_stats a;
	int window, end;

	GET_STATS(a);
	window = OUTSIDER_HOLD(self->outsider, WINDOW_TRANSLATED, GPA(page), self->engine,
			       GPA(page));
	end = GATE_ARM(END, self->mem + FIRST * PAGE);
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, raise_event, self));
	EXPECT_EQ(-ETIMEDOUT, gate_wait_ms(self->dev, end, STAND_STILL));
	EXPECT_EQ(0, gate_open(self->dev, window));
	EXPECT_OUTSIDER_READ(label(page, 1), self->outsider);
	ASSERT_TRUE(event_reaches(self, end));
	ASSERT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ((__u64)(PAGES - COUNT), result.sptes);
	EXPECT_EQ(0, result.tlb_entries);
	EXPECT_EQ(0, result.stale);
	EXPECT_EQ(0, result.lost);
	GATE_OPEN(end);
	finish_event(_metadata, self);
	EXPECT_SINCE(COUNT, a, zapped);
	EXPECT_SINCE(1, a, splits);
	EXPECT_SINCE(1, a, flushes);
	EXPECT_SINCE(1, a, interrupts);
	EXPECT_COUNTER(0, large);
	expect_mapped(_metadata, self, 0, FIRST);
	expect_mapped(_metadata, self, FIRST + COUNT, PAGES - FIRST - COUNT);
	EXPECT_GPA(label(FIRST, 1), self->engine, GPA(FIRST));
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_CALL(partial, B7_window_on_the_part, event_under_a_window, FIRST + 5)
SECMMU_TEST_CALL(partial, B7_window_on_the_rest, event_under_a_window, FIRST + COUNT + 5)

/* The process maps a huge page but for a hole: no large entry may cover that. */
SECMMU_TEST_F(partial, B7_folio_with_a_hole)
{
	long i;

	ASSERT_EQ(0, madvise(self->mem + FIRST * PAGE, COUNT * PAGE, MADV_DONTNEED));
	for (i = 0; i < PAGES; i++)
		EXPECT_GPA(i < FIRST || i >= FIRST + COUNT ? label(i, 1) : 0,
			   self->engine, GPA(i));
	EXPECT_COUNTER(0, large);
	EXPECT_COHERENT(self->mirror);
}

/* An access through the entry counts for what it was split into. */
SECMMU_TEST_F(partial, B7_aging_after_the_split)
{
	const long near = FIRST + COUNT, far = PAGES - 1;
	__u64 word;
	int zapped;

	EXPECT_EQ(1, age_test(self->mirror, self->mem));
	zapped = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_ZAPPED, 0, 0));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, raise_event, self));
	ASSERT_TRUE(event_reaches(self, zapped));
	EXPECT_EQ(1, age_test(self->mirror, self->mem + near * PAGE));
	EXPECT_EQ(0, age_test(self->mirror, self->mem + FIRST * PAGE));
	EXPECT_EQ(1, age_clear(self->mirror, self->mem + near * PAGE, 1));
	EXPECT_EQ(0, age_test(self->mirror, self->mem + near * PAGE));
	EXPECT_EQ(1, age_test(self->mirror, self->mem + far * PAGE));
	EXPECT_EQ(1, age_clear(self->mirror, self->mem, PAGES));
	EXPECT_EQ(0, age_clear(self->mirror, self->mem, PAGES));
	ASSERT_EQ(0, gpa_get(self->engine, GPA(far), &word));
	EXPECT_EQ(1, age_test(self->mirror, self->mem + far * PAGE));
	EXPECT_EQ(0, age_test(self->mirror, self->mem + near * PAGE));
	GATE_OPEN(zapped);
	finish_event(_metadata, self);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
