// SPDX-License-Identifier: GPL-2.0
/*
 * A dropped entry's dirty bit belongs to the log of the slot that shows the page now,
 * no matter what dropped the entry.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	64L
/* What the new slot shows, from this page of the memory on. */
#define NEW	32L

ACTOR_FIXTURE(dirtyslot, PAGES)

/*
 * Thread 1 replaces slot 0 by one with a log that shows other memory; it is held when the
 * new slot has come and the old one's entries are still there. A write goes through it.
 */
static int write_through_new_slot(TEST_ARGS(dirtyslot), long page)
{
	int post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), NEW,
			      PAGES - NEW, SECMMU_SLOT_LOG_DIRTY);

	EXPECT_PUT(self->engine, ACTOR_GPA(page), label(page, 9));
	return post;
}

static void expect_log(TEST_ARGS(dirtyslot), int post, __u64 wanted)
{
	GATE_OPEN(post);
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
	ACTOR_DO(0, ACT_DIRTY, 0, PAGES - NEW);
	EXPECT_ANSWER_VALUE(wanted, 0);
}

/* The old slot's zap drops the entry of the new one. */
SECMMU_TEST_F(dirtyslot, C2_write_through_new_slot)
{
	int post = write_through_new_slot(_metadata, self, 3);

	expect_log(_metadata, self, post, 1ULL << 3);
	ACTOR_DO(0, ACT_LOAD, NEW + 3);
	EXPECT_ANSWER_VALUE(label(3, 9), 0);
}

/* An event in the old slot's memory drops it. */
SECMMU_TEST_F(dirtyslot, C2_event_of_old_slot)
{
	int post = write_through_new_slot(_metadata, self, 3);

	ACTOR_RUN(2, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	expect_log(_metadata, self, post, 1ULL << 3);
}

/* An event in the new slot's memory drops it, long before the log is asked for. */
SECMMU_TEST_F(dirtyslot, C2_event_of_new_slot)
{
	int post = write_through_new_slot(_metadata, self, 31);

	ACTOR_RUN(2, ACT_MADVISE, NEW + 31, 1, MADV_DONTNEED);
	expect_log(_metadata, self, post, 1ULL << 31);
}

/* A page that was there before the new slot came, through an entry that stays. */
SECMMU_TEST_F(dirtyslot, C2_grown_slot)
{
	int post;

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 8, SECMMU_SLOT_LOG_DIRTY);
	EXPECT_PUT(self->engine, ACTOR_GPA(5), 1);
	post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 16,
			  SECMMU_SLOT_LOG_DIRTY);
	/* The TLB knows page 5; page 12 comes with the new slot. */
	EXPECT_PUT(self->engine, ACTOR_GPA(5), 2);
	EXPECT_PUT(self->engine, ACTOR_GPA(12), 2);
	GATE_OPEN(post);
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
	ACTOR_DO(0, ACT_DIRTY, 0, 16);
	EXPECT_ANSWER_VALUE(1ULL << 5 | 1ULL << 12, 0);
}

/*
 * An event has found an entry of the old slot to drop. The new slot comes, a write goes
 * through the entry, and only then the event drops it.
 */
SECMMU_TEST_F(dirtyslot, C2_write_before_the_drop)
{
	int drop, grown;

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 8, SECMMU_SLOT_LOG_DIRTY);
	ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(5), 1, SECMMU_PREFAULT_WRITE);
	drop = ACTOR_HOLD_AT(DROP, 2, ACT_MADVISE, 5, 1, MADV_DONTNEED);
	grown = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 16,
			   SECMMU_SLOT_LOG_DIRTY);
	EXPECT_PUT(self->engine, ACTOR_GPA(5), 2);
	EXPECT_GOES_ON(drop, 2);
	EXPECT_GOES_ON(grown, 1);
	ACTOR_DO(0, ACT_DIRTY, 0, 16);
	EXPECT_ANSWER_VALUE(1ULL << 5, 0);
}

/* The mirrored process ends: what engines wrote to shared memory is in the log. */
SECMMU_TEST_F(dirtyslot, C2_process_gone)
{
	__u64 word;
	int mirror, engine;
	pid_t child;
	char *mem;

	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	child = ASSERT_NUMBER(child_start(child_sleep, NULL));
	mirror = ASSERT_NUMBER(secmmu_create_mirror_of(self->dev, child));
	engine = NEW_ENGINE(mirror);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, SECMMU_SLOT_LOG_DIRTY, ACTOR_BASE, mem,
				     PAGES * PAGE));
	EXPECT_PUT(engine, ACTOR_GPA(5), 77);
	ASSERT_EQ(77, *word_at(mem, 5));
	child_kill(child);
	ASSERT_EQ(-ESRCH, gpa_get(engine, ACTOR_GPA(9), &word));
	EXPECT_DIRTY(1ULL << 5, mirror, 0, 0, PAGES);
	close(engine);
	close(mirror);
	munmap(mem, PAGES * PAGE);
}

TEST_HARNESS_MAIN
