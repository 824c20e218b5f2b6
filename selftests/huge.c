// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages: a part goes, the rest stays.
 */
#define _GNU_SOURCE
#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define BASE	0x80000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

FIXTURE(huge)
{
	int dev, mirror, engine;
	char *map;
	char *mem;	/* one huge page, mapped by slot 0 */
	long pages;	/* small ones in it */
};

FIXTURE_SETUP(huge)
{
	uintptr_t addr;

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->pages = HUGE_SIZE / PAGE;
	self->map = mmap(NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	addr = ((uintptr_t)self->map + HUGE_SIZE - 1) & -HUGE_SIZE;
	self->mem = (char *)addr;
	/* Fails without huge pages; the test then skips. */
	madvise(self->mem, HUGE_SIZE, MADV_HUGEPAGE);
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem,
				     HUGE_SIZE));
}

FIXTURE_TEARDOWN(huge)
{
	munmap(self->map, 2 * HUGE_SIZE);
	SECMMU_TEARDOWN();
}

/* True if the memory is one huge page, stamped and known to the engine. */
static bool fill_huge(FIXTURE_DATA(huge) *self, int *error)
{
	__u64 word = 0;
	long i;

	for (i = 0; i < self->pages; i++)
		*word_at(self->mem, i) = stamp(i, 1);
	*error = 0;
	for (i = 0; i < self->pages && !*error; i++) {
		*error = gpa_get(self->engine, GPA(i), &word);
		if (!*error && word != stamp(i, 1))
			*error = -EILSEQ;
	}
	return huge_kilobytes(self->mem) == HUGE_SIZE >> 10;
}

SECMMU_TEST_F(huge, B7_partial_discard)
{
	long last = self->pages - 1;
	int error;
	bool huge;
	long i;

	huge = fill_huge(self, &error);
	ASSERT_EQ(0, error);
	if (!huge)
		SKIP(return, "no huge page to be had");

	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	EXPECT_GPA(0, self->engine, GPA(0));
	EXPECT_GPA(stamp(1, 1), self->engine, GPA(1));
	ASSERT_EQ(0, madvise(self->mem + 10 * PAGE, 10 * PAGE,
			     MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->mem + last * PAGE, PAGE, MADV_DONTNEED));
	for (i = 0; i < self->pages; i++) {
		bool gone = !i || (i >= 10 && i < 20) || i == last;

		EXPECT_GPA(gone ? 0 : stamp(i, 1), self->engine, GPA(i));
		EXPECT_EQ(gone ? 0 : stamp(i, 1), *word_at(self->mem, i));
	}
	/* What is written now lands where the processor looks. */
	for (i = 0; i < self->pages; i += 5) {
		EXPECT_EQ(0, gpa_put(self->engine, GPA(i), stamp(i, 2)));
		EXPECT_EQ(stamp(i, 2), *word_at(self->mem, i));
	}
}

SECMMU_TEST_F(huge, B7_partial_unmap_and_protect)
{
	int error;
	bool huge;
	long i;

	huge = fill_huge(self, &error);
	ASSERT_EQ(0, error);
	if (!huge)
		SKIP(return, "no huge page to be had");

	ASSERT_EQ(0, munmap(self->mem + 4 * PAGE, PAGE));
	ASSERT_EQ(0, mprotect(self->mem + 8 * PAGE, 4 * PAGE, PROT_READ));
	for (i = 0; i < self->pages; i++) {
		if (i == 4) {
			EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(i));
			continue;
		}
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
		EXPECT_EQ(i >= 8 && i < 12 ? -EFAULT : 0,
			  gpa_put(self->engine, GPA(i), stamp(i, 1)));
	}
	/* The place of the missing page is taken by another one. */
	ASSERT_EQ(0, region_replace(self->mem, 4, 1, PROT_READ | PROT_WRITE));
	EXPECT_GPA(0, self->engine, GPA(4));
	EXPECT_GPA(stamp(5, 1), self->engine, GPA(5));
	EXPECT_GPA(stamp(3, 1), self->engine, GPA(3));
}

/* A slot that starts in the middle of a huge page sees its own part. */
SECMMU_TEST_F(huge, B7_slot_of_a_part)
{
	long first = self->pages / 2 + 3;
	int error;
	bool huge;
	long i;

	huge = fill_huge(self, &error);
	ASSERT_EQ(0, error);
	if (!huge)
		SKIP(return, "no huge page to be had");
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE,
				     self->mem + first * PAGE, 16 * PAGE));
	for (i = 0; i < 16; i++)
		EXPECT_GPA(stamp(first + i, 1), self->engine, GPA(i));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(16));
	EXPECT_EQ(0, gpa_put(self->engine, GPA(15), stamp(0, 2)));
	EXPECT_EQ(stamp(0, 2), *word_at(self->mem, first + 15));
	EXPECT_EQ(stamp(first + 16, 1), *word_at(self->mem, first + 16));
}

TEST_HARNESS_MAIN
