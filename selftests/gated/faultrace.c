// SPDX-License-Identifier: GPL-2.0
/*
 * Faults against events: recorded before they look, marked when the event begins,
 * checked and installed in one step. Needs a test build.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	64L
#define BLOCK	(HUGE_SIZE / PAGE)

FIXTURE(faultrace)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(faultrace)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(faultrace)
{
	ACTOR_TEARDOWN();
}

/* Page 3 goes and comes back with other contents, while a fault is in a gate. */
static void change_meanwhile(struct __test_metadata *_metadata,
			     FIXTURE_DATA(faultrace) *self, enum secmmu_gate gate,
			     unsigned int recorded)
{
	struct secmmu_test_state state;
	struct secmmu_stats a, b;
	int post;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	post = gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(3));
	ASSERT_LE(0, post);
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, post));
	ASSERT_EQ(0, state_get(self->mirror, &state));
	EXPECT_EQ(recorded, state.faults);
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_MADVISE, 3, 1,
			       MADV_DONTNEED));
	ASSERT_EQ(0, actor_run(&self->actor, 1, ACT_STORE, 3, stamp(3, 2)));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(recorded, a, b, retries_event);
	EXPECT_DELTA(recorded, a, b, retries);
	EXPECT_DELTA(0, a, b, waits);
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(stamp(3, 2), &self->actor, 0, ACTOR_GPA(3));
}

SECMMU_TEST_F(faultrace, A7_event_before_the_record)
{
	change_meanwhile(_metadata, self, SECMMU_GATE_FAULT_LOOKED_UP, 0);
}

SECMMU_TEST_F(faultrace, A7_recorded_before_it_looks)
{
	change_meanwhile(_metadata, self, SECMMU_GATE_FAULT_RECORDED, 1);
}

SECMMU_TEST_F(faultrace, A7_recorded_when_it_has_looked)
{
	change_meanwhile(_metadata, self, SECMMU_GATE_FAULT_GOT, 1);
}

/* An event comes while a fault has the page, and does not end. */
SECMMU_TEST_F(faultrace, A8_event_overtakes_a_fault)
{
	struct secmmu_stats a, b;
	__u64 word = POISON;
	int got, end;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	got = GATE_ARM(FAULT_GOT, ACTOR_MEM(3));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, got));
	end = GATE_ARM(END, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, end));
	ASSERT_EQ(0, gate_open(self->dev, got));
	EXPECT_TRUE(actor_waits(&self->actor, 0, 1));
	ASSERT_EQ(0, gate_open(self->dev, end));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
	EXPECT_EQ(0, word);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, retries_event);
	EXPECT_DELTA(1, a, b, retries);
	EXPECT_DELTA(1, a, b, waits);
	EXPECT_COHERENT(self->mirror);
}

/*
 * A fault has passed its check, an event comes: it finds what the fault is about to
 * install, for it must wait.
 */
static void event_at_the_check(struct __test_metadata *_metadata,
			       FIXTURE_DATA(faultrace) *self)
{
	int checked, recorded;

	checked = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(3));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, checked));
	recorded = GATE_ARM(START_RECORDED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, recorded));
	ASSERT_EQ(0, gate_open(self->dev, recorded));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(0, &self->actor, 0, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(faultrace, A9_into_an_empty_table)
{
	event_at_the_check(_metadata, self);
}

SECMMU_TEST_F(faultrace, A9_into_a_used_table)
{
	EXPECT_ACTOR_READS(stamp(4, 1), &self->actor, 0, ACTOR_GPA(4));
	event_at_the_check(_metadata, self);
}

/* A read-only entry becomes a writable one. */
SECMMU_TEST_F(faultrace, A9_upgrade)
{
	int checked, recorded;

	EXPECT_ACTOR_READS(stamp(3, 1), &self->actor, 0, ACTOR_GPA(3));
	checked = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(3));
	actor_do(&self->actor, 0, ACT_WRITE, 0, ACTOR_GPA(3), stamp(3, 2));
	ASSERT_EQ(0, gate_wait(self->dev, checked));
	recorded = GATE_ARM(START_RECORDED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_MPROTECT, 3, 1, PROT_READ);
	ASSERT_EQ(0, gate_wait(self->dev, recorded));
	ASSERT_EQ(0, gate_open(self->dev, recorded));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	/* Written, or too late for that: but not both. */
	if (actor_answer(&self->actor, 0, NULL)) {
		EXPECT_EQ(-EFAULT, actor_answer(&self->actor, 0, NULL));
		EXPECT_ACTOR_READS(stamp(3, 1), &self->actor, 0, ACTOR_GPA(3));
	} else {
		EXPECT_ACTOR_READS(stamp(3, 2), &self->actor, 0, ACTOR_GPA(3));
	}
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);
}

/* Huge pages. */
FIXTURE(block)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_VARIANT(block)
{
	bool leaf;	/* a leaf table is in the place of the large entry */
	long page, pages;	/* what the event is about */
};

FIXTURE_VARIANT_ADD(block, page_over_nothing) {
	.page = 5,
	.pages = 1,
};

FIXTURE_VARIANT_ADD(block, page_over_a_leaf_table) {
	.leaf = true,
	.page = 5,
	.pages = 1,
};

FIXTURE_VARIANT_ADD(block, block_over_a_leaf_table) {
	.leaf = true,
	.pages = HUGE_SIZE >> 12,
};

FIXTURE_SETUP(block)
{
	int ret;

	SECMMU_OPEN_OR_SKIP();
	gates_clear(self->dev);
	ret = actor_start_huge(&self->actor, self->dev, BLOCK);
	if (ret == -EOPNOTSUPP) {
		ACTOR_TEARDOWN();
		self->dev = -1;
		SKIP(return, "no huge pages to be had");
	}
	ASSERT_EQ(0, ret);
	self->mirror = self->actor.mirror;
}

FIXTURE_TEARDOWN(block)
{
	ACTOR_TEARDOWN();
}

/*
 * The large entry is checked, not yet in place. An event comes through the table in
 * which it will be, or through the leaf table whose place it takes.
 */
SECMMU_TEST_F(block, A9_event_at_the_check)
{
	struct secmmu_stats a, b;
	int checked, recorded, walked;
	__u64 word;
	long i;

	if (variant->leaf) {
		/* The first page alone goes from a large entry. */
		EXPECT_ACTOR_READS(stamp(7, 1), &self->actor, 0, ACTOR_GPA(7));
		ASSERT_EQ(0, event_begin(self->mirror, ACTOR_MEM(0), 1));
		ASSERT_EQ(0, event_end(self->mirror, ACTOR_MEM(0), 1));
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
		ASSERT_EQ(1, a.splits);
		ASSERT_EQ(0, a.large);
	}
	ASSERT_EQ(0, oracle_mark(self->mirror));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	checked = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(0));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(0));
	ASSERT_EQ(0, gate_wait(self->dev, checked));
	recorded = GATE_ARM(START_RECORDED, ACTOR_MEM(variant->page));
	walked = GATE_ARM(START_WALKED, ACTOR_MEM(variant->page));
	actor_do(&self->actor, 1, ACT_MADVISE, variant->page, variant->pages,
		 MADV_DONTNEED);
	ASSERT_EQ(0, gate_wait(self->dev, recorded));
	ASSERT_EQ(0, gate_open(self->dev, recorded));
	EXPECT_EQ(-ETIMEDOUT, gate_wait_ms(self->dev, walked, 300));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	ASSERT_EQ(0, gate_open(self->dev, walked));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_COHERENT(self->mirror);

	/* It was about a large entry. */
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	if (variant->pages == 1) {
		EXPECT_EQ(1, b.splits + b.unsplit - a.splits - a.unsplit);
	}
	for (i = 0; i < BLOCK; i++) {
		word = POISON;
		actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(i));
		EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
		if (i < variant->page || i >= variant->page + variant->pages) {
			EXPECT_EQ(stamp(i, 1), word);
		} else {
			EXPECT_EQ(0, word);
		}
	}
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
