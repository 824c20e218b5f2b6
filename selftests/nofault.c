// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that only look: what the process has mapped they read and write, and what
 * it has not mapped stays so.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	16L
#define BASE	0x240000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

FIXTURE(nofault)
{
	int dev, mirror, engine;	/* the engine only looks */
	char *mem;			/* never touched */
};

FIXTURE_SETUP(nofault)
{
	SECMMU_OPEN_OR_SKIP();
	self->mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	ASSERT_LE(0, self->mirror);
	self->engine = secmmu_create_engine_with(self->mirror,
						 SECMMU_ENGINE_NOFAULT);
	ASSERT_LE(0, self->engine);
	self->mem = region_map(PAGES);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem,
				     PAGES * PAGE));
}

FIXTURE_TEARDOWN(nofault)
{
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
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
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), stamp(0, 1)));
	EXPECT_NO_PAGE(0);
	for (i = 0; i < PAGES; i += 2)
		*word_at(self->mem, i) = stamp(i, 1);
	for (i = 0; i < PAGES; i += 2)
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
	for (i = 1; i < PAGES; i += 2)
		EXPECT_NO_PAGE(i);
	/* What the process reads only is the page of zeroes. */
	EXPECT_EQ(0, *word_at(self->mem, 1));
	EXPECT_GPA(0, self->engine, GPA(1));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(1), stamp(1, 1)));
}

SECMMU_TEST_F(nofault, I1_given_up_stays_so)
{
	long i;

	for (i = 0; i < PAGES; i++) {
		*word_at(self->mem, i) = stamp(i, 1);
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
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
			*word_at(self->mem, i) = stamp(i, 1);
	EXPECT_EQ(5 * PAGE, gpa_read(self->engine, buffer, sizeof(buffer), GPA(0)));
	EXPECT_EQ(10 * PAGE, gpa_read(self->engine, buffer, sizeof(buffer), GPA(6)));
	EXPECT_NO_PAGE(5);
}

SECMMU_TEST_F(nofault, I1_hole_is_not_filled)
{
	struct stat before, after;
	int file = memfd_new(PAGES);
	long i;

	ASSERT_LE(0, file);
	ASSERT_EQ(self->mem, mmap(self->mem, PAGES * PAGE, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED, file, 0));
	for (i = 0; i < PAGES; i++) {
		*word_at(self->mem, i) = stamp(i, 1);
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
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

static int wait_for_end(void *pipe)
{
	CHECK(!byte_wait(((int *)pipe)[0]));
	return 0;
}

/* Pages shared with a child may be read; a write has to wait for the process's own. */
SECMMU_TEST_F(nofault, I1_copy_on_write_stays)
{
	int ends[2];
	pid_t pid;

	*word_at(self->mem, 0) = stamp(0, 1);
	ASSERT_EQ(0, pipe(ends));
	pid = child_start(wait_for_end, ends);
	ASSERT_LT(0, pid);
	EXPECT_GPA(stamp(0, 1), self->engine, GPA(0));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), stamp(0, 2)));
	EXPECT_EQ(stamp(0, 1), *word_at(self->mem, 0));
	*word_at(self->mem, 0) = stamp(0, 3);
	EXPECT_EQ(0, gpa_put(self->engine, GPA(0), stamp(0, 4)));
	EXPECT_EQ(stamp(0, 4), *word_at(self->mem, 0));
	EXPECT_EQ(0, byte_send(ends[1]));
	EXPECT_EQ(0, child_wait(pid));
	close(ends[0]);
	close(ends[1]);
}

TEST_HARNESS_MAIN
