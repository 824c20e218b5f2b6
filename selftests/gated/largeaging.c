// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of accesses and writes through 2 MiB entries: it outlives upgrades, splits
 * and collapses. Needs a test build.
 */
#include <errno.h>
#include <sys/mman.h>

#define LARGE	largeaging
#include "secmmu_large.h"

#define EXPECT_YOUNG(young, page) \
	EXPECT_EQ(young, age_test(self->mirror, ACTOR_MEM(page)))
#define EXPECT_CLEARED(young, page, pages) \
	EXPECT_EQ(young, age_clear(self->mirror, ACTOR_MEM(page), pages))

/* One entry, one age; an access after an aging counts though the TLB has the entry. */
SECMMU_TEST_F(largeaging, C1_after_aging)
{
	struct secmmu_stats a, b;
	int round;

	read_large(_metadata, self, 3);
	read_large(_metadata, self, BLOCK + 3);
	GET_STATS(a);
	for (round = 0; round < 3; round++) {
		EXPECT_YOUNG(1, 3);
		EXPECT_YOUNG(1, 300);
		EXPECT_YOUNG(1, BLOCK);
		EXPECT_YOUNG(0, 2 * BLOCK);
		/* Through any page of it. */
		EXPECT_CLEARED(1, 511, 1);
		EXPECT_YOUNG(0, 3);
		EXPECT_CLEARED(1, 500, BLOCK);
		EXPECT_CLEARED(0, 0, PAGES);
		if (round % 2)
			EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
		else
			EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 1));
		EXPECT_YOUNG(1, 300);
		EXPECT_YOUNG(0, BLOCK);
		EXPECT_GPA(label(BLOCK + 3, 1), self->engine, ACTOR_GPA(BLOCK + 3));
	}
	GET_STATS(b);
	/* The one that made it writable. */
	EXPECT_DELTA(1, a, b, faults);
	EXPECT_DELTA(0, a, b, zapped);
	EXPECT_DELTA(0, a, b, flushes);
	EXPECT_EQ(2, b.large);
}

/* Two views of a block: an access through either counts, and both are made to forget. */
SECMMU_TEST_F(largeaging, C1_alias)
{
	int i;

	ACTOR_RUN(0, ACT_SLOT, 1, ACTOR_GPA(PAGES), 0, BLOCK, 0);
	read_large(_metadata, self, 3);
	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(PAGES + 3));
	ASSERT_EQ(2, large(self));
	EXPECT_CLEARED(1, 300, 1);
	EXPECT_CLEARED(0, 0, PAGES);
	for (i = 0; i < 2; i++) {
		EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(i * PAGES + 3));
		EXPECT_YOUNG(1, 300);
		EXPECT_CLEARED(1, 0, BLOCK);
		EXPECT_YOUNG(0, 3);
	}
}

/* Large, split and large again, side by side: aging passes over all of them. */
SECMMU_TEST_F(largeaging, C1_large_split_and_small)
{
	long i;

	for (i = 0; i < BLOCKS; i++)
		read_large(_metadata, self, i * BLOCK + 3);
	pass_event(_metadata, self, BLOCK + 100, 1);
	ASSERT_EQ(2, large(self));
	EXPECT_CLEARED(1, 0, PAGES);
	for (i = 0; i < BLOCKS; i++)
		EXPECT_YOUNG(0, i * BLOCK + 3);
	EXPECT_CLEARED(0, 0, PAGES);
	for (i = 0; i < BLOCKS; i++) {
		EXPECT_GPA(label(i * BLOCK + 3, 1), self->engine, ACTOR_GPA(i * BLOCK + 3));
		EXPECT_CLEARED(1, 0, PAGES);
		EXPECT_CLEARED(0, 0, PAGES);
	}
}

/* A large entry that becomes writable was used before. */
SECMMU_TEST_F(largeaging, C1_upgrade)
{
	struct secmmu_stats a;

	read_large(_metadata, self, 3);
	GET_STATS(a);
	ASSERT_EQ(0, prefault(self, SECMMU_PREFAULT_WRITE, 7));
	EXPECT_YOUNG(1, 3);
	EXPECT_CLEARED(1, 3, 1);
	EXPECT_YOUNG(0, 3);
	EXPECT_GPA(label(3, 1), self->engine, ACTOR_GPA(3));
	EXPECT_YOUNG(1, 3);
	EXPECT_PUT(self->engine, ACTOR_GPA(9), label(9, 2));
	EXPECT_SINCE(1, a, faults);
	EXPECT_SINCE(0, a, zapped);
	EXPECT_COUNTER(1, large);
	EXPECT_COHERENT(self->mirror);
	pass_event(_metadata, self, 0, PAGES);
	EXPECT_COUNTER(0, large);
	EXPECT_COUNTER(1, tables);
}

/* Small entries that become a large one were used before; they stay writable, too. */
SECMMU_TEST_F(largeaging, C1_collapse)
{
	struct secmmu_stats a;

	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	ASSERT_EQ(1, large(self));
	pass_event(_metadata, self, 100, 1);
	ASSERT_EQ(0, large(self));
	EXPECT_CLEARED(1, 0, BLOCK);
	EXPECT_GPA(label(7, 1), self->engine, ACTOR_GPA(7));
	EXPECT_YOUNG(1, 7);
	EXPECT_YOUNG(0, 3);
	ASSERT_EQ(0, prefault(self, SECMMU_PREFAULT_WRITE, 100));
	ASSERT_EQ(1, large(self));
	EXPECT_YOUNG(1, 7);
	EXPECT_CLEARED(1, 0, BLOCK);
	EXPECT_GPA(label(7, 1), self->engine, ACTOR_GPA(7));
	EXPECT_YOUNG(1, 7);
	GET_STATS(a);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 3));
	EXPECT_SINCE(0, a, faults);
	EXPECT_COHERENT(self->mirror);
}

/* A read while an aging comes to the large entry: it counts, or the next one does. */
SECMMU_TEST_F(largeaging, C1_read_in_an_aging)
{
	int post;

	read_large(_metadata, self, 3);
	post = ACTOR_HOLD_AT(AGE, 1, ACT_EVENT, 0, BLOCK, SECMMU_TEST_EVENT_AGE_CLEAR);
	read_large(_metadata, self, 3);
	EXPECT_GOES_ON(post, 1);
	EXPECT_YOUNG(0, 3);
	read_large(_metadata, self, 3);
	EXPECT_YOUNG(1, 3);
}

/* An access through a large entry that is being split: the parts know of it. */
SECMMU_TEST_F(largeaging, C1_read_under_a_split)
{
	int post;

	read_large(_metadata, self, 3);
	EXPECT_CLEARED(1, 0, BLOCK);
	post = ACTOR_HOLD_AT(SPLIT, 1, ACT_EVENT, 100, 1,
			     SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END);
	EXPECT_YOUNG(0, 7);
	EXPECT_GPA(label(7, 1), self->engine, ACTOR_GPA(7));
	EXPECT_GOES_ON(post, 1);
	EXPECT_COUNTER(1, splits);
	EXPECT_YOUNG(1, 7);
	EXPECT_COHERENT(self->mirror);
}

/* A read fault comes late: the writable entry stays, and what is noted there. */
SECMMU_TEST_F(largeaging, C2_read_fault_after_a_write)
{
	int got = hold_fault(_metadata, self, false);
	struct secmmu_stats a;

	EXPECT_PUT(self->engine, ACTOR_GPA(7), label(7, 2));
	ASSERT_EQ(1, large(self));
	EXPECT_GOES_ON(got, 0);
	pass_event(_metadata, self, 2 * BLOCK, 1);
	GET_STATS(a);
	EXPECT_PUT(self->actor.engine[1], ACTOR_GPA(8), label(8, 2));
	EXPECT_SINCE(0, a, faults);
	EXPECT_COUNTER(1, large);
	EXPECT_COHERENT(self->mirror);
}

/* Before anybody can write through it, the huge page is marked. */
SECMMU_TEST_F(largeaging, C2_page_marked_at_install)
{
	ASSERT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(5)));
	read_large(_metadata, self, 5);
	EXPECT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(5)));
	ASSERT_EQ(0, prefault(self, SECMMU_PREFAULT_WRITE, 5));
	ASSERT_EQ(1, large(self));
	EXPECT_EQ(1, page_dirty(self->mirror, ACTOR_MEM(5)));
	EXPECT_EQ(1, page_dirty(self->mirror, ACTOR_MEM(300)));
	EXPECT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(BLOCK)));
}

TEST_HARNESS_MAIN
