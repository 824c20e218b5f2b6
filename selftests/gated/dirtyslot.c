// SPDX-License-Identifier: GPL-2.0
/*
 * A dropped entry's dirty bit belongs to the log of the slot that shows the page now,
 * whatever dropped the entry.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	64L
/* What the new slot shows, from this page of the memory on. */
#define NEW	32L

FIXTURE(dirtyslot)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(dirtyslot)
{
	ACTOR_SETUP(PAGES);
	self->engine = self->actor.engine[0];
}

FIXTURE_TEARDOWN(dirtyslot)
{
	ACTOR_TEARDOWN();
}

/*
 * Thread 1 replaces slot 0 by one with a log that shows other memory; it is held when the
 * new slot has come and the old one's entries are still there. A write goes through it.
 */
static int write_through_new_slot(struct __test_metadata *_metadata,
				  FIXTURE_DATA(dirtyslot) *self, long page)
{
	int post = GATE_ARM(SLOT_REPLACED, 0);

	actor_do(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), NEW, PAGES - NEW,
		 SECMMU_SLOT_LOG_DIRTY);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(page), stamp(page, 9)));
	return post;
}

static void expect_log(struct __test_metadata *_metadata,
		       FIXTURE_DATA(dirtyslot) *self, int post, __u64 wanted)
{
	__u64 log = 0;

	ASSERT_EQ(0, gate_open(self->dev, post));
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
	actor_do(&self->actor, 0, ACT_DIRTY, 0, PAGES - NEW);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &log));
	EXPECT_EQ(wanted, log);
}

/* The old slot's zap drops the entry of the new one. */
SECMMU_TEST_F(dirtyslot, C2_write_through_new_slot)
{
	int post = write_through_new_slot(_metadata, self, 3);
	__u64 word = 0;

	expect_log(_metadata, self, post, 1ULL << 3);
	actor_do(&self->actor, 0, ACT_LOAD, NEW + 3);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &word));
	EXPECT_EQ(stamp(3, 9), word);
}

/* An event in the old slot's memory drops it. */
SECMMU_TEST_F(dirtyslot, C2_event_of_old_slot)
{
	int post = write_through_new_slot(_metadata, self, 3);

	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_MADVISE, 3, 1, MADV_DONTNEED));
	expect_log(_metadata, self, post, 1ULL << 3);
}

/* An event in the new slot's memory drops it, long before the log is asked for. */
SECMMU_TEST_F(dirtyslot, C2_event_of_new_slot)
{
	int post = write_through_new_slot(_metadata, self, 31);

	ASSERT_EQ(0, actor_run(&self->actor, 2, ACT_MADVISE, NEW + 31, 1,
			       MADV_DONTNEED));
	expect_log(_metadata, self, post, 1ULL << 31);
}

/* A page that was there before the new slot came, through an entry that stays. */
SECMMU_TEST_F(dirtyslot, C2_grown_slot)
{
	__u64 log = 0;
	int post;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 8,
			       SECMMU_SLOT_LOG_DIRTY));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(5), 1));
	post = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 16,
		 SECMMU_SLOT_LOG_DIRTY);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	/* The TLB knows page 5; page 12 comes with the new slot. */
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(5), 2));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(12), 2));
	ASSERT_EQ(0, gate_open(self->dev, post));
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
	actor_do(&self->actor, 0, ACT_DIRTY, 0, 16);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &log));
	EXPECT_EQ(1ULL << 5 | 1ULL << 12, log);
}

static int sleeping_child(void *unused)
{
	(void)unused;
	for (;;)
		sleep(1);
	return 0;
}

/* The mirrored process ends: what engines wrote to shared memory is in the log. */
SECMMU_TEST_F(dirtyslot, C2_process_gone)
{
	__u64 log = 0, word;
	int mirror, engine;
	pid_t child;
	char *mem;

	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	child = child_start(sleeping_child, NULL);
	ASSERT_LT(0, child);
	mirror = secmmu_create_mirror_of(self->dev, child);
	ASSERT_LE(0, mirror);
	engine = secmmu_create_engine(mirror);
	ASSERT_LE(0, engine);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, SECMMU_SLOT_LOG_DIRTY, ACTOR_BASE, mem,
				     PAGES * PAGE));
	ASSERT_EQ(0, gpa_put(engine, ACTOR_GPA(5), 77));
	ASSERT_EQ(77, *word_at(mem, 5));
	child_kill(child);
	ASSERT_EQ(-ESRCH, gpa_get(engine, ACTOR_GPA(9), &word));
	ASSERT_EQ(0, secmmu_dirty_log(mirror, 0, 0, PAGES, &log));
	EXPECT_EQ(1ULL << 5, log);
	close(engine);
	close(mirror);
	munmap(mem, PAGES * PAGE);
}

TEST_HARNESS_MAIN
