// SPDX-License-Identifier: GPL-2.0
/*
 * 2 MiB entries against events: flushes that are pending or counted, faults that an event
 * overtakes, tables that come and go. Needs a test build.
 */
#include <errno.h>
#include <sys/mman.h>

#define LARGE	largerace
#include "secmmu_large.h"
#include "secmmu_outsider.h"

#define ASSERT_FLUSHED() ASSERT_EQ(0, live_entries(self))

/* Thread 1 raises an event, of which the entries are dropped, not flushed. */
static void start_first(struct __test_metadata *_metadata,
			FIXTURE_DATA(largerace) *self, long page, long pages)
{
	ASSERT_LT(0, live_entries(self));
	self->first = ACTOR_HOLD_AT(ZAPPED, 1, ACT_EVENT, page, pages,
				    SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END);
	ASSERT_LT(0, live_entries(self));
}

static void finish_first(struct __test_metadata *_metadata, FIXTURE_DATA(largerace) *self)
{
	EXPECT_GOES_ON(self->first, 1);
	EXPECT_COHERENT(self->mirror);
}

/* An event finds nothing to drop in [@page, @page + @pages), but a pending flush. */
static void second_event(struct __test_metadata *_metadata,
			 FIXTURE_DATA(largerace) *self, long page, long pages)
{
	struct secmmu_stats a;

	GET_STATS(a);
	EVENT_BEGIN(ACTOR_MEM(page), pages);
	ASSERT_FLUSHED();
	EXPECT_DROPPED(0, 1, a);
	EXPECT_SINCE(1, a, assists);
	EVENT_END(ACTOR_MEM(page), pages);
}

/* The first has dropped a large entry; the second is about all of it, or a page. */
SECMMU_TEST_F(largerace, B2_second_event)
{
	static const long second[][2] = { { 0, 512 }, { 3, 1 }, { 300, 1 } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(second); i++) {
		read_large(_metadata, self, 3);
		start_first(_metadata, self, 0, BLOCK);
		second_event(_metadata, self, second[i][0], second[i][1]);
		finish_first(_metadata, self);
	}
}

/* The first has split it and dropped one page. */
SECMMU_TEST_F(largerace, B2_second_event_on_the_part)
{
	read_large(_metadata, self, 3);
	start_first(_metadata, self, 3, 1);
	second_event(_metadata, self, 3, 1);
	finish_first(_metadata, self);
}

/* The second is no event. */
SECMMU_TEST_F(largerace, B2_slot_goes)
{
	read_large(_metadata, self, 3);
	start_first(_metadata, self, 0, BLOCK);
	ACTOR_RUN(2, ACT_SLOT, 0);
	ASSERT_FLUSHED();
	finish_first(_metadata, self);
}

/* The second drops entries too, elsewhere: one flush is for both. */
SECMMU_TEST_F(largerace, B2_second_drops_more)
{
	struct secmmu_stats a;

	read_large(_metadata, self, BLOCK);
	read_large(_metadata, self, 3);
	start_first(_metadata, self, 0, BLOCK);
	GET_STATS(a);
	EVENT_BEGIN(ACTOR_MEM(0), 2 * BLOCK);
	ASSERT_FLUSHED();
	EXPECT_DROPPED(1, 1, a);
	EXPECT_SINCE(0, a, assists);
	EVENT_END(ACTOR_MEM(0), 2 * BLOCK);
	finish_first(_metadata, self);
}

/* A third event, after both, has nothing to do. */
SECMMU_TEST_F(largerace, B2_third_event_has_no_need)
{
	struct secmmu_stats a;

	read_large(_metadata, self, 3);
	start_first(_metadata, self, 0, BLOCK);
	second_event(_metadata, self, 3, 1);
	GET_STATS(a);
	pass_event(_metadata, self, 3, 1);
	pass_event(_metadata, self, 0, BLOCK);
	EXPECT_SINCE(0, a, flushes);
	finish_first(_metadata, self);
}

/* The memory once more, in the next blocks of the mirror. */
#define ALIAS(page)	ACTOR_GPA(PAGES + (page))

/* Of two slots with entries in one table the other one goes. */
SECMMU_TEST_F(largerace, B2_sibling_slot_goes)
{
	ACTOR_RUN(0, ACT_SLOT, 1, ALIAS(0), 0, BLOCK, 0);
	EXPECT_GPA(label(3, 1), self->actor.engine[1], ALIAS(3));
	read_large(_metadata, self, 3);
	ASSERT_EQ(2, large(self));
	start_first(_metadata, self, 0, BLOCK);
	ASSERT_EQ(0, large(self));
	ACTOR_RUN(2, ACT_SLOT, 1);
	ASSERT_FLUSHED();
	EXPECT_GPA_ERROR(ENXIO, self->actor.engine[1], ALIAS(3));
	finish_first(_metadata, self);
}

/* A window has its translation from the large entry: both events wait for it. */
SECMMU_TEST_F(largerace, B2_both_wait_for_the_window)
{
	struct outsider outsider = {};
	int window, raised, second;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	ASSERT_EQ(0, cpus_spread(&self->actor));
	ASSERT_EQ(0, outsider_start(&outsider));
	read_large(_metadata, self, 3);
	window = OUTSIDER_HOLD(outsider, WINDOW_TRANSLATED, ACTOR_GPA(3), self->engine,
			       ACTOR_GPA(3));
	raised = ACTOR_HOLD_AT(FLUSH_RAISED, 1, ACT_EVENT, 0, BLOCK,
			       SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END);
	GATE_OPEN(raised);
	second = GATE_ARM_FOR(END, 2);
	ACTOR_DO(2, ACT_EVENT, 3, 1, SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END);
	EXPECT_EQ(-ETIMEDOUT, gate_wait_ms(self->dev, second, 300));
	EXPECT_FALSE(actor_done(&self->actor, 1));
	EXPECT_EQ(0, gate_open(self->dev, window));
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 2, self->dev, second));
	EXPECT_GOES_ON(second, 2);
	EXPECT_ANSWER(0, 1);
	EXPECT_EQ(0, outsider_answer(&outsider, NULL));
	outsider_stop(&outsider);
	EXPECT_COHERENT(self->mirror);
}

/*
 * The first event has dropped a large entry as a whole because of one page, as it had no
 * table to split it into. A fault on another page links a leaf table in its place. An event
 * that meets this table must find that a flush is pending.
 */
SECMMU_TEST_F(largerace, B2_leaf_linked_meanwhile)
{
	struct secmmu_stats stats;
	int got, linked;

	got = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(5), 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
	read_large(_metadata, self, BLOCK);
	read_large(_metadata, self, 2 * BLOCK);
	read_large(_metadata, self, 3);
	pass_event(_metadata, self, BLOCK + 9, 1);
	pass_event(_metadata, self, 2 * BLOCK + 9, 1);
	GET_STATS(stats);
	ASSERT_EQ(2, stats.splits);
	ASSERT_EQ(1, stats.large);
	read_large(_metadata, self, 3);

	start_first(_metadata, self, 3, 1);
	GET_STATS(stats);
	ASSERT_EQ(1, stats.unsplit);
	/* Its first try is a large entry, which an event in the block forbids. */
	linked = gate_arm_after(self->dev, SECMMU_GATE_FAULT_LINKED,
				actor_tid(&self->actor, 0), 0, 1);
	ASSERT_LE(0, linked);
	GATE_OPEN(got);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 0, self->dev, linked));
	second_event(_metadata, self, 3, 1);
	EXPECT_GOES_ON(linked, 0);
	finish_first(_metadata, self);
	EXPECT_GPA(label(5, 1), self->engine, ACTOR_GPA(5));
}

/* An entry of 2 MiB counts as one; what it was split into counts by the page. */
SECMMU_TEST_F(largerace, B1_flushes)
{
	static const struct {
		__u32 policy, batch;
		__u64 parts, rest, whole;	/* flushes for 11, 1014 and 3 entries */
	} policies[] = {
		{ SECMMU_FLUSH_RANGE, 0, 1, 1, 1 },
		{ SECMMU_FLUSH_EACH, 0, 11, 1014, 3 },
		{ SECMMU_FLUSH_ARRAY, 1, 11, 1014, 3 },
		{ SECMMU_FLUSH_ARRAY, 2, 6, 507, 2 },
		{ SECMMU_FLUSH_ARRAY, 3, 4, 338, 1 },
		{ SECMMU_FLUSH_ARRAY, 11, 1, 93, 1 },
	};
	struct secmmu_stats s[4];
	int mirror, engine;
	size_t n;
	long i;

	for (n = 0; n < ARRAY_SIZE(policies); n++) {
		struct secmmu_create_mirror arg = {
			.size = sizeof(arg),
			.flush_policy = policies[n].policy,
			.flush_batch = policies[n].batch,
			.pid = self->actor.pid,
		};

		mirror = secmmu_call(self->dev, SECMMU_CREATE_MIRROR, &arg, sizeof(arg));
		ASSERT_LE(0, mirror);
		engine = secmmu_create_engine(mirror);
		ASSERT_LE(0, engine);
		ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self->actor.mem,
					     PAGES * PAGE));
		for (i = 0; i < BLOCKS; i++)
			EXPECT_GPA(label(i * BLOCK, 1), engine, ACTOR_GPA(i * BLOCK));
		ASSERT_EQ(0, secmmu_get_stats(mirror, &s[0]));
		EXPECT_EQ(BLOCKS, s[0].large);
		/* One page of a block, ten of the next; then what is left of all. */
		pass_event(_metadata, self, BLOCK - 1, 11);
		ASSERT_EQ(0, secmmu_get_stats(mirror, &s[1]));
		pass_event(_metadata, self, 0, PAGES);
		ASSERT_EQ(0, secmmu_get_stats(mirror, &s[2]));
		for (i = 0; i < BLOCKS; i++)
			EXPECT_GPA(label(i * BLOCK, 1), engine, ACTOR_GPA(i * BLOCK));
		pass_event(_metadata, self, 0, PAGES);
		ASSERT_EQ(0, secmmu_get_stats(mirror, &s[3]));
		EXPECT_DELTA(2, s[0], s[1], splits);
		EXPECT_DELTA(11, s[0], s[1], zapped);
		EXPECT_DELTA(policies[n].parts, s[0], s[1], flushes);
		EXPECT_DELTA(1014, s[1], s[2], zapped);
		EXPECT_DELTA(policies[n].rest, s[1], s[2], flushes);
		EXPECT_DELTA(3, s[2], s[3], zapped);
		EXPECT_DELTA(policies[n].whole, s[2], s[3], flushes);
		EXPECT_DELTA(0, s[0], s[3], assists);
		EXPECT_EQ(1, s[3].tables);
		close(engine);
		close(mirror);
	}
}

/* An event elsewhere in the block, when the fault has its page: a small entry will do. */
SECMMU_TEST_F(largerace, A8_event_overtakes_a_fault)
{
	static const long pages[] = { 1, 300, 511 };
	struct secmmu_stats a;
	size_t i;
	int got;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		GET_STATS(a);
		got = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(0), 0, ACT_PREFAULT, ACTOR_GPA(0), 1, 0);
		EVENT_BEGIN(ACTOR_MEM(pages[i]), 1);
		EXPECT_GOES_ON(got, 0);
		EXPECT_COUNTER(0, large);
		EXPECT_SINCE(1, a, fault_pages);
		EXPECT_SINCE(0, a, retries);
		EXPECT_SINCE(0, a, waits);
		EXPECT_ORACLE(1, sptes);
		EVENT_END(ACTOR_MEM(pages[i]), 1);
		EXPECT_COHERENT(self->mirror);
		pass_event(_metadata, self, 0, BLOCK);
	}
}

/* An event on the page itself, as part of the block or not: the fault tries again. */
static void pass_events(struct __test_metadata *_metadata, FIXTURE_DATA(largerace) *self,
			enum secmmu_gate gate)
{
	static const long event[][2] = { { 0, 512 }, { 5, 1 }, { 511, 1 }, { 512, 1 } };
	struct secmmu_stats a, b;
	size_t i;
	int got;

	for (i = 0; i < ARRAY_SIZE(event); i++) {
		bool hit = event[i][0] <= 5;

		GET_STATS(a);
		got = gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(5));
		ASSERT_LE(0, got);
		ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
		GATE_WAIT(got);
		pass_event(_metadata, self, event[i][0], event[i][1]);
		EXPECT_GOES_ON(got, 0);
		GET_STATS(b);
		EXPECT_DELTA(hit, a, b, retries_event);
		EXPECT_DELTA(hit, a, b, retries);
		/* Small, if a part was hit that was not asked for, once all is recorded. */
		EXPECT_EQ(event[i][0] != 511 || gate == SECMMU_GATE_FAULT_RECORDED,
			  b.large - 1);
		EXPECT_COHERENT(self->mirror);
		pass_event(_metadata, self, 0, BLOCK);
	}
}

SECMMU_TEST_F(largerace, A6_whole_event_between_gup_and_install)
{
	/* Keeps the table of all these entries in use. */
	read_large(_metadata, self, 2 * BLOCK);
	pass_events(_metadata, self, SECMMU_GATE_FAULT_RECORDED);
	pass_events(_metadata, self, SECMMU_GATE_FAULT_GOT);
	pass_events(_metadata, self, SECMMU_GATE_FAULT_LINKED);
}

/* A fault begins while an event is in flight elsewhere in its block. */
SECMMU_TEST_F(largerace, A8_inside_an_event)
{
	static const long pages[] = { 1, 300, 511 };
	struct secmmu_stats a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		GET_STATS(a);
		EVENT_BEGIN(ACTOR_MEM(pages[i]), 1);
		ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(0), 1, 0);
		EXPECT_EQ(0, large(self));
		EXPECT_ORACLE(1, sptes);
		ACTOR_DO(0, ACT_PREFAULT, ACTOR_GPA(pages[i]), 1, 0);
		EXPECT_TRUE(actor_waits(&self->actor, 0, 1));
		EVENT_END(ACTOR_MEM(pages[i]), 1);
		EXPECT_ANSWER(0, 0);
		EXPECT_EQ(1, large(self));
		EXPECT_SINCE(0, a, retries);
		EXPECT_COHERENT(self->mirror);
		pass_event(_metadata, self, 0, BLOCK);
	}
}

/* The table that the large entry would be in is given back, as empty. */
SECMMU_TEST_F(largerace, A10_table_given_back)
{
	int linked = ACTOR_HOLD(FAULT_LINKED, ACTOR_MEM(5), 0, ACT_PREFAULT, ACTOR_GPA(5),
				1, 0);

	pass_event(_metadata, self, BLOCK + 5, 1);
	EXPECT_GOES_ON(linked, 0);
	EXPECT_COUNTER(1, retries_table);
	EXPECT_COUNTER(1, retries);
	EXPECT_COUNTER(1, large);
	EXPECT_COHERENT(self->mirror);
}

/* Each domain has large entries of its own; an event splits them all, with one flush. */
SECMMU_TEST_F(largerace, E4_every_domain)
{
	const __u32 domains = SECMMU_MAX_DOMAINS;
	struct secmmu_stats a, b;
	__u32 i;

	ACTOR_RUN(0, ACT_DOMAINS, domains - 1);
	ACTOR_RUN(0, ACT_SLOT_IN, 0, ACTOR_BASE, 0, PAGES, (1U << domains) - 1);
	for (i = 0; i < domains; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		read_large(_metadata, self, 3);
		read_large(_metadata, self, BLOCK);
	}
	GET_STATS(a);
	EXPECT_EQ(2 * domains, a.large);
	pass_event(_metadata, self, 100, 10);
	GET_STATS(b);
	EXPECT_DELTA(10 * domains, a, b, zapped);
	EXPECT_DELTA(domains, a, b, splits);
	EXPECT_DELTA(1, a, b, flushes);
	EXPECT_EQ(domains, b.large);
	for (i = 0; i < domains; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
		EXPECT_GPA(label(110, 1), self->engine, ACTOR_GPA(110));
		EXPECT_GPA(label(2 * BLOCK - 1, 1), self->engine, ACTOR_GPA(2 * BLOCK - 1));
	}
	GET_STATS(a);
	EXPECT_EQ(a.faults, b.faults);
	pass_event(_metadata, self, 0, PAGES);
	EXPECT_COUNTER(0, large);
	EXPECT_COUNTER(domains, tables);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
