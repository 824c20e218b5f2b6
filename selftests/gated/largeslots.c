// SPDX-License-Identifier: GPL-2.0
/* Slots that change while a fault would map 2 MiB of them. Needs a test build. */
#include <errno.h>
#include <sys/mman.h>

#define LARGE	largeslots
#include "secmmu_large.h"

/* The memory once more, in the next blocks of the mirror. */
#define ALIAS(page)	ACTOR_GPA(PAGES + (page))

/* The held fault ends with @error, after one retry, with @entries large entries. */
static void expect_fault(struct __test_metadata *_metadata, FIXTURE_DATA(largeslots) *self,
			 int got, int error, __u64 entries)
{
	GATE_OPEN(got);
	EXPECT_ANSWER(error, 0);
	EXPECT_COUNTER(1, retries_slot);
	EXPECT_COUNTER(1, retries);
	EXPECT_COUNTER(entries, large);
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(largeslots, A11_deleted)
{
	int got = hold_fault(_metadata, self, false);

	ACTOR_RUN(1, ACT_SLOT, 0);
	expect_fault(_metadata, self, got, -ENXIO, 0);
	EXPECT_EQ(0, live_entries(self));
	EXPECT_COUNTER(1, tables);
}

SECMMU_TEST_F(largeslots, A11_moved)
{
	int got = hold_fault(_metadata, self, false);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), BLOCK, BLOCK);
	expect_fault(_metadata, self, got, 0, 1);
	EXPECT_GPA(label(BLOCK + 5, 1), self->engine, ACTOR_GPA(5));
}

/* It has lost its first pages: the rest of the block stays, but not as one. */
SECMMU_TEST_F(largeslots, A11_cut_at_the_front)
{
	int got = hold_fault(_metadata, self, false);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(3), 3, PAGES - 3);
	expect_fault(_metadata, self, got, 0, 0);
	EXPECT_GPA(label(5, 1), self->engine, ACTOR_GPA(5));
	EXPECT_GPA_ERROR(ENXIO, self->engine, ACTOR_GPA(2));
	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
}

SECMMU_TEST_F(largeslots, A11_cut_at_the_end)
{
	int got = hold_fault(_metadata, self, false);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, BLOCK - 1);
	expect_fault(_metadata, self, got, 0, 0);
	EXPECT_GPA(label(5, 1), self->engine, ACTOR_GPA(5));
	EXPECT_GPA_ERROR(ENXIO, self->engine, ACTOR_GPA(BLOCK - 1));
}

/* The other end of the slot is not the block's affair; the fault looks again. */
SECMMU_TEST_F(largeslots, A11_cut_elsewhere)
{
	int got = hold_fault(_metadata, self, false);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, BLOCK);
	expect_fault(_metadata, self, got, 0, 1);
}

/* A slot with a log has no large entries. */
SECMMU_TEST_F(largeslots, A11_gets_a_log)
{
	int got = hold_fault(_metadata, self, true);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 64, SECMMU_SLOT_LOG_DIRTY);
	expect_fault(_metadata, self, got, 0, 0);
	EXPECT_PUT(self->engine, ACTOR_GPA(5), label(5, 2));
	ACTOR_DO(1, ACT_DIRTY, 0, 64);
	EXPECT_ANSWER_VALUE(1ULL << 5, 1);
}

SECMMU_TEST_F(largeslots, A11_made_readonly)
{
	int got = hold_fault(_metadata, self, true);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), 0, PAGES, SECMMU_SLOT_READONLY);
	expect_fault(_metadata, self, got, -EACCES, 0);
	read_large(_metadata, self, 5);
	EXPECT_EQ(-EACCES, gpa_put(self->engine, ACTOR_GPA(5), 0));
}

/* Another slot changes: the fault does not notice. */
SECMMU_TEST_F(largeslots, A11_another_deleted)
{
	int got;

	ACTOR_RUN(1, ACT_SLOT, 1, ALIAS(0), 0, BLOCK, 0);
	got = hold_fault(_metadata, self, false);
	ACTOR_RUN(1, ACT_SLOT, 1);
	EXPECT_GOES_ON(got, 0);
	EXPECT_COUNTER(0, retries);
	EXPECT_COUNTER(1, large);
	EXPECT_COHERENT(self->mirror);
}

/* The lookup no longer finds the slot, whose large entries exist: no new ones may come. */
SECMMU_TEST_F(largeslots, A11_half_deleted)
{
	int post;

	read_large(_metadata, self, 3);
	post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0);
	EXPECT_EQ(-ENXIO, prefault(self, 0, BLOCK));
	EXPECT_GOES_ON(post, 1);
	EXPECT_NOTHING_MAPPED(self->mirror);
}

/*
 * The slot has moved, and its old large entries exist: new ones come in their place, and
 * an event on the old memory still finds the old ones.
 */
SECMMU_TEST_F(largeslots, A11_half_moved)
{
	struct secmmu_stats a;
	int post;

	read_large(_metadata, self, 3);
	read_large(_metadata, self, BLOCK + 3);
	post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), BLOCK, 2 * BLOCK);
	GET_STATS(a);
	/* Block 0 shows block 1 of the memory, block 1 still shows that too. */
	EXPECT_EQ(0, prefault(self, SECMMU_PREFAULT_WRITE, 5));
	EXPECT_EQ(2, large(self));
	pass_event(_metadata, self, BLOCK, BLOCK);
	EXPECT_SINCE(2, a, zapped);
	EXPECT_COUNTER(0, large);
	EXPECT_GOES_ON(post, 1);
	EXPECT_COHERENT(self->mirror);
	EXPECT_GPA(label(BLOCK + 3, 1), self->engine, ACTOR_GPA(3));
	EXPECT_GPA(label(2 * BLOCK + 3, 1), self->engine, ACTOR_GPA(BLOCK + 3));
	EXPECT_COHERENT(self->mirror);
}

/* It was looked up, the answer is on its way. */
SECMMU_TEST_F(largeslots, A11_moved_behind_the_lookup)
{
	int found = ACTOR_HOLD(SLOT_FOUND, ACTOR_MEM(5), 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);

	ACTOR_RUN(1, ACT_SLOT, 0, ACTOR_GPA(0), BLOCK, BLOCK);
	expect_fault(_metadata, self, found, 0, 1);
	EXPECT_GPA(label(BLOCK + 5, 1), self->engine, ACTOR_GPA(5));
}

/* The check is passed: what comes in is found by the change. */
SECMMU_TEST_F(largeslots, A11_deleted_at_the_check)
{
	int checked, replaced, ret;

	checked = ACTOR_HOLD(FAULT_CHECKED, ACTOR_MEM(5), 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
	replaced = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0);
	GATE_OPEN(replaced);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	GATE_OPEN(checked);
	ret = actor_answer(&self->actor, 0, NULL);
	EXPECT_TRUE(!ret || ret == -ENXIO) TH_LOG("%d", ret);
	EXPECT_ANSWER(0, 1);
	EXPECT_NOTHING_MAPPED(self->mirror);
	EXPECT_EQ(0, large(self));
}

/*
 * A slot with a log takes the place of one without, whose large entry is still there. The
 * log names the page that a write through this entry reaches.
 */
SECMMU_TEST_F(largeslots, C2_log_comes)
{
	__u64 log = 0;
	int post;

	EXPECT_PUT(self->engine, ACTOR_GPA(5), label(5, 2));
	EXPECT_COUNTER(1, large);
	post = ACTOR_HOLD(SLOT_REPLACED, 0, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, PAGES,
			  SECMMU_SLOT_LOG_DIRTY);
	EXPECT_PUT(self->engine, ACTOR_GPA(7), label(7, 2));
	EXPECT_GOES_ON(post, 1);
	EXPECT_COUNTER(0, large);
	ACTOR_DO(0, ACT_DIRTY, 0, 64);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &log));
	EXPECT_EQ(1ULL << 7, log & 1ULL << 7);
}

TEST_HARNESS_MAIN
