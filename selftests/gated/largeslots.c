// SPDX-License-Identifier: GPL-2.0
/*
 * Slots that change while a fault would map 2 MiB of them. Needs a test build.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#define LARGE	largeslots
#include "secmmu_large.h"

/* The memory once more, in the next blocks of the mirror. */
#define ALIAS(page)	ACTOR_GPA(PAGES + (page))

/* ... and ends like this, with so many large entries, and as many retries as said. */
static void expect_fault(struct __test_metadata *_metadata, FIXTURE_DATA(largeslots) *self,
			 int got, int error, __u64 entries)
{
	struct secmmu_stats stats;

	ASSERT_EQ(0, gate_open(self->dev, got));
	EXPECT_EQ(error, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.retries_slot);
	EXPECT_EQ(1, stats.retries);
	EXPECT_EQ(entries, stats.large);
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(largeslots, A11_deleted)
{
	int got = hold_fault(_metadata, self, false);
	struct secmmu_stats stats;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0));
	expect_fault(_metadata, self, got, -ENXIO, 0);
	EXPECT_EQ(0, live_entries(self));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.tables);
}

SECMMU_TEST_F(largeslots, A11_moved)
{
	int got = hold_fault(_metadata, self, false);

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), BLOCK, BLOCK));
	expect_fault(_metadata, self, got, 0, 1);
	EXPECT_GPA(stamp(BLOCK + 5, 1), self->engine, ACTOR_GPA(5));
}

/* It has lost its first pages: the rest of the block stays, but not as one. */
SECMMU_TEST_F(largeslots, A11_cut_at_the_front)
{
	int got = hold_fault(_metadata, self, false);

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(3), 3, PAGES - 3));
	expect_fault(_metadata, self, got, 0, 0);
	EXPECT_GPA(stamp(5, 1), self->engine, ACTOR_GPA(5));
	EXPECT_GPA_ERROR(ENXIO, self->engine, ACTOR_GPA(2));
	EXPECT_GPA(stamp(3, 1), self->engine, ACTOR_GPA(3));
}

SECMMU_TEST_F(largeslots, A11_cut_at_the_end)
{
	int got = hold_fault(_metadata, self, false);

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, BLOCK - 1));
	expect_fault(_metadata, self, got, 0, 0);
	EXPECT_GPA(stamp(5, 1), self->engine, ACTOR_GPA(5));
	EXPECT_GPA_ERROR(ENXIO, self->engine, ACTOR_GPA(BLOCK - 1));
}

/* The other end of the slot is not the block's affair; the fault looks again. */
SECMMU_TEST_F(largeslots, A11_cut_elsewhere)
{
	int got = hold_fault(_metadata, self, false);

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, BLOCK));
	expect_fault(_metadata, self, got, 0, 1);
}

/* A slot with a log has no large entries. */
SECMMU_TEST_F(largeslots, A11_gets_a_log)
{
	int got = hold_fault(_metadata, self, true);
	__u64 log = 0;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, 64,
			       SECMMU_SLOT_LOG_DIRTY));
	expect_fault(_metadata, self, got, 0, 0);
	EXPECT_EQ(0, gpa_put(self->engine, ACTOR_GPA(5), stamp(5, 2)));
	actor_do(&self->actor, 1, ACT_DIRTY, 0, 64);
	EXPECT_EQ(0, actor_answer(&self->actor, 1, &log));
	EXPECT_EQ(1ULL << 5, log);
}

SECMMU_TEST_F(largeslots, A11_made_readonly)
{
	int got = hold_fault(_metadata, self, true);

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), 0, PAGES,
			       SECMMU_SLOT_READONLY));
	expect_fault(_metadata, self, got, -EACCES, 0);
	read_large(_metadata, self, 5);
	EXPECT_EQ(-EACCES, gpa_put(self->engine, ACTOR_GPA(5), 0));
}

/* Another slot: not its affair. */
SECMMU_TEST_F(largeslots, A11_another_deleted)
{
	struct secmmu_stats stats;
	int got;

	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1, ALIAS(0), 0, BLOCK, 0));
	got = hold_fault(_metadata, self, false);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 1));
	ASSERT_EQ(0, gate_open(self->dev, got));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.retries);
	EXPECT_EQ(1, stats.large);
	EXPECT_COHERENT(self->mirror);
}

/* The slot is gone for faults, its large entries are not: none may come. */
SECMMU_TEST_F(largeslots, A11_half_deleted)
{
	struct secmmu_test_oracle result;
	int post;

	read_large(_metadata, self, 3);
	post = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	EXPECT_EQ(-ENXIO, prefault(self, 0, BLOCK));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	ASSERT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ(0, result.sptes);
	EXPECT_EQ(0, result.tlb_entries);
}

/*
 * ... or it has moved: large entries of what is there by now come in, in the place of
 * old ones, and an event about what was there before still finds those.
 */
SECMMU_TEST_F(largeslots, A11_half_moved)
{
	struct secmmu_stats a, b;
	int post;

	read_large(_metadata, self, 3);
	read_large(_metadata, self, BLOCK + 3);
	post = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), BLOCK, 2 * BLOCK);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	/* Block 0 shows block 1 of the memory, block 1 still shows that too. */
	EXPECT_EQ(0, prefault(self, SECMMU_PREFAULT_WRITE, 5));
	EXPECT_EQ(2, large(self));
	pass_event(_metadata, self, BLOCK, BLOCK);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(2, a, b, zapped);
	EXPECT_EQ(0, b.large);
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);
	EXPECT_GPA(stamp(BLOCK + 3, 1), self->engine, ACTOR_GPA(3));
	EXPECT_GPA(stamp(2 * BLOCK + 3, 1), self->engine, ACTOR_GPA(BLOCK + 3));
	EXPECT_COHERENT(self->mirror);
}

/* It was looked up, the answer is on its way. */
SECMMU_TEST_F(largeslots, A11_moved_behind_the_lookup)
{
	int found = GATE_ARM(SLOT_FOUND, ACTOR_MEM(5));

	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
	ASSERT_EQ(0, gate_wait(self->dev, found));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_SLOT, 0, ACTOR_GPA(0), BLOCK, BLOCK));
	expect_fault(_metadata, self, found, 0, 1);
	EXPECT_GPA(stamp(BLOCK + 5, 1), self->engine, ACTOR_GPA(5));
}

/* The check is passed: what comes in is found by the change. */
SECMMU_TEST_F(largeslots, A11_deleted_at_the_check)
{
	struct secmmu_test_oracle result;
	int checked, replaced, ret;

	checked = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(5));
	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(5), 1, 0);
	ASSERT_EQ(0, gate_wait(self->dev, checked));
	replaced = GATE_ARM(SLOT_REPLACED, 0);
	actor_do(&self->actor, 1, ACT_SLOT, 0);
	ASSERT_EQ(0, gate_wait(self->dev, replaced));
	ASSERT_EQ(0, gate_open(self->dev, replaced));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	ret = actor_answer(&self->actor, 0, NULL);
	EXPECT_TRUE(!ret || ret == -ENXIO) TH_LOG("%d", ret);
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	ASSERT_EQ(0, oracle_check(self->mirror, &result));
	EXPECT_EQ(0, result.sptes);
	EXPECT_EQ(0, result.tlb_entries);
	EXPECT_EQ(0, large(self));
}

TEST_HARNESS_MAIN
