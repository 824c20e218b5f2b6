// SPDX-License-Identifier: GPL-2.0
/*
 * Faults against events: recorded before they look, marked when the event begins,
 * checked and installed in one step. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	64L
#define BLOCK	(HUGE_SIZE / PAGE)

ACTOR_FIXTURE(faultrace, PAGES)

/* Page 3 goes and comes back with other contents, while a fault is in a gate. */
static void change_meanwhile(TEST_ARGS(faultrace), enum secmmu_gate gate, unsigned int recorded)
{
	struct secmmu_stats a;
	int post;

	GET_STATS(a);
	post = ASSERT_NUMBER(gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(3)));
	ACTOR_DO(0, ACT_READ, 0, ACTOR_GPA(3));
	GATE_WAIT(post);
	EXPECT_STATE(recorded, faults);
	ACTOR_RUN(1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	ACTOR_RUN(1, ACT_STORE, 3, label(3, 2));
	EXPECT_GOES_ON(post, 0);
	EXPECT_SINCE(recorded, a, retries_event);
	EXPECT_SINCE(recorded, a, retries);
	EXPECT_SINCE(0, a, waits);
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(label(3, 2), 0, ACTOR_GPA(3));
}

SECMMU_TEST_CALL(faultrace, A7_event_before_the_record, change_meanwhile,
		 SECMMU_GATE_FAULT_LOOKED_UP, 0)
SECMMU_TEST_CALL(faultrace, A7_recorded_before_it_looks, change_meanwhile,
		 SECMMU_GATE_FAULT_RECORDED, 1)
SECMMU_TEST_CALL(faultrace, A7_recorded_when_it_has_looked, change_meanwhile,
		 SECMMU_GATE_FAULT_GOT, 1)

/* An event comes while a fault has the page, and does not end. */
SECMMU_TEST_F(faultrace, A8_event_overtakes_a_fault)
{
	struct secmmu_stats a;
	int got, end;

	GET_STATS(a);
	got = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(3), 0, ACT_READ, 0, ACTOR_GPA(3));
	end = ACTOR_HOLD(END, ACTOR_MEM(3), 1, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	GATE_OPEN(got);
	EXPECT_TRUE(actor_waits(&self->actor, 0, 1));
	EXPECT_GOES_ON(end, 1);
	EXPECT_ANSWER_VALUE(0, 0);
	EXPECT_SINCE(1, a, retries_event);
	EXPECT_SINCE(1, a, retries);
	EXPECT_SINCE(1, a, waits);
	EXPECT_COHERENT(self->mirror);
}

/*
 * A fault has passed its check, an event comes: it finds what the fault is about to
 * install, for it must wait.
 */
static void event_at_the_check(TEST_ARGS(faultrace))
{
	int checked, recorded;

	checked = ACTOR_HOLD(FAULT_CHECKED, ACTOR_MEM(3), 0, ACT_READ, 0, ACTOR_GPA(3));
	recorded = ACTOR_HOLD(START_RECORDED, ACTOR_MEM(3), 1, ACT_MADVISE, 3, 1,
			      MADV_DONTNEED);
	GATE_OPEN(recorded);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	EXPECT_GOES_ON(checked, 0);
	EXPECT_ANSWER(0, 1);
	EXPECT_COHERENT(self->mirror);
	EXPECT_ACTOR_READS(0, 0, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_CALL(faultrace, A9_into_an_empty_table, event_at_the_check)

SECMMU_TEST_F(faultrace, A9_into_a_used_table)
{
	EXPECT_ACTOR_READS(label(4, 1), 0, ACTOR_GPA(4));
	event_at_the_check(_metadata, self);
}

/* A read-only entry becomes a writable one. */
SECMMU_TEST_F(faultrace, A9_upgrade)
{
	int checked, recorded;

	EXPECT_ACTOR_READS(label(3, 1), 0, ACTOR_GPA(3));
	checked = ACTOR_HOLD(FAULT_CHECKED, ACTOR_MEM(3), 0, ACT_WRITE, 0, ACTOR_GPA(3),
			     label(3, 2));
	recorded = ACTOR_HOLD(START_RECORDED, ACTOR_MEM(3), 1, ACT_MPROTECT, 3, 1, PROT_READ);
	GATE_OPEN(recorded);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	GATE_OPEN(checked);
	/* Written, or too late for that: but not both. */
	if (actor_answer(&self->actor, 0, NULL)) {
		EXPECT_ANSWER(-EFAULT, 0);
		EXPECT_ACTOR_READS(label(3, 1), 0, ACTOR_GPA(3));
	} else {
		EXPECT_ACTOR_READS(label(3, 2), 0, ACTOR_GPA(3));
	}
	EXPECT_ANSWER(0, 1);
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

FIXTURE_VARIANT_ADD(block, page_over_nothing) { .page = 5, .pages = 1 };
FIXTURE_VARIANT_ADD(block, page_over_a_leaf_table) { .leaf = true, .page = 5, .pages = 1 };
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
		EXPECT_ACTOR_READS(label(7, 1), 0, ACTOR_GPA(7));
		PASS_EVENT(ACTOR_MEM(0), 1);
		GET_STATS(a);
		ASSERT_EQ(1, a.splits);
		ASSERT_EQ(0, a.large);
	}
	ASSERT_EQ(0, oracle_mark(self->mirror));
	GET_STATS(a);
	checked = ACTOR_HOLD(FAULT_CHECKED, ACTOR_MEM(0), 0, ACT_READ, 0, ACTOR_GPA(0));
	recorded = GATE_ARM(START_RECORDED, ACTOR_MEM(variant->page));
	walked = GATE_ARM(START_WALKED, ACTOR_MEM(variant->page));
	ACTOR_DO(1, ACT_MADVISE, variant->page, variant->pages, MADV_DONTNEED);
	GATE_WAIT(recorded);
	GATE_OPEN(recorded);
	EXPECT_EQ(-ETIMEDOUT, gate_wait_ms(self->dev, walked, 300));
	GATE_OPEN(checked);
	EXPECT_GOES_ON(walked, 0);
	EXPECT_ANSWER(0, 1);
	EXPECT_COHERENT(self->mirror);

	/* It was about a large entry. */
	GET_STATS(b);
	if (variant->pages == 1) {
		EXPECT_EQ(1, b.splits + b.unsplit - a.splits - a.unsplit);
	}
	for (i = 0; i < BLOCK; i++) {
		word = POISON;
		ACTOR_DO(0, ACT_READ, 0, ACTOR_GPA(i));
		EXPECT_EQ(0, actor_answer(&self->actor, 0, &word));
		if (i < variant->page || i >= variant->page + variant->pages) {
			EXPECT_EQ(label(i, 1), word);
		} else {
			EXPECT_EQ(0, word);
		}
	}
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
