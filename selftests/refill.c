// SPDX-License-Identifier: GPL-2.0
/* What an event of a whole block has dropped comes back, if the mirror asks for it. */
#include "secmmu_harness.h"

#define PAGES	(HUGE_SIZE / PAGE)
#define BASE	0x280000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* The page that changes, in the middle of the block. */
#define CHANGED	(PAGES / 2)

/* Pages that nobody has touched; fewer than the worker gives up for. */
#define HOLE	8L

FIXTURE(refill)
{
	int dev, mirror, engine;
	char *area;		/* with room to align */
	char *mem;		/* one block, inside a larger mapping */
};

FIXTURE_SETUP(refill)
{
	SECMMU_OPEN_OR_SKIP();
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_refilled(self->dev));
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_NOFAULT);
	self->area = ASSERT_MEMORY(region_map(3 * PAGES));
	/* The kernel announces a block only if the mapping contains all of it. */
	self->mem = self->area + HUGE_SIZE - (uintptr_t)self->area % HUGE_SIZE;
	ASSERT_EQ(0, madvise(self->area, 3 * HUGE_SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, domain_create(self->mirror, 1));
	/* Nobody uses domain 1, and there is no domain 2. */
	SET_SLOT_IN(0, 0, 0, 7, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(refill)
{
	region_unmap(self->area, 3 * PAGES);
	SECMMU_TEARDOWN();
}

/* The process maps pages from @first on, and the engine too. */
static void use_pages(struct __test_metadata *_metadata, FIXTURE_DATA(refill) *self,
		      long first, long last, bool write)
{
	long i;

	for (i = first; i <= last; i++) {
		*word_at(self->mem, i) = label(i, 1);
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		if (write)
			EXPECT_PUT(self->engine, GPA(i), label(i, 2));
	}
}

/* The worker needs no more than ticks, and longer if others are in the way. */
static __u64 wait_refilled(int mirror, __u64 pages)
{
	long end = now_ms() + 10000 * secmmu_slow();
	struct secmmu_stats stats;

	do {
		if (secmmu_get_stats(mirror, &stats))
			return 0;
		if (stats.refilled < pages)
			sleep_ms(10);
	} while (stats.refilled < pages && now_ms() < end);
	return stats.refilled;
}

SECMMU_TEST_F(refill, B10_all_but_the_page_that_went)
{
	struct secmmu_stats before;
	__u64 word;
	long i;

	use_pages(_metadata, self, 0, PAGES - 1, false);
	ASSERT_EQ(0, munmap(self->mem + CHANGED * PAGE, PAGE));
	EXPECT_EQ(PAGES - 1, wait_refilled(self->mirror, PAGES - 1));
	GET_STATS(before);
	for (i = 0; i < PAGES; i++)
		if (i != CHANGED)
			EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	EXPECT_SINCE(0, before, faults);
	EXPECT_EQ(-EFAULT, gpa_get(self->engine, GPA(CHANGED), &word));
}

/* Engines that have written there can go on, without a fault, but for a page that may not. */
SECMMU_TEST_F(refill, B10_for_writing)
{
	struct secmmu_stats before;
	long i;

	use_pages(_metadata, self, 0, PAGES - 1, true);
	ASSERT_EQ(0, mprotect(self->mem + CHANGED * PAGE, PAGE, PROT_READ));
	EXPECT_EQ(PAGES, wait_refilled(self->mirror, PAGES));
	GET_STATS(before);
	for (i = 0; i < PAGES; i++) {
		EXPECT_GPA(label(i, 2), self->engine, GPA(i));
		if (i != CHANGED)
			EXPECT_PUT(self->engine, GPA(i), label(i, 3));
	}
	EXPECT_SINCE(0, before, faults);
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(CHANGED), label(CHANGED, 3)));
}

/* Untouched pages stay so: the worker goes on behind them. */
SECMMU_TEST_F(refill, B10_nothing_is_faulted_in)
{
	use_pages(_metadata, self, 0, CHANGED - 1, false);
	use_pages(_metadata, self, CHANGED + HOLE, PAGES - 1, false);
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_READ));
	EXPECT_EQ(PAGES - HOLE, wait_refilled(self->mirror, PAGES - HOLE));
	EXPECT_EQ(0, pages_with(self->mem + CHANGED * PAGE, HOLE, PAGE_PRESENT));
}

TEST_HARNESS_MAIN
