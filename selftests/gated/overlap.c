// SPDX-License-Identifier: GPL-2.0
/*
 * Two invalidations at once. The first has dropped an entry and not flushed. The second
 * finds nothing to drop, and yet must not return while an engine can still use what the
 * first has dropped. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

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
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(overlap)
{
	ACTOR_TEARDOWN();
}

/* Translations that engines would use without looking, or an error. */
static long live_entries(FIXTURE_DATA(overlap) *self)
{
	struct secmmu_test_oracle result;
	int ret = oracle_check(self->mirror, &result);

	return ret ?: (long)result.tlb_entries;
}

/* Thread 1 discards page 3, which engine 0 knows: dropped, not flushed. */
static void start_first(TEST_ARGS(overlap))
{
	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
	ASSERT_LT(0, live_entries(self));
	self->first = ACTOR_HOLD_AT(ZAPPED, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	/* That is what is dangerous. */
	ASSERT_LT(0, live_entries(self));
}

/* The second is through. */
#define ASSERT_FLUSHED() ASSERT_EQ(0, live_entries(self))

/* A read by thread 0 waits until the first is through, then finds @word. */
static void finish_first(TEST_ARGS(overlap), __u64 word)
{
	struct secmmu_test_state state = {};

	ACTOR_DO(0, ACT_READ, 0, ACTOR_GPA(3));
	do {
		sleep_ms(1);
		ASSERT_EQ(0, state_get(self->mirror, &state));
	} while (!state.waiters && !actor_done(&self->actor, 0));
	ASSERT_FALSE(actor_done(&self->actor, 0));
	EXPECT_GOES_ON(self->first, 1);
	EXPECT_ANSWER_VALUE(word, 0);
	EXPECT_COHERENT(self->mirror);
}

/* The second is an event that drops @zapped entries more; there is one flush for both. */
static void pass_second(TEST_ARGS(overlap), long page, long pages, int zapped, int assists)
{
	struct secmmu_stats a;

	start_first(_metadata, self);
	GET_STATS(a);
	EVENT_BEGIN(ACTOR_MEM(page), pages);
	ASSERT_FLUSHED();
	EXPECT_DROPPED(zapped, 1, a);
	EXPECT_SINCE(assists, a, assists);
	EVENT_END(ACTOR_MEM(page), pages);
	finish_first(_metadata, self, 0);
}

SECMMU_TEST_CALL(overlap, B2_second_event, pass_second, 3, 1, 0, 1)

/* It drops entries too, elsewhere in the table. */
SECMMU_TEST_F(overlap, B2_second_drops_more)
{
	EXPECT_GPA(label(9, 1), self->engine, ACTOR_GPA(9));
	pass_second(_metadata, self, 0, 16, 1, 0);
}

/* The second frees the page; the first one has yet to. */
SECMMU_TEST_F(overlap, B2_second_discard)
{
	start_first(_metadata, self);
	ACTOR_RUN(2, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_FLUSHED();
	finish_first(_metadata, self, 0);
}

/* A third event, after both, has nothing to do. */
SECMMU_TEST_F(overlap, B2_third_event_has_no_need)
{
	struct secmmu_stats a;

	start_first(_metadata, self);
	EVENT_BEGIN(ACTOR_MEM(3), 1);
	ASSERT_FLUSHED();
	GET_STATS(a);
	EVENT_BEGIN(ACTOR_MEM(3), 1);
	EXPECT_SINCE(0, a, flushes);
	EVENT_END(ACTOR_MEM(3), 1);
	EVENT_END(ACTOR_MEM(3), 1);
	finish_first(_metadata, self, 0);
}

/*
 * The second event comes to several tables, in one of which a flush is pending: the
 * first, the last, or one between them.
 */
SECMMU_TEST_F(overlap, B2_pending_in_one_of_many_tables)
{
	long i;

	for (i = 1; i <= 10; i++) {
		ACTOR_RUN(0, ACT_SLOT, i, ACTOR_GPA(512 * i), 0, PAGES, 0);
		/* So that there is a table. */
		EXPECT_GPA(label(9, 1), self->engine, ACTOR_GPA(512 * i + 9));
		pass_second(_metadata, self, 3, 1, 0, 1);
		ACTOR_RUN(0, ACT_STORE, 3, label(3, 1));
	}
}

/* The second is no event: the slot is deleted, and no engine may use it afterwards. */
SECMMU_TEST_F(overlap, B2_slot_goes)
{
	start_first(_metadata, self);
	ACTOR_RUN(2, ACT_SLOT, 0, ACTOR_BASE, 0, 0, 0);
	ASSERT_FLUSHED();
	EXPECT_GPA_ERROR(ENXIO, self->engine, ACTOR_GPA(3));
	EXPECT_GOES_ON(self->first, 1);
}

/* The same, but of two slots that share the table the other one goes. */
SECMMU_TEST_F(overlap, B2_sibling_slot_goes)
{
	ACTOR_RUN(0, ACT_SLOT, 1, ALIAS(0), 0, PAGES, 0);
	EXPECT_GPA(label(3, 1), self->actor.engine[1], ALIAS(3));
	start_first(_metadata, self);
	ASSERT_EQ(2, live_entries(self));
	ACTOR_RUN(2, ACT_SLOT, 1, ALIAS(0), 0, 0, 0);
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

	got = ACTOR_HOLD_AT(FAULT_GOT, 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
	/* Its first round is for nothing, its second does not begin yet. */
	PASS_EVENT(ACTOR_MEM(5), 1);
	again = GATE_ARM_FOR(FAULT_LOOKED_UP, 0);
	start_first(_metadata, self);
	GATE_OPEN(got);
	GATE_WAIT(again);

	EVENT_BEGIN(ACTOR_MEM(3), 1);
	ASSERT_FLUSHED();
	EVENT_END(ACTOR_MEM(3), 1);
	EXPECT_GOES_ON(again, 0);
	finish_first(_metadata, self, 0);
}

/* The dirty log: a page that it names was written before, through any translation. */
SECMMU_TEST_F(overlap, C2_dirty_log)
{
	ACTOR_RUN(0, ACT_SLOT, 0, ACTOR_BASE, 0, PAGES, SECMMU_SLOT_LOG_DIRTY);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 1));
	start_first(_metadata, self);
	ACTOR_DO(2, ACT_DIRTY, 0, PAGES);
	EXPECT_ANSWER_VALUE(1ULL << 3, 2);
	ASSERT_FLUSHED();
	finish_first(_metadata, self, 0);
}

/*
 * The log has looked at the entries, has not emptied the bitmap. Meanwhile a page is
 * written, and its entry dropped, not flushed. The log need not name the page; but if
 * it does, no engine may write there any more without a further log that does.
 */
SECMMU_TEST_F(overlap, C2_event_within_the_log)
{
	__u64 log = 0, next = 0;
	int within;

	ACTOR_RUN(0, ACT_SLOT, 0, ACTOR_BASE, 0, PAGES, SECMMU_SLOT_LOG_DIRTY);
	ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(3), 1, SECMMU_PREFAULT_WRITE);
	within = ACTOR_HOLD_AT(DIRTY_LOG, 2, ACT_DIRTY, 0, PAGES);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 1));
	start_first(_metadata, self);
	GATE_OPEN(within);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &log));
	ASSERT_FLUSHED();
	/* It is in this one or the next. */
	ACTOR_DO(2, ACT_DIRTY, 0, PAGES);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &next));
	EXPECT_EQ(1ULL << 3, log | next);
	finish_first(_metadata, self, 0);
}

/* As above, but the page was written before, so the log must name it. */
SECMMU_TEST_F(overlap, C2_written_before_the_log)
{
	__u64 log = 0;
	int within;

	ACTOR_RUN(0, ACT_SLOT, 0, ACTOR_BASE, 0, PAGES, SECMMU_SLOT_LOG_DIRTY);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 1));
	within = ACTOR_HOLD_AT(DIRTY_LOG, 2, ACT_DIRTY, 0, PAGES);
	start_first(_metadata, self);
	GATE_OPEN(within);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &log));
	EXPECT_EQ(1ULL << 3, log);
	finish_first(_metadata, self, 0);
}

TEST_HARNESS_MAIN
