// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of several pages against events on some of them: which go in, which do not,
 * and where the next round begins. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

#define PAGES	256L
/* From here on: events that fill the records of single events. */
#define FAR	128L

/* The fault: pages 3 to 10. */
#define FIRST	3L
#define MANY	8L

ACTOR_FIXTURE(batch, PAGES)

/* An event: the first page, the pages, and bytes to add to the start. No pages: none. */
enum { PAGE_NO, LENGTH, OFFSET, EVENT };

static const char *event_start(FIXTURE_DATA(batch) *self, const long *event)
{
	return ACTOR_MEM(event[PAGE_NO]) + event[OFFSET];
}

static int begin(FIXTURE_DATA(batch) *self, const long *event)
{
	if (!event[LENGTH])
		return 0;
	return event_begin(self->mirror, event_start(self, event), event[LENGTH]);
}

static int end(FIXTURE_DATA(batch) *self, const long *event)
{
	if (!event[LENGTH])
		return 0;
	return event_end(self->mirror, event_start(self, event), event[LENGTH]);
}

/* Maps a page that is not in the fault's way: its table is never empty. */
#define ALONE	120L

/* Sptes that there are, but for that one; or an error. */
static long sptes(FIXTURE_DATA(batch) *self)
{
	struct secmmu_test_oracle result;
	int ret = oracle_check(self->mirror, &result);

	return ret ?: (long)result.sptes - 1;
}

/* All that is mapped goes, but for that one. */
static void unmap_all(TEST_ARGS(batch))
{
	PASS_EVENT(self->actor.mem, PAGES);
	EXPECT_GPA(label(ALONE, 1), self->engine, ACTOR_GPA(ALONE));
	ASSERT_EQ(0, sptes(self));
	ASSERT_EQ(0, oracle_mark(self->mirror));
}

static void start_fault(FIXTURE_DATA(batch) *self)
{
	ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(FIRST), MANY, 0);
}

/* The fault ends, with all pages in and right. */
static void finish_fault(TEST_ARGS(batch))
{
	long i;

	EXPECT_ANSWER_VALUE(0, 0);
	EXPECT_EQ(MANY, sptes(self));
	EXPECT_COHERENT(self->mirror);
	for (i = FIRST; i < FIRST + MANY; i++)
		EXPECT_GPA(label(i, 1), self->engine, ACTOR_GPA(i));
}

/* Whole events while the fault is in a gate; @in pages of the first round go in. */
struct passing {
	long event[3][EVENT];
	long in;
};

static void pass_events(TEST_ARGS(batch), enum secmmu_gate gate,
			const struct passing *passing, size_t number)
{
	struct secmmu_stats a, b;
	int got, installed;
	size_t i;

	unmap_all(_metadata, self);
	GET_STATS(a);
	got = ASSERT_NUMBER(gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(FIRST)));
	installed = GATE_ARM(FAULT_INSTALLED, ACTOR_MEM(FIRST));
	start_fault(self);
	GATE_WAIT(got);
	for (i = 0; i < ARRAY_SIZE(passing->event); i++) {
		ASSERT_EQ(0, begin(self, passing->event[i]));
		ASSERT_EQ(0, end(self, passing->event[i]));
	}
	GATE_OPEN(got);
	GATE_WAIT(installed);
	EXPECT_EQ(passing->in, sptes(self)) TH_LOG("with events %zu", number);
	GATE_OPEN(installed);
	finish_fault(_metadata, self);
	GET_STATS(b);
	/* What goes in is no retry; the rest is another fault. */
	EXPECT_DELTA(!passing->in, a, b, retries);
	EXPECT_DELTA(!passing->in, a, b, retries_event);
	EXPECT_DELTA(1 + (passing->in && passing->in < MANY), a, b, faults);
	EXPECT_DELTA(MANY, a, b, fault_pages);
	EXPECT_DELTA(0, a, b, waits);
}

SECMMU_TEST_F(batch, A6_events_on_some_pages)
{
	static const struct passing passings[] = {
		{ .in = 8 },
		/* One: before, on each kind of page, behind. */
		{ { { 2, 1 } }, 8 }, { { { 11, 1 } }, 8 }, { { { 11, 50 } }, 8 },
		{ { { 3, 1 } }, 0 }, { { { 4, 1 } }, 1 }, { { { 6, 1 } }, 3 },
		{ { { 10, 1 } }, 7 }, { { { 10, 9 } }, 7 },
		/* One that begins before the fault. */
		{ { { 0, 4 } }, 0 }, { { { 0, 64 } }, 0 }, { { { 0, 3 } }, 8 },
		/* Several, in any order: the lowest page hit decides. */
		{ { { 5, 1 }, { 8, 1 } }, 2 }, { { { 8, 1 }, { 5, 1 } }, 2 },
		{ { { 8, 1 }, { 5, 1 }, { 7, 1 } }, 2 },
		{ { { 3, 1 }, { 9, 1 } }, 0 }, { { { 9, 1 }, { 3, 1 } }, 0 },
		{ { { 6, 1 }, { 2, 1 } }, 3 }, { { { 2, 1 }, { 6, 1 } }, 3 },
		{ { { 6, 1 }, { 11, 1 } }, 3 },
		{ { { 6, 2 }, { 4, 9 } }, 1 }, { { { 4, 1 }, { 4, 4 } }, 1 },
		/* From the middle of a page on: that page counts. */
		{ { { 5, 1, 8 } }, 2 }, { { { 2, 1, 8 } }, 0 },
		{ { { 10, 1, 4088 } }, 7 },
	};
	/* Recorded, and nothing else; with its pages; with a table, not locked. */
	static const enum secmmu_gate gates[] = {
		SECMMU_GATE_FAULT_RECORDED, SECMMU_GATE_FAULT_GOT,
		SECMMU_GATE_FAULT_LINKED,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(gates); i++)
		for (j = 0; j < ARRAY_SIZE(passings); j++)
			pass_events(_metadata, self, gates[i], &passings[j], j);
}

/*
 * Events that are in flight when the fault comes: the pages in front of the first of
 * them go in, then it waits.
 */
struct inflight {
	long record[2][EVENT];		/* kept one by one */
	long hull[2][EVENT];		/* beyond */
	long in;
};

static void cut_short(TEST_ARGS(batch), const struct inflight *inflight, size_t number)
{
	long records, n = 0, i;
	bool waits;

	unmap_all(_metadata, self);
	records = events_fill(self->mirror, ACTOR_MEM(FAR));
	ASSERT_LT(2, records);
	for (i = 0; i < 2; i++)
		n += !!inflight->record[i][LENGTH];
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR + records - n), n));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, begin(self, inflight->record[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, begin(self, inflight->hull[i]));
	}
	start_fault(self);
	waits = actor_waits(&self->actor, 0, 1);
	EXPECT_EQ(inflight->in < MANY, waits);
	EXPECT_EQ(inflight->in, sptes(self)) TH_LOG("with events %zu", number);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, end(self, inflight->record[i]));
		ASSERT_EQ(0, end(self, inflight->hull[i]));
	}
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR), records - n));
	finish_fault(_metadata, self);
}

SECMMU_TEST_F(batch, A8_cut_short)
{
	static const struct inflight inflights[] = {
		{ .record = { { 6, 1 } }, .in = 3 },
		{ .record = { { 10, 1 } }, .in = 7 },
		{ .record = { { 11, 1 } }, .in = 8 },
		{ .record = { { 2, 1 } }, .in = 8 },
		{ .record = { { 3, 1 } }, .in = 0 },
		{ .record = { { 0, 4 } }, .in = 0 },
		{ .record = { { 9, 1 }, { 6, 1 } }, .in = 3 },
		{ .record = { { 6, 1 }, { 9, 1 } }, .in = 3 },
		{ .record = { { 6, 1, 8 } }, .in = 3 },
		{ .hull = { { 6, 1 } }, .in = 3 },
		{ .hull = { { 10, 1 } }, .in = 7 },
		{ .hull = { { 6, 1 }, { 9, 1 } }, .in = 3 },
		{ .hull = { { 9, 1 }, { 6, 1 } }, .in = 3 },
		{ .hull = { { 0, 1 }, { 20, 1 } }, .in = 0 },
		{ .hull = { { 20, 1 }, { 6, 1 } }, .in = 3 },
		/* The one in front of the other. */
		{ .record = { { 9, 1 } }, .hull = { { 6, 1 } }, .in = 3 },
		{ .record = { { 6, 1 } }, .hull = { { 9, 1 } }, .in = 3 },
		{ .record = { { 2, 1 } }, .hull = { { 6, 1 } }, .in = 3 },
		{ .record = { { 10, 1 } }, .hull = { { 3, 1 } }, .in = 0 },
		{ .record = { { 6, 1 } }, .hull = { { 11, 1 } }, .in = 3 },
		{ .record = { { 8, 1 }, { 5, 1 } }, .hull = { { 9, 1 }, { 6, 1 } },
		  .in = 2 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inflights); i++)
		cut_short(_metadata, self, &inflights[i], i);
}

/* An event behind the pages of one round is not the round's affair. */
SECMMU_TEST_F(batch, A10_event_behind_the_round)
{
	struct secmmu_stats a, b;
	int got;

	unmap_all(_metadata, self);
	GET_STATS(a);
	got = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(0), 0, ACT_PREFAULT, ACTOR_GPA(0), 100, 0);
	PASS_EVENT(ACTOR_MEM(32), 1);
	GATE_OPEN(got);
	EXPECT_ANSWER_VALUE(0, 0);
	GET_STATS(b);
	/* Three of 32, one of four. */
	EXPECT_DELTA(4, a, b, faults);
	EXPECT_DELTA(100, a, b, fault_pages);
	EXPECT_DELTA(0, a, b, retries);
	EXPECT_EQ(100, sptes(self));
}

/*
 * A read that maps pages around it: what goes in is cut short likewise, and the read
 * has its page.
 */
SECMMU_TEST_F(batch, A6_events_around_a_read)
{
	static const struct passing passings[] = {
		{ .in = 16 },
		{ { { 6, 1 } }, 3 }, { { { 18, 1 } }, 15 }, { { { 19, 1 } }, 16 },
		{ { { 9, 1 }, { 4, 1 } }, 1 }, { { { 4, 1 }, { 9, 1 } }, 1 },
	};
	int mirror = secmmu_create_mirror_of(self->dev, self->actor.pid), engine, got;
	struct secmmu_test_oracle result;
	struct outsider outsider = {};
	size_t i, j;

	ASSERT_LE(0, mirror);
	engine = NEW_ENGINE_WITH(mirror, SECMMU_ENGINE_FAULT_AROUND);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self->actor.mem, PAGES * PAGE));
	ASSERT_EQ(0, outsider_start(&outsider));
	for (i = 0; i < ARRAY_SIZE(passings); i++) {
		unmap_all(_metadata, self);
		got = OUTSIDER_HOLD(outsider, FAULT_GOT, 0, engine, ACTOR_GPA(FIRST));
		for (j = 0; j < ARRAY_SIZE(passings[i].event); j++) {
			ASSERT_EQ(0, begin(self, passings[i].event[j]));
			ASSERT_EQ(0, end(self, passings[i].event[j]));
		}
		GATE_OPEN(got);
		EXPECT_OUTSIDER_READ(label(FIRST, 1), outsider);
		ASSERT_EQ(0, oracle_check(mirror, &result));
		EXPECT_EQ(passings[i].in, result.sptes) TH_LOG("with events %zu", i);
		EXPECT_COUNTER_OF(i + 1, mirror, faults);
		EXPECT_COUNTER_OF(0, mirror, retries);
	}
	outsider_stop(&outsider);
	close(engine);
	close(mirror);
}

/* In slot 1 page 4 is the first of a table. */
#define BORDER	(1024 - 4)

static void cross_border(TEST_ARGS(batch), bool event)
{
	struct secmmu_stats a;
	int got, installed;
	long i;

	unmap_all(_metadata, self);
	GET_STATS(a);
	got = GATE_ARM(FAULT_GOT, ACTOR_MEM(1));
	installed = GATE_ARM(FAULT_INSTALLED, ACTOR_MEM(1));
	ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(BORDER + 1), 16, 0);
	GATE_WAIT(got);
	if (event) {
		/* Behind the border, so that the round does not care. */
		PASS_EVENT(ACTOR_MEM(4), 1);
	}
	GATE_OPEN(got);
	GATE_WAIT(installed);
	EXPECT_EQ(3, sptes(self));
	GATE_OPEN(installed);
	EXPECT_ANSWER_VALUE(0, 0);
	EXPECT_SINCE(2, a, faults);
	EXPECT_SINCE(16, a, fault_pages);
	EXPECT_SINCE(0, a, retries);
	EXPECT_EQ(16, sptes(self));
	EXPECT_COHERENT(self->mirror);
	for (i = 0; i < 64; i++)
		EXPECT_GPA(label(i, 1), self->engine, ACTOR_GPA(BORDER + i));
}

/* A table ends within the range: so does a round, and what follows is elsewhere. */
SECMMU_TEST_F(batch, A6_border_of_two_tables)
{
	ACTOR_RUN(0, ACT_SLOT, 1, ACTOR_GPA(BORDER), 0, 64, 0);
	cross_border(_metadata, self, false);
	cross_border(_metadata, self, true);
}

TEST_HARNESS_MAIN
