// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what the process does to its memory, the mirror must follow. The
 * engine has used every page before, so that it remembers a translation.
 */
#include "secmmu_harness.h"

#define PAGES	16
#define BASE	0x30000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define RW	(PROT_READ | PROT_WRITE)

REGION_FIXTURE(invalidate, PAGES)

FIXTURE_SETUP(invalidate)
{
	long i;

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	SET_SLOT(0, 0, BASE, 0, PAGES);
	for (i = 0; i < PAGES; i++) {
		*word_at(self->mem, i) = label(i, 1);
		/* Half of the pages for writing, half for reading. */
		if (i & 1)
			EXPECT_PUT(self->engine, GPA(i), label(i, 1));
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	}
}

/* Pages [@first, @end) still hold what the setup stored. */
#define EXPECT_KEPT(first, end)						\
do {									\
	long _page;							\
									\
	for (_page = first; _page < (end); _page++)			\
		EXPECT_GPA(label(_page, 1), self->engine, GPA(_page));	\
} while (0)

SECMMU_TEST_F(invalidate, B4_discard)
{
	struct secmmu_stats a, b;
	long i;

	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + 4 * PAGE, 5 * PAGE, MADV_DONTNEED));
	GET_STATS(b);
	EXPECT_DELTA(5, a, b, zapped);
	EXPECT_DELTA(1, a, b, zap_events);
	EXPECT_DELTA(1, a, b, flushes);
	EXPECT_DELTA(0, a, b, unpaired);

	/* Neighbours need no fault: their entries have survived. */
	EXPECT_KEPT(0, 4);
	EXPECT_KEPT(9, PAGES);
	EXPECT_SINCE(0, b, faults);
	EXPECT_SINCE(0, b, fault_pages);

	/* The first and the last page went, too. */
	for (i = 4; i < 9; i++)
		EXPECT_GPA(0, self->engine, GPA(i));
	EXPECT_PUT(self->engine, GPA(8), label(8, 2));
	EXPECT_EQ(label(8, 2), *word_at(self->mem, 8));
}

SECMMU_TEST_F(invalidate, B4_single_pages)
{
	struct secmmu_stats a;
	long i;

	for (i = 0; i < PAGES; i += 3) {
		GET_STATS(a);
		ASSERT_EQ(0, madvise(self->mem + i * PAGE, PAGE, MADV_DONTNEED));
		EXPECT_SINCE(1, a, zapped);
	}
	for (i = 0; i < PAGES; i++)
		EXPECT_GPA(i % 3 ? label(i, 1) : 0, self->engine, GPA(i));
}

SECMMU_TEST_F(invalidate, unmap)
{
	ASSERT_EQ(0, munmap(self->mem + 3 * PAGE, 2 * PAGE));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(3));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(4));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(3), 0));
	EXPECT_KEPT(0, 3);
	EXPECT_KEPT(5, PAGES);

	/* New memory at the old place. */
	ASSERT_EQ(0, region_replace(self->mem, 3, 2, RW));
	EXPECT_GPA(0, self->engine, GPA(3));
	*word_at(self->mem, 4) = label(4, 2);
	EXPECT_GPA(label(4, 2), self->engine, GPA(4));

	/* In one step. */
	ASSERT_EQ(0, region_replace(self->mem, 4, 1, RW));
	EXPECT_GPA(0, self->engine, GPA(4));
	EXPECT_KEPT(5, PAGES);
}

SECMMU_TEST_F(invalidate, move_away_and_into)
{
	char *other = ASSERT_MEMORY(region_map(4));
	long i;

	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 1, 0, GPA(100), other, 4 * PAGE));
	for (i = 0; i < 4; i++) {
		*word_at(other, i) = label(100 + i, 1);
		EXPECT_GPA(label(100 + i, 1), self->engine, GPA(100 + i));
	}

	ASSERT_EQ(other + PAGE, (char *)mremap(self->mem + 6 * PAGE, 2 * PAGE, 2 * PAGE,
					       MREMAP_MAYMOVE | MREMAP_FIXED,
					       other + PAGE));
	/* Away from here ... */
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(6));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(7));
	EXPECT_KEPT(0, 6);
	EXPECT_KEPT(8, PAGES);
	/* The memory has moved into the place of what was mapped there. */
	EXPECT_GPA(label(100, 1), self->engine, GPA(100));
	EXPECT_GPA(label(6, 1), self->engine, GPA(101));
	EXPECT_GPA(label(7, 1), self->engine, GPA(102));
	EXPECT_GPA(label(103, 1), self->engine, GPA(103));
	EXPECT_PUT(self->engine, GPA(102), label(7, 2));
	EXPECT_EQ(label(7, 2), *word_at(other, 2));
	region_unmap(other, 4);
}

SECMMU_TEST_F(invalidate, C3_protect_and_back)
{
	ASSERT_EQ(0, mprotect(self->mem, 2 * PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), label(0, 2)));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(1), label(1, 2)));
	EXPECT_KEPT(0, PAGES);

	ASSERT_EQ(0, mprotect(self->mem, 2 * PAGE, RW));
	EXPECT_PUT(self->engine, GPA(0), label(0, 3));
	EXPECT_PUT(self->engine, GPA(1), label(1, 3));
	EXPECT_EQ(label(0, 3), *word_at(self->mem, 0));
	EXPECT_EQ(label(1, 3), *word_at(self->mem, 1));

	ASSERT_EQ(0, mprotect(self->mem, 2 * PAGE, PROT_NONE));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(1));
	EXPECT_KEPT(2, PAGES);
	ASSERT_EQ(0, mprotect(self->mem, 2 * PAGE, RW));
	EXPECT_GPA(label(0, 3), self->engine, GPA(0));
	EXPECT_GPA(label(1, 3), self->engine, GPA(1));
}

/* Waits on @fd until the parent has written, then looks at its own copy. */
struct fork_arg {
	char *mem;
	int fd;
};

static int check_old_copy(void *data)
{
	struct fork_arg *arg = data;

	CHECK(!byte_wait(arg->fd));
	CHECK(*word_at(arg->mem, 0) == label(0, 1));
	CHECK(*word_at(arg->mem, 1) == label(1, 1));
	CHECK(*word_at(arg->mem, 2) == label(2, 1));
	*word_at(arg->mem, 0) = label(0, 9);
	*word_at(arg->mem, 2) = label(2, 9);
	*word_at(arg->mem, 3) = label(3, 9);
	return 0;
}

/* After fork() the pages are shared, and a writer gets a copy. */
SECMMU_TEST_F(invalidate, C3_fork)
{
	struct fork_arg arg = { .mem = self->mem };
	int pipefd[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(pipefd));
	arg.fd = pipefd[0];
	pid = ASSERT_NUMBER(child_start(check_old_copy, &arg));

	/* Page 1 was writable through the mirror before; page 0 was not. */
	EXPECT_PUT(self->engine, GPA(1), label(1, 2));
	EXPECT_PUT(self->engine, GPA(0), label(0, 2));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, 0));
	EXPECT_EQ(label(1, 2), *word_at(self->mem, 1));
	EXPECT_GPA(label(1, 2), self->engine, GPA(1));
	/* The processor's write is seen, though the page was known. */
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	*word_at(self->mem, 2) = label(2, 2);
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));

	EXPECT_EQ(0, byte_send(pipefd[1]));
	EXPECT_EQ(0, child_wait(pid));
	/* And nothing that the child did. */
	EXPECT_GPA(label(0, 2), self->engine, GPA(0));
	EXPECT_GPA(label(1, 2), self->engine, GPA(1));
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
	EXPECT_KEPT(3, PAGES);
	EXPECT_PUT(self->engine, GPA(3), label(3, 3));
	EXPECT_EQ(label(3, 3), *word_at(self->mem, 3));
	close(pipefd[0]);
	close(pipefd[1]);
}

SECMMU_TEST_F(invalidate, two_mirrors_one_process)
{
	struct secmmu_stats a[2], b[2];
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_EACH, 0);
	int engine = NEW_ENGINE(mirror);
	long i;

	ASSERT_LE(0, mirror);
	/* The same memory in another order of pages, one slot each. */
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, secmmu_set_slot(mirror, i, 0, GPA(PAGES - 1 - i),
					     self->mem + i * PAGE, PAGE));
		EXPECT_GPA(label(i, 1), engine, GPA(PAGES - 1 - i));
	}
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a[0]));
	ASSERT_EQ(0, secmmu_get_stats(mirror, &a[1]));
	ASSERT_EQ(0, madvise(self->mem + 5 * PAGE, 3 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b[0]));
	ASSERT_EQ(0, secmmu_get_stats(mirror, &b[1]));
	EXPECT_DELTA(3, a[0], b[0], zapped);
	EXPECT_DELTA(3, a[1], b[1], zapped);
	EXPECT_DELTA(1, a[0], b[0], flushes);
	EXPECT_DELTA(3, a[1], b[1], flushes);
	for (i = 0; i < PAGES; i++) {
		__u64 word = i >= 5 && i < 8 ? 0 : label(i, 1);

		EXPECT_GPA(word, self->engine, GPA(i));
		EXPECT_GPA(word, engine, GPA(PAGES - 1 - i));
	}

	/* One of them goes, the other one is served as before. */
	close(engine);
	close(mirror);
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	EXPECT_GPA(0, self->engine, GPA(0));
}

/* Counted, and nothing else: no slot has to do with it. */
SECMMU_TEST_F(invalidate, event_outside_slots)
{
	struct secmmu_stats a, b;
	char *other = ASSERT_MEMORY(region_map(4));

	memset(other, 1, 4 * PAGE);
	GET_STATS(a);
	ASSERT_EQ(0, madvise(other, 4 * PAGE, MADV_DONTNEED));
	GET_STATS(b);
	EXPECT_LE(1, b.events - a.events);
	EXPECT_DELTA(0, a, b, zap_events);
	EXPECT_DELTA(0, a, b, zapped);
	EXPECT_DELTA(0, a, b, flushes);
	EXPECT_DELTA(0, a, b, interrupts);
	EXPECT_KEPT(0, PAGES);
	EXPECT_SINCE(0, b, faults);
	region_unmap(other, 4);
}

TEST_HARNESS_MAIN
