// SPDX-License-Identifier: GPL-2.0
/*
 * Two invalidations at once. The first has dropped an entry and not flushed it:
 * whoever comes second finds nothing to drop, and yet must not return while an
 * engine can still use what the first has dropped. Needs a test build.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	64L
/* Slot 1 shows the same memory in the same leaf table. */
#define ALIAS(page)	ACTOR_GPA(PAGES + (page))

FIXTURE(overlap)
{
	int dev, mirror, engine;
	struct actor actor;
	int first;	/* gate in which the first invalidation stands */
};

FIXTURE_SETUP(overlap)
{
	SECMMU_OPEN_OR_SKIP();
	ASSERT_EQ(0, actor_start(&self->actor, self->dev, PAGES,
				 SECMMU_FLUSH_RANGE, 0));
	self->mirror = self->actor.mirror;
	self->engine = self->actor.engine[0];
	ASSERT_EQ(0, oracle_mark(self->mirror));
}

FIXTURE_TEARDOWN(overlap)
{
	gates_clear(self->dev);
	actor_stop(&self->actor);
	close(self->dev);
}

static char *page_of(FIXTURE_DATA(overlap) *self, long page)
{
	return self->actor.mem + page * PAGE;
}

/* Translations that engines would use without looking, or an error. */
static long live_entries(FIXTURE_DATA(overlap) *self)
{
	struct secmmu_test_oracle result;
	int ret = oracle_check(self->mirror, &result);

	return ret ?: (long)result.tlb_entries;
}

/* Thread 1 discards page 3, which engine 0 knows: dropped, not flushed. */
static void start_first(struct __test_metadata *_metadata,
			FIXTURE_DATA(overlap) *self)
{
	EXPECT_GPA(stamp(3, 1), self->engine, ACTOR_GPA(3));
	ASSERT_LT(0, live_entries(self));
	self->first = gate_arm(self->dev, SECMMU_GATE_ZAPPED,
			       actor_tid(&self->actor, 1), 0);
	ASSERT_LE(0, self->first);
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, self->first));
	/* That is what is dangerous. */
	ASSERT_LT(0, live_entries(self));
}

/* The second is through. */
#define ASSERT_FLUSHED() ASSERT_EQ(0, live_entries(self))

/* A read by thread 0 waits until the first is through, then finds @word. */
static void finish_first(struct __test_metadata *_metadata,
			 FIXTURE_DATA(overlap) *self, __u64 word)
{
	struct secmmu_test_state state = {};
	__u64 found = POISON;

	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	do {
		sleep_ms(1);
		ASSERT_EQ(0, state_get(self->mirror, &state));
	} while (!state.waiters && !actor_done(&self->actor, 0));
	ASSERT_FALSE(actor_done(&self->actor, 0));
	ASSERT_EQ(0, gate_open(self->dev, self->first));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &found));
	EXPECT_EQ(word, found);
	EXPECT_COHERENT(self->mirror);
}

/* The second is an event that changes nothing. */
SECMMU_TEST_F(overlap, B2_second_event)
{
	struct secmmu_stats a, b;

	start_first(_metadata, self);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	ASSERT_FLUSHED();
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(0, a, b, zapped);
	EXPECT_DELTA(1, a, b, flushes);
	EXPECT_DELTA(1, a, b, assists);
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
	finish_first(_metadata, self, 0);
}

/* The second drops entries too, elsewhere in the table: one flush is for both. */
SECMMU_TEST_F(overlap, B2_second_drops_more)
{
	struct secmmu_stats a, b;

	EXPECT_GPA(stamp(9, 1), self->engine, ACTOR_GPA(9));
	start_first(_metadata, self);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 0), 16));
	ASSERT_FLUSHED();
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_DELTA(1, a, b, flushes);
	EXPECT_DELTA(0, a, b, assists);
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 0), 16));
	finish_first(_metadata, self, 0);
}

/* The second frees the page; the first one has yet to. */
SECMMU_TEST_F(overlap, B2_second_discard)
{
	start_first(_metadata, self);
	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_MADVISE, 3, 1,
			       MADV_DONTNEED));
	ASSERT_FLUSHED();
	finish_first(_metadata, self, 0);
}

/* Whoever comes after both has nothing to do. */
SECMMU_TEST_F(overlap, B2_third_event_has_no_need)
{
	struct secmmu_stats a, b;

	start_first(_metadata, self);
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	ASSERT_FLUSHED();
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(0, a, b, flushes);
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
	finish_first(_metadata, self, 0);
}

/*
 * The second event comes to several tables, in one of which a flush is pending: the
 * first, the last, or one between them.
 */
SECMMU_TEST_F(overlap, B2_pending_in_one_of_many_tables)
{
	struct secmmu_stats a, b;
	long i;

	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_SLOT, i,
				       ACTOR_GPA(512 * i), 0, PAGES, 0));
		/* So that there is a table. */
		EXPECT_GPA(stamp(9, 1), self->engine, ACTOR_GPA(512 * i + 9));
		start_first(_metadata, self);
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
		ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
		ASSERT_FLUSHED();
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
		EXPECT_DELTA(0, a, b, zapped);
		EXPECT_DELTA(1, a, b, flushes);
		EXPECT_DELTA(1, a, b, assists);
		ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
		finish_first(_metadata, self, 0);
		ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_STORE, 3, stamp(3, 1)));
	}
}

/* The second is no event: the slot goes, and nobody may use it any more. */
SECMMU_TEST_F(overlap, B2_slot_goes)
{
	start_first(_metadata, self);
	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_SLOT, 0, ACTOR_BASE, 0, 0,
			       0));
	ASSERT_FLUSHED();
	EXPECT_GPA_ERROR(ENXIO, self->engine, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_open(self->dev, self->first));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
}

/* The same, but of two slots that share the table the other one goes. */
SECMMU_TEST_F(overlap, B2_sibling_slot_goes)
{
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_SLOT, 1, ALIAS(0), 0,
			       PAGES, 0));
	EXPECT_GPA(stamp(3, 1), self->actor.engine[1], ALIAS(3));
	start_first(_metadata, self);
	ASSERT_EQ(2, live_entries(self));
	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_SLOT, 1, ALIAS(0), 0, 0,
			       0));
	ASSERT_FLUSHED();
	EXPECT_GPA_ERROR(ENXIO, self->actor.engine[1], ALIAS(3));
	finish_first(_metadata, self, 0);
}

/*
 * The first has left the table empty. A fault that had linked it for nothing gives
 * empty tables back, but not this one: an event that found no table would not
 * know that a flush is pending.
 */
SECMMU_TEST_F(overlap, B2_empty_table_stays)
{
	int got, again;

	got = gate_arm(self->dev, SECMMU_GATE_FAULT_GOT,
		       actor_tid(&self->actor, 0), 0);
	ASSERT_LE(0, got);
	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
	ASSERT_EQ(0, gate_wait(self->dev, got));
	/* Its first round is for nothing, its second does not begin yet. */
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 5), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 5), 1));
	again = gate_arm(self->dev, SECMMU_GATE_FAULT_LOOKED_UP,
			 actor_tid(&self->actor, 0), 0);
	ASSERT_LE(0, again);
	start_first(_metadata, self);
	ASSERT_EQ(0, gate_open(self->dev, got));
	ASSERT_EQ(0, gate_wait(self->dev, again));

	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	ASSERT_FLUSHED();
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
	ASSERT_EQ(0, gate_open(self->dev, again));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	finish_first(_metadata, self, 0);
}

/* The dirty log: what it names was written before, by whatever translation. */
SECMMU_TEST_F(overlap, C2_dirty_log)
{
	__u64 log = 0;

	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_SLOT, 0, ACTOR_BASE, 0,
			       PAGES, SECMMU_SLOT_LOG_DIRTY));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 1)));
	start_first(_metadata, self);
	actor_do(&self->actor, 2, ACT_DIRTY, 0, PAGES);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &log));
	EXPECT_EQ(1ULL << 3, log);
	ASSERT_FLUSHED();
	finish_first(_metadata, self, 0);
}

/*
 * The log has emptied the bitmap, has not looked at the entries. Meanwhile a page is
 * written, and its entry dropped, not flushed. The log need not name the page; but if
 * it does, no engine may write there any more without a further log that does.
 */
SECMMU_TEST_F(overlap, C2_event_within_the_log)
{
	__u64 log = 0, next = 0;
	int within;

	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_SLOT, 0, ACTOR_BASE, 0,
			       PAGES, SECMMU_SLOT_LOG_DIRTY));
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
			       SECMMU_PREFAULT_WRITE));
	within = gate_arm(self->dev, SECMMU_GATE_DIRTY_LOG,
			  actor_tid(&self->actor, 2), 0);
	ASSERT_LE(0, within);
	actor_do(&self->actor, 2, ACT_DIRTY, 0, PAGES);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 2, self->dev, within));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 1)));
	start_first(_metadata, self);
	ASSERT_EQ(0, gate_open(self->dev, within));
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &log));
	ASSERT_FLUSHED();
	/* It is in this one or the next. */
	actor_do(&self->actor, 2, ACT_DIRTY, 0, PAGES);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &next));
	EXPECT_EQ(1ULL << 3, log | next);
	finish_first(_metadata, self, 0);
}

TEST_HARNESS_MAIN
