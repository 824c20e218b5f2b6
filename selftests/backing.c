// SPDX-License-Identifier: GPL-2.0
/* What lies behind the memory: files, shared or private, and device areas. */
#include <fcntl.h>

#include "secmmu_harness.h"

#define PAGES	8
#define BASE	0x20000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

FIXTURE(backing)
{
	int dev, mirror, engine;
	int memfd;	/* page i starts with label(i, 1) */
	char *mem;	/* a mapping of it, shared or private */
};

FIXTURE_VARIANT(backing)
{
	int map;
};

FIXTURE_VARIANT_ADD(backing, shared) { .map = MAP_SHARED };
FIXTURE_VARIANT_ADD(backing, private) { .map = MAP_PRIVATE };

/* Through the file, not through the mapping. */
static __u64 file_get(int fd, long page)
{
	__u64 word = POISON;

	if (pread(fd, &word, sizeof(word), page * PAGE) != sizeof(word))
		return POISON;
	return word;
}

static int file_put(int fd, long page, __u64 word)
{
	return pwrite(fd, &word, sizeof(word), page * PAGE) == sizeof(word) ?
		0 : -errno;
}

FIXTURE_SETUP(backing)
{
	long i;

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->memfd = ASSERT_NUMBER(memfd_new(PAGES));
	self->mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 variant->map, self->memfd, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, file_put(self->memfd, i, label(i, 1)));
	}
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(backing)
{
	munmap(self->mem, PAGES * PAGE);
	close(self->memfd);
	SECMMU_TEARDOWN();
}

SECMMU_TEST_F(backing, C3_read_does_not_break_cow)
{
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	EXPECT_COUNTER(0, retries_self);
	/*
	 * A page nobody wrote to is still the file's, even in a private
	 * mapping: what is stored in the file shows.
	 */
	ASSERT_EQ(0, file_put(self->memfd, 2, label(2, 2)));
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
	EXPECT_EQ(label(2, 2), *word_at(self->mem, 2));
}

SECMMU_TEST_F(backing, C3_write_breaks_cow)
{
	bool shared = variant->map == MAP_SHARED;

	/* Page 0 is known to the engine for reading, page 1 is not. */
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_PUT(self->engine, GPA(0), label(0, 2));
	EXPECT_PUT(self->engine, GPA(1), label(1, 2));
	EXPECT_GPA(label(0, 2), self->engine, GPA(0));
	EXPECT_GPA(label(1, 2), self->engine, GPA(1));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, 0));
	EXPECT_EQ(label(1, 2), *word_at(self->mem, 1));
	EXPECT_EQ(label(0, shared ? 2 : 1), file_get(self->memfd, 0));
	EXPECT_EQ(label(1, shared ? 2 : 1), file_get(self->memfd, 1));

	/* The processor's turn: the engine must follow to the new page. */
	EXPECT_GPA(label(3, 1), self->engine, GPA(3));
	*word_at(self->mem, 3) = label(3, 3);
	EXPECT_GPA(label(3, 3), self->engine, GPA(3));
	EXPECT_EQ(label(3, shared ? 3 : 1), file_get(self->memfd, 3));
}

SECMMU_TEST_F(backing, hole_punch)
{
	bool shared = variant->map == MAP_SHARED;

	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	/* A private copy is not the file's to take away. */
	EXPECT_PUT(self->engine, GPA(3), label(3, 2));
	ASSERT_EQ(0, fallocate(self->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       2 * PAGE, 2 * PAGE));
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	EXPECT_GPA(0, self->engine, GPA(2));
	EXPECT_GPA(shared ? 0 : label(3, 2), self->engine, GPA(3));
	EXPECT_GPA(label(4, 1), self->engine, GPA(4));
}

SECMMU_TEST_F(backing, truncate)
{
	long i;

	for (i = 0; i < PAGES; i++) {
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
	}
	/* Beyond its end a file has no pages, private copies included. */
	ASSERT_EQ(0, ftruncate(self->memfd, 3 * PAGE));
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
	for (i = 3; i < PAGES; i++) {
		EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(i));
		EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(i), 0));
	}
	ASSERT_EQ(0, ftruncate(self->memfd, PAGES * PAGE));
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
	for (i = 3; i < PAGES; i++)
		EXPECT_GPA(0, self->engine, GPA(i));
}

static int truncate_file(void *arg)
{
	CHECK(!ftruncate(*(int *)arg, 3 * PAGE));
	return 0;
}

/* The event is raised by a process that is not the mirrored one. */
SECMMU_TEST_F(backing, A13_truncate_elsewhere)
{
	pid_t pid;

	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	pid = ASSERT_NUMBER(child_start(truncate_file, &self->memfd));
	ASSERT_EQ(0, child_wait(pid));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(3));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(PAGES - 1));
}

/* Contents come from the file after its pages left the page tables. */
SECMMU_TEST_F(backing, discard_keeps_the_file)
{
	bool shared = variant->map == MAP_SHARED;

	EXPECT_PUT(self->engine, GPA(1), label(1, 2));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	EXPECT_GPA(label(1, shared ? 2 : 1), self->engine, GPA(1));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
}

SECMMU_TEST_F(backing, readonly_file_mapping)
{
	EXPECT_PUT(self->engine, GPA(0), label(0, 2));
	ASSERT_EQ(0, mprotect(self->mem, PAGES * PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), label(0, 3)));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(1), label(1, 3)));
	EXPECT_GPA(label(0, 2), self->engine, GPA(0));
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	EXPECT_EQ(label(1, 1), file_get(self->memfd, 1));
}

FIXTURE(special)
{
	int dev, mirror, engine;
};

FIXTURE_SETUP(special)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
}

FIXTURE_TEARDOWN(special)
{
	SECMMU_TEARDOWN();
}

/* Where the process has the area called @name, or 0. */
static unsigned long find_area(const char *name)
{
	unsigned long start, found = 0;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	if (!maps)
		return 0;
	while (!found && fgets(line, sizeof(line), maps)) {
		if (strstr(line, name) && sscanf(line, "%lx-", &start) == 1)
			found = start;
	}
	fclose(maps);
	return found;
}

/*
 * The kernel's time page is mapped by number (VM_PFNMAP), as device memory
 * is: the processor may read it, the mirror may not.
 */
SECMMU_TEST_F(special, pfn_mapping_refused)
{
	unsigned long vvar = find_area("[vvar]");

	if (!vvar)
		SKIP(return, "no [vvar] area in this process");
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, (void *)vvar, PAGE));
	EXPECT_GPA_ERROR(EFAULT, self->engine, BASE);
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, BASE, 0));
}

/* Code is private memory of a file that nobody may write. */
SECMMU_TEST_F(special, program_text)
{
	__u64 page = (uintptr_t)find_area & -(__u64)PAGE;

	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, (void *)(uintptr_t)page, PAGE));
	EXPECT_GPA(*(volatile __u64 *)(uintptr_t)page, self->engine, BASE);
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, BASE, 0));
}

TEST_HARNESS_MAIN
