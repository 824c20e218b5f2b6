// SPDX-License-Identifier: GPL-2.0
/* Huge pages: a part goes, the rest stays. */
#include "secmmu_harness.h"

#define BASE	0x80000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define PAGES	(HUGE_SIZE / PAGE)

FIXTURE(huge)
{
	int dev, mirror, engine;
	char *mem;	/* one huge page, mapped by slot 0, known to the engine */
};

FIXTURE_SETUP(huge)
{
	self->mem = NULL;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	BLOCKS_SETUP(1);
	SET_SLOT(0, 0, BASE, 0, PAGES);
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
}

FIXTURE_TEARDOWN(huge)
{
	blocks_unmap(self->mem, 1);
	SECMMU_TEARDOWN();
}

SECMMU_TEST_F(huge, B7_partial_discard)
{
	long last = PAGES - 1;
	long i;

	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	EXPECT_GPA(0, self->engine, GPA(0));
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	ASSERT_EQ(0, madvise(self->mem + 10 * PAGE, 10 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->mem + last * PAGE, PAGE, MADV_DONTNEED));
	for (i = 0; i < PAGES; i++) {
		bool gone = !i || (i >= 10 && i < 20) || i == last;

		EXPECT_GPA(gone ? 0 : label(i, 1), self->engine, GPA(i));
		EXPECT_EQ(gone ? 0 : label(i, 1), *word_at(self->mem, i));
	}
	/* What is written now lands where the processor looks. */
	for (i = 0; i < PAGES; i += 5) {
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
		EXPECT_EQ(label(i, 2), *word_at(self->mem, i));
	}
}

SECMMU_TEST_F(huge, B7_partial_unmap_and_protect)
{
	long i;

	ASSERT_EQ(0, munmap(self->mem + 4 * PAGE, PAGE));
	ASSERT_EQ(0, mprotect(self->mem + 8 * PAGE, 4 * PAGE, PROT_READ));
	for (i = 0; i < PAGES; i++) {
		if (i == 4) {
			EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(i));
			continue;
		}
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		EXPECT_EQ(i >= 8 && i < 12 ? -EFAULT : 0,
			  gpa_put(self->engine, GPA(i), label(i, 1)));
	}
	/* The place of the missing page is taken by another one. */
	ASSERT_EQ(0, region_replace(self->mem, 4, 1, PROT_READ | PROT_WRITE));
	EXPECT_GPA(0, self->engine, GPA(4));
	EXPECT_GPA(label(5, 1), self->engine, GPA(5));
	EXPECT_GPA(label(3, 1), self->engine, GPA(3));
}

/* A slot that starts in the middle of a huge page sees its own part. */
SECMMU_TEST_F(huge, B7_slot_of_a_part)
{
	long first = PAGES / 2 + 3;
	long i;

	SET_SLOT(0, 0, BASE, first, 16);
	for (i = 0; i < 16; i++)
		EXPECT_GPA(label(first + i, 1), self->engine, GPA(i));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(16));
	EXPECT_PUT(self->engine, GPA(15), label(0, 2));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, first + 15));
	EXPECT_EQ(label(first + 16, 1), *word_at(self->mem, first + 16));
}

TEST_HARNESS_MAIN
