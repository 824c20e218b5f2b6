// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors and slots come and go while events walk over them. Needs a test build.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	64L
/* Slot 1: the first pages once more. */
#define ALIASES	8L
#define ALIAS(page)	ACTOR_GPA(4 * PAGES + (page))

/* That a walk loses, before registrations wait: SECMMU_REPLAYS_MAX. */
#define ROUNDS		4

#define WHOLE	(SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END)

FIXTURE(registration)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(registration)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(registration)
{
	ACTOR_TEARDOWN();
}

/* Another mirror; its engines' numbers begin at ACTOR_ENGINES times this. */
static __u64 add_mirror(struct __test_metadata *_metadata,
			FIXTURE_DATA(registration) *self, int thread)
{
	__u64 number = 0;

	actor_do(&self->actor, thread, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, thread, &number));
	return number;
}

static void expect_read(struct __test_metadata *_metadata,
			FIXTURE_DATA(registration) *self, __u64 mirror,
			long page, __u64 expected)
{
	__u64 word = POISON;

	actor_do(&self->actor, 0, ACT_READ, mirror * ACTOR_ENGINES,
		 ACTOR_GPA(page));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	EXPECT_EQ(expected, word);
}

/* EXPECT_COHERENT() for a mirror of which only the actor has a descriptor. */
static void expect_coherent(struct __test_metadata *_metadata,
			    FIXTURE_DATA(registration) *self, __u64 mirror)
{
	__u64 objections = POISON;

	actor_do(&self->actor, 0, ACT_CHECK, mirror);
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &objections));
	EXPECT_EQ(0, objections);
}

/* Each registration that comes during a round costs one more round. */
SECMMU_TEST_F(registration, A1_replay_for_each)
{
	struct secmmu_stats a, b;
	int first, second;
	__u64 number;

	EXPECT_ACTOR_READS(stamp(3, 1), &self->actor, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	first = GATE_ARM(START_WALKED, ACTOR_MEM(3));
	/* Injected: to make a mirror takes the mmap_lock. */
	actor_do(&self->actor, 1, ACT_EVENT, 3, 1, WHOLE);
	ASSERT_EQ(0, gate_wait(self->dev, first));
	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_SLOT, 1, ALIAS(0), 8,
			       ALIASES));
	second = GATE_ARM(START_WALKED, ACTOR_MEM(3));
	ASSERT_EQ(0, gate_open(self->dev, first));
	ASSERT_TRUE(actor_reaches(&self->actor, 1, self->dev, second));
	number = add_mirror(_metadata, self, 2);
	ASSERT_EQ(0, gate_open(self->dev, second));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(2, a, b, replays);
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_DELTA(1, a, b, zap_events);

	/* Nobody is there any more: no replay. */
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_MADVISE, 3, 1,
			       MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	EXPECT_DELTA(0, b, a, replays);
	expect_read(_metadata, self, 0, 3, 0);
	expect_read(_metadata, self, number, 3, 0);
	EXPECT_COHERENT(self->mirror);
	expect_coherent(_metadata, self, number);
}

/* In each round there is another registration, until the walk has had enough. */
SECMMU_TEST_F(registration, A1_walk_ends)
{
	struct secmmu_stats a, b;
	int post, next, round;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	post = GATE_ARM(START_WALKED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_SLOT, 1 + round,
				       ALIAS(round * ALIASES), 8, ALIASES));
		next = GATE_ARM(START_WALKED, ACTOR_MEM(3));
		ASSERT_EQ(0, gate_open(self->dev, post));
		ASSERT_TRUE(actor_reaches(&self->actor, 1, self->dev, next));
		post = next;
	}
	actor_do(&self->actor, 2, ACT_SLOT, 1 + round, ALIAS(round * ALIASES), 8,
		 ALIASES);
	EXPECT_TRUE(actor_stays(&self->actor, 2));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 2, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(ROUNDS, a, b, replays);
	EXPECT_COHERENT(self->mirror);
}

/* A slot that shows what the event is about: faults through it know. */
SECMMU_TEST_F(registration, A1_slot_over_the_event)
{
	__u64 word = POISON;
	int post;

	EXPECT_ACTOR_READS(stamp(3, 1), &self->actor, 0, ACTOR_GPA(3));
	post = GATE_ARM(START_WALKED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_SLOT, 1, ALIAS(0), 0,
			       ALIASES));
	actor_do(&self->actor, 0, ACT_READ, 1, ALIAS(3));
	EXPECT_TRUE(actor_waits(&self->actor, 0, 1));
	EXPECT_ACTOR_READS(stamp(4, 1), &self->actor, 2, ALIAS(4));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	EXPECT_EQ(0, word);
	EXPECT_COHERENT(self->mirror);
}

/*
 * An event finds the slots half changed, so that its page is in none of them. It
 * must wait and look again.
 */
SECMMU_TEST_F(registration, A1_torn_slots)
{
	int torn, recorded;

	EXPECT_ACTOR_READS(stamp(3, 1), &self->actor, 0, ACTOR_GPA(3));
	torn = GATE_ARM(UPDATE_TORN, 0);
	actor_do(&self->actor, 2, ACT_SLOT, 1, ALIAS(0), 8, ALIASES);
	ASSERT_EQ(0, gate_wait(self->dev, torn));
	recorded = GATE_ARM(START_RECORDED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, recorded));
	ASSERT_EQ(0, gate_open(self->dev, recorded));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, torn));
	EXPECT_EQ(0, actor_answer(&self->actor, 2, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(0, &self->actor, 0, ACTOR_GPA(3));
	EXPECT_ACTOR_READS(stamp(8, 1), &self->actor, 0, ALIAS(0));
	EXPECT_COHERENT(self->mirror);
}

/* Likewise a fault: the way to its slot is not cut for good. */
SECMMU_TEST_F(registration, A1_fault_between_the_stores)
{
	__u64 word = POISON;
	int post;

	post = GATE_ARM(UPDATE, 0);
	actor_do(&self->actor, 2, ACT_SLOT, 1, ALIAS(0), 8, ALIASES);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	actor_do(&self->actor, 0, ACT_READ, 0, ALIAS(0));
	EXPECT_TRUE(actor_stays(&self->actor, 0));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	EXPECT_EQ(stamp(8, 1), word);
	EXPECT_EQ(0, actor_answer(&self->actor, 2, NULL));
}

/*
 * An event is held in @gate, the passage of it numbered @skip, while one of three
 * mirrors is closed. The close must take as long if the event @walks over the mirrors.
 */
static void close_meanwhile(struct __test_metadata *_metadata,
			    FIXTURE_DATA(registration) *self,
			    enum secmmu_gate gate, unsigned int skip, bool walks)
{
	struct secmmu_test_state state;
	__u64 closed, stays;
	int held, leave;

	closed = add_mirror(_metadata, self, 2);
	stays = add_mirror(_metadata, self, 2);
	expect_read(_metadata, self, 0, 3, stamp(3, 1));
	expect_read(_metadata, self, closed, 3, stamp(3, 1));
	expect_read(_metadata, self, stays, 3, stamp(3, 1));

	held = gate_arm_after(self->dev, gate, actor_tid(&self->actor, 1), 0,
			      skip);
	ASSERT_LE(0, held);
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, held));
	leave = GATE_ARM(LEAVE, 0);
	actor_do(&self->actor, 2, ACT_CLOSE, closed);
	ASSERT_EQ(0, gate_wait(self->dev, leave));
	ASSERT_EQ(0, gate_open(self->dev, leave));
	if (walks) {
		EXPECT_TRUE(actor_stays(&self->actor, 2));
		ASSERT_EQ(0, gate_open(self->dev, held));
	}
	EXPECT_EQ(0, actor_answer(&self->actor, 2, NULL));
	if (!walks)
		ASSERT_EQ(0, gate_open(self->dev, held));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));

	expect_read(_metadata, self, 0, 3, 0);
	expect_read(_metadata, self, stays, 3, 0);
	EXPECT_COHERENT(self->mirror);
	expect_coherent(_metadata, self, stays);
	ASSERT_EQ(0, state_get(self->mirror, &state));
	EXPECT_EQ(2, state.members);
	EXPECT_EQ(0, state.events);
}

SECMMU_TEST_F(registration, A14_closed_before_the_walk)
{
	close_meanwhile(_metadata, self, SECMMU_GATE_START_RECORDED, 0, false);
}

/* The event stands in the very mirror that goes. */
SECMMU_TEST_F(registration, A14_closed_before_its_flush)
{
	close_meanwhile(_metadata, self, SECMMU_GATE_ZAPPED, 1, true);
}

/* ... and in its neighbour. */
SECMMU_TEST_F(registration, A14_closed_before_anothers_flush)
{
	close_meanwhile(_metadata, self, SECMMU_GATE_ZAPPED, 2, true);
}

TEST_HARNESS_MAIN
