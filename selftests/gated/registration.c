// SPDX-License-Identifier: GPL-2.0
/* Mirrors and slots come and go while events walk over them. Needs a test build. */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	64L
/* Slot 1: the first pages once more. */
#define ALIASES	8L
#define ALIAS(page)	ACTOR_GPA(4 * PAGES + (page))

/* That a walk loses, before registrations wait: SECMMU_REPLAYS_MAX. */
#define ROUNDS		4

#define WHOLE	(SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END)

ACTOR_FIXTURE(registration, PAGES)

/* Another mirror; its engines' numbers begin at ACTOR_ENGINES times this. */
static __u64 add_mirror(TEST_ARGS(registration), int thread)
{
	__u64 number = 0;

	ACTOR_DO(thread, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, thread, &number));
	return number;
}

static void expect_read(TEST_ARGS(registration), __u64 mirror, long page, __u64 expected)
{
	ACTOR_DO(0, ACT_READ, mirror * ACTOR_ENGINES, ACTOR_GPA(page));
	EXPECT_ANSWER_VALUE(expected, 0);
}

/* EXPECT_COHERENT() for a mirror of which only the actor has a descriptor. */
static void expect_coherent(TEST_ARGS(registration), __u64 mirror)
{
	ACTOR_DO(0, ACT_CHECK, mirror);
	EXPECT_ANSWER_VALUE(0, 0);
}

/* Each registration that comes during a round costs one more round. */
SECMMU_TEST_F(registration, A1_replay_for_each)
{
	struct secmmu_stats a, b;
	int first, second;
	__u64 number;

	EXPECT_ACTOR_READS(label(3, 1), 0, ACTOR_GPA(3));
	GET_STATS(a);
	first = GATE_ARM(START_WALKED, ACTOR_MEM(3));
	/* Injected: to make a mirror takes the mmap_lock. */
	ACTOR_DO(1, ACT_EVENT, 3, 1, WHOLE);
	GATE_WAIT(first);
	ACTOR_RUN(2, ACT_SLOT, 1, ALIAS(0), 8, ALIASES);
	second = GATE_ARM(START_WALKED, ACTOR_MEM(3));
	GATE_OPEN(first);
	ASSERT_TRUE(actor_reaches(&self->actor, 1, self->dev, second));
	number = add_mirror(_metadata, self, 2);
	EXPECT_GOES_ON(second, 1);
	GET_STATS(b);
	EXPECT_DELTA(2, a, b, replays);
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_DELTA(1, a, b, zap_events);

	/* No member is left: no replay. */
	ACTOR_RUN(1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	EXPECT_SINCE(0, b, replays);
	expect_read(_metadata, self, 0, 3, 0);
	expect_read(_metadata, self, number, 3, 0);
	EXPECT_COHERENT(self->mirror);
	expect_coherent(_metadata, self, number);
}

/* In each round there is another registration, until the walk has had enough. */
SECMMU_TEST_F(registration, A1_walk_ends)
{
	struct secmmu_stats a;
	int post, next, round;

	GET_STATS(a);
	post = ACTOR_HOLD(START_WALKED, ACTOR_MEM(3), 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	for (round = 0; round < ROUNDS; round++) {
		ACTOR_RUN(2, ACT_SLOT, 1 + round, ALIAS(round * ALIASES), 8, ALIASES);
		next = GATE_ARM(START_WALKED, ACTOR_MEM(3));
		GATE_OPEN(post);
		ASSERT_TRUE(actor_reaches(&self->actor, 1, self->dev, next));
		post = next;
	}
	ACTOR_DO(2, ACT_SLOT, 1 + round, ALIAS(round * ALIASES), 8, ALIASES);
	EXPECT_TRUE(actor_stays(&self->actor, 2));
	EXPECT_GOES_ON(post, 1);
	EXPECT_ANSWER(0, 2);
	EXPECT_SINCE(ROUNDS, a, replays);
	EXPECT_COHERENT(self->mirror);
}

/* A slot that shows what the event is about: faults through it know. */
SECMMU_TEST_F(registration, A1_slot_over_the_event)
{
	int post;

	EXPECT_ACTOR_READS(label(3, 1), 0, ACTOR_GPA(3));
	post = ACTOR_HOLD(START_WALKED, ACTOR_MEM(3), 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ACTOR_RUN(2, ACT_SLOT, 1, ALIAS(0), 0, ALIASES);
	ACTOR_DO(0, ACT_READ, 1, ALIAS(3));
	EXPECT_TRUE(actor_waits(&self->actor, 0, 1));
	EXPECT_ACTOR_READS(label(4, 1), 2, ALIAS(4));
	EXPECT_GOES_ON(post, 1);
	EXPECT_ANSWER_VALUE(0, 0);
	EXPECT_COHERENT(self->mirror);
}

/*
 * An event finds the slots half changed, so that its page is in none of them. It
 * must wait and look again.
 */
SECMMU_TEST_F(registration, A1_torn_slots)
{
	int torn, recorded;

	EXPECT_ACTOR_READS(label(3, 1), 0, ACTOR_GPA(3));
	torn = ACTOR_HOLD(UPDATE_TORN, 0, 2, ACT_SLOT, 1, ALIAS(0), 8, ALIASES);
	recorded = ACTOR_HOLD(START_RECORDED, ACTOR_MEM(3), 1, ACT_MADVISE, 3, 1,
			      MADV_DONTNEED);
	GATE_OPEN(recorded);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	EXPECT_GOES_ON(torn, 2);
	EXPECT_ANSWER(0, 1);
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(0, 0, ACTOR_GPA(3));
	EXPECT_ACTOR_READS(label(8, 1), 0, ALIAS(0));
	EXPECT_COHERENT(self->mirror);
}

/* Likewise a fault: the way to its slot is not cut for good. */
SECMMU_TEST_F(registration, A1_fault_between_the_stores)
{
	int post = ACTOR_HOLD(UPDATE_TORN, 0, 2, ACT_SLOT, 1, ALIAS(0), 8, ALIASES);

	ACTOR_DO(0, ACT_READ, 0, ALIAS(0));
	EXPECT_TRUE(actor_stays(&self->actor, 0));
	GATE_OPEN(post);
	EXPECT_ANSWER_VALUE(label(8, 1), 0);
	EXPECT_ANSWER(0, 2);
}

/*
 * An event is held in @gate, the passage of it numbered @skip, while one of three
 * mirrors is closed. The close must take as long if the event @walks over the mirrors.
 */
static void close_meanwhile(TEST_ARGS(registration), enum secmmu_gate gate,
			    unsigned int skip, bool walks)
{
	__u64 closed, stays;
	int held, leave;

	closed = add_mirror(_metadata, self, 2);
	stays = add_mirror(_metadata, self, 2);
	expect_read(_metadata, self, 0, 3, label(3, 1));
	expect_read(_metadata, self, closed, 3, label(3, 1));
	expect_read(_metadata, self, stays, 3, label(3, 1));

	held = ASSERT_NUMBER(gate_arm_after(self->dev, gate, actor_tid(&self->actor, 1), 0,
					    skip));
	ACTOR_DO(1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	GATE_WAIT(held);
	leave = ACTOR_HOLD(LEAVE, 0, 2, ACT_CLOSE, closed);
	GATE_OPEN(leave);
	if (walks) {
		EXPECT_TRUE(actor_stays(&self->actor, 2));
		GATE_OPEN(held);
	}
	EXPECT_ANSWER(0, 2);
	if (!walks)
		EXPECT_GOES_ON(held, 1);

	expect_read(_metadata, self, 0, 3, 0);
	expect_read(_metadata, self, stays, 3, 0);
	EXPECT_COHERENT(self->mirror);
	expect_coherent(_metadata, self, stays);
	EXPECT_STATE(2, members);
	EXPECT_STATE(0, events);
}

SECMMU_TEST_CALL(registration, A14_closed_before_the_walk, close_meanwhile,
		 SECMMU_GATE_START_RECORDED, 0, false)

/* The event stands in the very mirror that goes. */
SECMMU_TEST_CALL(registration, A14_closed_before_its_flush, close_meanwhile,
		 SECMMU_GATE_ZAPPED, 1, true)

/* The event stands in the mirror beside the one that goes. */
SECMMU_TEST_CALL(registration, A14_closed_before_anothers_flush, close_meanwhile,
		 SECMMU_GATE_ZAPPED, 2, true)

/* A change of slots comes while thread 1 is halfway through one, and waits for it. */
static void expect_slot_waits(TEST_ARGS(registration), int post)
{
	EXPECT_TRUE(actor_stays(&self->actor, 2));
	EXPECT_GOES_ON(post, 1);
	EXPECT_ANSWER(0, 2);
}

SECMMU_TEST_F(registration, A11_slots_one_by_one)
{
	int post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0);

	ACTOR_DO(2, ACT_SLOT, 1, ALIAS(0), 8, ALIASES);
	expect_slot_waits(_metadata, self, post);
	EXPECT_ACTOR_READS(label(8, 1), 0, ALIAS(0));
	post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 1, ALIAS(0), 16, ALIASES);
	ACTOR_DO(2, ACT_SLOT, 1);
	expect_slot_waits(_metadata, self, post);
	EXPECT_EQ(-ENXIO, actor_run(&self->actor, 0, ACT_READ, 0, ALIAS(0)));
	EXPECT_NOTHING_MAPPED(self->mirror);
}

/* An engine that has left a mirror does not keep it. */
SECMMU_TEST_F(registration, G1_detached_engine)
{
	int mirror = ASSERT_NUMBER(secmmu_create_mirror_of(self->dev, self->actor.pid));
	int engine = NEW_ENGINE(mirror);

	EXPECT_STATE(2, members);
	EXPECT_EQ(0, engine_detach(engine));
	close(mirror);
	EXPECT_STATE(1, members);
	close(engine);
}

TEST_HARNESS_MAIN
