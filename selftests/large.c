// SPDX-License-Identifier: GPL-2.0
/*
 * 2 MiB entries: when they are made, what they are worth, how they go.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define BASE		0x80000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define BLOCKS		4L
#define BLOCK		(HUGE_SIZE / PAGE)
#define PAGES		(BLOCKS * BLOCK)

FIXTURE(large)
{
	int dev, mirror, engine;
	char *map;
	char *mem;	/* BLOCKS huge pages, stamped, mapped by slot 0 */
};

FIXTURE_SETUP(large)
{
	long i;

	self->map = MAP_FAILED;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->map = mmap(NULL, (BLOCKS + 1) * HUGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	self->mem = (char *)(((uintptr_t)self->map + HUGE_SIZE - 1) &
			     -HUGE_SIZE);
	madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_HUGEPAGE);
	for (i = 0; i < PAGES; i++)
		*word_at(self->mem, i) = stamp(i, 1);
	if (huge_kilobytes(self->mem) != BLOCKS * HUGE_SIZE >> 10) {
		close(self->dev);
		self->dev = -1;
		SKIP(return, "no huge pages to be had");
	}
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem,
				     BLOCKS * HUGE_SIZE));
}

FIXTURE_TEARDOWN(large)
{
	if (self->map != MAP_FAILED)
		munmap(self->map, (BLOCKS + 1) * HUGE_SIZE);
	SECMMU_TEARDOWN();
}

/* The engine finds the stamps of these pages, without a fault. */
#define EXPECT_MAPPED(first, count, round)				\
do {									\
	struct secmmu_stats _a, _b;					\
									\
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &_a));		\
	for (long _i = first; _i < (first) + (count); _i++)		\
		EXPECT_GPA(stamp(_i, round), self->engine, GPA(_i));	\
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &_b));		\
	EXPECT_DELTA(0, _a, _b, faults);				\
} while (0)

/* One fault brings each block in, one entry each. */
static void touch_blocks(struct __test_metadata *_metadata,
			 FIXTURE_DATA(large) *self)
{
	struct secmmu_stats a, b;
	long i;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	for (i = 0; i < BLOCKS; i++)
		EXPECT_GPA(stamp(i * BLOCK + 7, 1), self->engine,
			   GPA(i * BLOCK + 7));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(BLOCKS, a, b, faults);
	EXPECT_DELTA(BLOCKS, a, b, fault_pages);
	ASSERT_EQ(BLOCKS, b.large);
}

SECMMU_TEST_F(large, B7_one_entry)
{
	struct secmmu_stats stats;
	long i;

	touch_blocks(_metadata, self);
	EXPECT_MAPPED(0, PAGES, 1);
	/* Writing takes one more fault for each; the entry stays one. */
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, gpa_put(self->engine, GPA(i), stamp(i, 2)));
		EXPECT_EQ(stamp(i, 2), *word_at(self->mem, i));
	}
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(BLOCKS, stats.large);
	EXPECT_EQ(2 * BLOCKS, stats.faults);
	EXPECT_EQ(0, stats.retries);
	/* Root, two levels, and no more than two spare tables. */
	EXPECT_GE(5, stats.tables);
}

/* Spare tables go with the last large entry, also if its table has other entries. */
SECMMU_TEST_F(large, B7_no_spare_tables_stay)
{
	struct secmmu_stats stats;
	char *small = region_map(1);

	ASSERT_NE(NULL, small);
	*word_at(small, 0) = 7;
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 1, 0, GPA(PAGES), small, PAGE));
	EXPECT_GPA(7, self->engine, GPA(PAGES));
	touch_blocks(_metadata, self);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_LT(4, stats.tables);
	ASSERT_EQ(0, madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.large);
	/* Root, two levels, and the leaf of the small page. */
	EXPECT_EQ(4, stats.tables);
	region_unmap(small, 1);
}

SECMMU_TEST_F(large, B7_first_touch_by_the_mirror)
{
	struct secmmu_prefault range;
	struct secmmu_stats stats;

	ASSERT_EQ(0, madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_prefault(self->mirror, SECMMU_PREFAULT_WRITE,
				     GPA(3), (PAGES - 8) * PAGE, &range));
	EXPECT_EQ(0, range.length);
	EXPECT_EQ(GPA(PAGES - 5), range.gpa);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(BLOCKS, stats.large);
	EXPECT_EQ(0, *word_at(self->mem, 5));
}

/* Different offsets in the two spaces, a slot's edge, a dirty log: none. */
SECMMU_TEST_F(large, B7_no_entry)
{
	static const struct {
		long page, gpa, pages;
		__u32 flags;
	} slots[] = {
		{ 0, 1, 2 * 512, 0 },
		{ 1, 1, 511, 0 },
		{ 0, 0, 511, 0 },
		{ 0, 0, 512, SECMMU_SLOT_LOG_DIRTY },
	};
	struct secmmu_stats stats;
	unsigned int n;
	long i;

	for (n = 0; n < sizeof(slots) / sizeof(*slots); n++) {
		ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, slots[n].flags,
					     GPA(slots[n].gpa),
					     self->mem + slots[n].page * PAGE,
					     slots[n].pages * PAGE));
		for (i = 0; i < slots[n].pages; i++)
			EXPECT_GPA(stamp(slots[n].page + i, 1), self->engine,
				   GPA(slots[n].gpa + i));
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
		EXPECT_EQ(0, stats.large);
	}
	/* The same memory through a slot that fits it. */
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, GPA(BLOCK),
				     self->mem, 512 * PAGE));
	EXPECT_GPA(stamp(9, 1), self->engine, GPA(BLOCK + 9));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.large);
}

/* A folio that is large but mapped in parts, or with two permissions. */
SECMMU_TEST_F(large, B7_folio_mapped_in_parts)
{
	struct secmmu_stats stats;
	long i;

	ASSERT_EQ(0, mprotect(self->mem + 5 * PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(self->mem + (BLOCK + 5) * PAGE, PAGE));
	ASSERT_EQ(0, mprotect(self->mem + (2 * BLOCK + 5) * PAGE, PAGE,
			      PROT_NONE));
	for (i = 0; i < 3 * BLOCK; i++) {
		if (i == BLOCK + 5 || i == 2 * BLOCK + 5) {
			EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(i));
			continue;
		}
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
		EXPECT_EQ(i == 5 ? -EFAULT : 0,
			  gpa_put(self->engine, GPA(i), stamp(i, 2)));
	}
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.large);
	/* The block nobody cut is mapped as one. */
	EXPECT_GPA(stamp(3 * BLOCK, 1), self->engine, GPA(3 * BLOCK));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(1, stats.large);
}

SECMMU_TEST_F(large, B4_neighbours_stay)
{
	struct secmmu_stats a, b;

	touch_blocks(_metadata, self);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, munmap(self->mem + HUGE_SIZE, HUGE_SIZE));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_DELTA(1, a, b, flushes);
	EXPECT_EQ(BLOCKS - 1, b.large);
	EXPECT_MAPPED(0, BLOCK, 1);
	EXPECT_MAPPED(2 * BLOCK, 2 * BLOCK, 1);
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(BLOCK));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(2 * BLOCK - 1));
}

static int wait_for_byte(void *fd)
{
	return byte_wait(*(int *)fd);
}

/*
 * MADV_FREE of a part of a huge page that a child shares is an event that
 * changes nothing: all that goes is what the event covers.
 */
SECMMU_TEST_F(large, B7_split)
{
	struct secmmu_stats a, b;
	int sock[2];
	pid_t child;
	long i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	child = child_start(wait_for_byte, &sock[1]);
	ASSERT_LT(0, child);
	touch_blocks(_metadata, self);

	/* There are spare tables for two. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
		ASSERT_EQ(0, madvise(self->mem + i * HUGE_SIZE + 100 * PAGE,
				     10 * PAGE, MADV_FREE));
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
		EXPECT_DELTA(10, a, b, zapped);
		EXPECT_DELTA(1, a, b, flushes);
		EXPECT_DELTA(1, a, b, splits);
		EXPECT_DELTA(0, a, b, unsplit);
		EXPECT_EQ(BLOCKS - 1 - i, b.large);
		EXPECT_MAPPED(i * BLOCK, 100, 1);
		EXPECT_MAPPED(i * BLOCK + 110, BLOCK - 110, 1);
	}
	/* Beyond that, the rest comes back with a fault. */
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, madvise(self->mem + 2 * HUGE_SIZE + 100 * PAGE, 10 * PAGE,
			     MADV_FREE));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_DELTA(0, a, b, splits);
	EXPECT_DELTA(1, a, b, unsplit);
	EXPECT_MAPPED(3 * BLOCK, BLOCK, 1);
	for (i = 0; i < PAGES; i++)
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));

	EXPECT_EQ(0, byte_send(sock[0]));
	EXPECT_EQ(0, child_wait(child));
	close(sock[0]);
	close(sock[1]);
}

/* A part that was split is mapped as one again, once it is looked at. */
SECMMU_TEST_F(large, B7_made_whole)
{
	struct secmmu_stats a, b;
	int sock[2];
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	child = child_start(wait_for_byte, &sock[1]);
	ASSERT_LT(0, child);
	touch_blocks(_metadata, self);
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_FREE));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(BLOCKS - 1, a.large);
	EXPECT_GPA(stamp(0, 1), self->engine, GPA(0));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_EQ(BLOCKS, b.large);
	EXPECT_EQ(a.tables - 1, b.tables);
	EXPECT_DELTA(1, a, b, faults);
	EXPECT_DELTA(0, a, b, retries);
	EXPECT_MAPPED(0, BLOCK, 1);
	/* And goes as one. */
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, munmap(self->mem, HUGE_SIZE));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(200));

	EXPECT_EQ(0, byte_send(sock[0]));
	EXPECT_EQ(0, child_wait(child));
	close(sock[0]);
	close(sock[1]);
}

/* After fork() nobody writes through an entry into the child's memory. */
SECMMU_TEST_F(large, C3_fork)
{
	struct secmmu_stats stats;
	int sock[2];
	pid_t child;
	long i;

	for (i = 0; i < PAGES; i += BLOCK)
		EXPECT_EQ(0, gpa_put(self->engine, GPA(i), stamp(i, 1)));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	child = child_start(wait_for_byte, &sock[1]);
	ASSERT_LT(0, child);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.large);
	touch_blocks(_metadata, self);
	/* Breaks the sharing of one page: the block is one no more. */
	EXPECT_EQ(0, gpa_put(self->engine, GPA(3), stamp(3, 2)));
	EXPECT_EQ(stamp(3, 2), *word_at(self->mem, 3));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(BLOCKS - 1, stats.large);
	for (i = 4; i < BLOCK; i++)
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
	EXPECT_EQ(0, byte_send(sock[0]));
	EXPECT_EQ(0, child_wait(child));
	close(sock[0]);
	close(sock[1]);
}

/* All is given back with the last entry, the spare tables too. */
SECMMU_TEST_F(large, B3_tables_are_given_back)
{
	struct secmmu_stats stats;

	touch_blocks(_metadata, self);
	ASSERT_EQ(0, madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.large);
	EXPECT_EQ(1, stats.tables);
}

struct churn {
	char *mem;
	int mirror;
	volatile bool stop;
	long errors;
};

static __u64 count_large(int mirror)
{
	struct secmmu_stats stats;

	return secmmu_get_stats(mirror, &stats) ? 0 : stats.large;
}

/*
 * Single pages only where there is something to split. Where the kernel had to split a huge
 * page of its own, memory stays in small ones until it is collapsed: so ask for that, which
 * fails where nothing is mapped, before all is discarded.
 */
static void *discard(void *data)
{
	struct churn *churn = data;
	unsigned int i;

	for (i = 1; !churn->stop; i++) {
		if (count_large(churn->mirror))
			churn->errors += !!madvise(churn->mem +
						   i * 37 % PAGES * PAGE,
						   PAGE, MADV_DONTNEED);
		if (!(i % 8)) {
			madvise(churn->mem, BLOCKS * HUGE_SIZE, MADV_COLLAPSE);
			churn->errors += !!madvise(churn->mem,
						   BLOCKS * HUGE_SIZE,
						   MADV_DONTNEED);
		}
		sleep_ms(1);
	}
	return NULL;
}

static __u64 count_splits(FIXTURE_DATA(large) *self)
{
	struct secmmu_stats stats;

	return secmmu_get_stats(self->mirror, &stats) ? 0 : stats.splits;
}

/* Entries are made, split and dropped under the engine's feet. */
SECMMU_TEST_F(large, B7_come_and_go)
{
	struct churn churn = { .mem = self->mem, .mirror = self->mirror };
	struct secmmu_stats stats;
	pthread_t thread;
	long i, round, wrong = 0;
	__u64 word;

	ASSERT_EQ(0, pthread_create(&thread, NULL, discard, &churn));
	/* Until it was about entries that are split. */
	for (round = 2; round < 12 || !count_splits(self); round++) {
		for (i = 0; i < PAGES; i++) {
			wrong += !!gpa_get(self->engine, GPA(i), &word);
			/* Nothing, or something of this page. */
			wrong += word && word >> 32 != i + 1ULL;
			if (i % 3 == round % 3)
				wrong += !!gpa_put(self->engine, GPA(i),
						   stamp(i, round));
		}
	}
	churn.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, churn.errors);
	for (i = 0; i < PAGES; i++)
		EXPECT_GPA(*word_at(self->mem, i), self->engine, GPA(i));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &stats));
	EXPECT_EQ(0, stats.unpaired);
}

TEST_HARNESS_MAIN
