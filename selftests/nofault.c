// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that only look: what the process has mapped they read and write, and what
 * it has not mapped stays so.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "secmmu_harness.h"

#define PAGES	16L
#define BASE	0x240000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

REGION_FIXTURE(nofault, PAGES)

FIXTURE_SETUP(nofault)
{
	SECMMU_OPEN_OR_SKIP();
	self->mirror = NEW_MIRROR();
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_NOFAULT);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

#define EXPECT_NO_PAGE(page)						\
do {									\
	__u64 _word;							\
									\
	EXPECT_EQ(-EFAULT, gpa_get(self->engine, GPA(page), &_word));	\
	EXPECT_EQ(0, pages_with(self->mem + (page) * PAGE, 1,		\
				PAGE_PRESENT));				\
} while (0)

SECMMU_TEST_F(nofault, I1_untouched_stays_so)
{
	long i;

	for (i = 0; i < PAGES; i++)
		EXPECT_NO_PAGE(i);
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), label(0, 1)));
	EXPECT_NO_PAGE(0);
	for (i = 0; i < PAGES; i += 2)
		*word_at(self->mem, i) = label(i, 1);
	for (i = 0; i < PAGES; i += 2)
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	for (i = 1; i < PAGES; i += 2)
		EXPECT_NO_PAGE(i);
	/* What the process reads only is the page of zeroes. */
	EXPECT_EQ(0, *word_at(self->mem, 1));
	EXPECT_GPA(0, self->engine, GPA(1));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(1), label(1, 1)));
}

SECMMU_TEST_F(nofault, I1_given_up_stays_so)
{
	long i;

	for (i = 0; i < PAGES; i++) {
		*word_at(self->mem, i) = label(i, 1);
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	}
	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	for (i = 0; i < PAGES; i++)
		EXPECT_NO_PAGE(i);
}

/* Several pages in one transfer: up to the first that is not there. */
SECMMU_TEST_F(nofault, I1_transfer_ends_there)
{
	char buffer[PAGES * PAGE];
	long i;

	for (i = 0; i < PAGES; i++)
		if (i != 5)
			*word_at(self->mem, i) = label(i, 1);
	EXPECT_EQ(5 * PAGE, gpa_read(self->engine, buffer, sizeof(buffer), GPA(0)));
	EXPECT_EQ(10 * PAGE, gpa_read(self->engine, buffer, sizeof(buffer), GPA(6)));
	EXPECT_NO_PAGE(5);
}

SECMMU_TEST_F(nofault, I1_hole_is_not_filled)
{
	struct stat before, after;
	int file = ASSERT_NUMBER(memfd_new(PAGES));
	long i;

	ASSERT_EQ(self->mem, mmap(self->mem, PAGES * PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED, file, 0));
	for (i = 0; i < PAGES; i++) {
		*word_at(self->mem, i) = label(i, 1);
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	}
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       PAGES * PAGE));
	ASSERT_EQ(0, fstat(file, &before));
	for (i = 0; i < PAGES; i++)
		EXPECT_NO_PAGE(i);
	ASSERT_EQ(0, fstat(file, &after));
	EXPECT_EQ(before.st_blocks, after.st_blocks);
	close(file);
}

/* Pages shared with a child may be read; a write has to wait for the process's own. */
SECMMU_TEST_F(nofault, I1_copy_on_write_stays)
{
	pid_t pid;

	*word_at(self->mem, 0) = label(0, 1);
	pid = ASSERT_NUMBER(child_start(child_sleep, NULL));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), label(0, 2)));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 0));
	*word_at(self->mem, 0) = label(0, 3);
	EXPECT_PUT(self->engine, GPA(0), label(0, 4));
	EXPECT_EQ(label(0, 4), *word_at(self->mem, 0));
	child_kill(pid);
}

TEST_HARNESS_MAIN
