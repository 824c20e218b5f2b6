// SPDX-License-Identifier: GPL-2.0
/* 2 MiB entries: when they are made, what they are worth, how they go. */
#include <pthread.h>

#include "secmmu_harness.h"

#define BASE		0x80000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define BLOCKS		4L
#define BLOCK		(HUGE_SIZE / PAGE)
#define PAGES		(BLOCKS * BLOCK)

FIXTURE(large)
{
	int dev, mirror, engine;
	char *mem;	/* BLOCKS huge pages, mapped by slot 0 */
};

FIXTURE_SETUP(large)
{
	self->mem = NULL;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	BLOCKS_SETUP(BLOCKS);
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(large)
{
	blocks_unmap(self->mem, BLOCKS);
	SECMMU_TEARDOWN();
}

/* The engine finds the labels of these pages, without a fault. */
#define EXPECT_MAPPED(first, count, round)				\
do {									\
	struct secmmu_stats _a, _b;					\
									\
	GET_STATS(_a);							\
	for (long _i = first; _i < (first) + (count); _i++)		\
		EXPECT_GPA(label(_i, round), self->engine, GPA(_i));	\
	GET_STATS(_b);							\
	EXPECT_DELTA(0, _a, _b, faults);				\
} while (0)

/* One fault brings each block in, one entry each. */
static void touch_blocks(TEST_ARGS(large))
{
	struct secmmu_stats a, b;
	long i;

	GET_STATS(a);
	for (i = 0; i < BLOCKS; i++)
		EXPECT_GPA(label(i * BLOCK + 7, 1), self->engine, GPA(i * BLOCK + 7));
	GET_STATS(b);
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
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
		EXPECT_EQ(label(i, 2), *word_at(self->mem, i));
	}
	GET_STATS(stats);
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
	char *small = ASSERT_MEMORY(region_map(1));

	*word_at(small, 0) = 7;
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 1, 0, GPA(PAGES), small, PAGE));
	EXPECT_GPA(7, self->engine, GPA(PAGES));
	touch_blocks(_metadata, self);
	GET_STATS(stats);
	EXPECT_LT(4, stats.tables);
	ASSERT_EQ(0, madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_DONTNEED));
	GET_STATS(stats);
	EXPECT_EQ(0, stats.large);
	/* Root, two levels, and the leaf of the small page. */
	EXPECT_EQ(4, stats.tables);
	region_unmap(small, 1);
}

SECMMU_TEST_F(large, B7_first_touch_by_the_mirror)
{
	struct secmmu_prefault range;

	ASSERT_EQ(0, madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, secmmu_prefault(self->mirror, SECMMU_PREFAULT_WRITE,
				     GPA(3), (PAGES - 8) * PAGE, &range));
	EXPECT_EQ(0, range.length);
	EXPECT_EQ(GPA(PAGES - 5), range.gpa);
	EXPECT_COUNTER(BLOCKS, large);
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
	unsigned int n;
	long i;

	for (n = 0; n < sizeof(slots) / sizeof(*slots); n++) {
		SET_SLOT(0, slots[n].flags, GPA(slots[n].gpa), slots[n].page, slots[n].pages);
		for (i = 0; i < slots[n].pages; i++)
			EXPECT_GPA(label(slots[n].page + i, 1), self->engine,
				   GPA(slots[n].gpa + i));
		EXPECT_COUNTER(0, large);
	}
	/* The same memory through a slot that fits it. */
	SET_SLOT(0, 0, GPA(BLOCK), 0, 512);
	EXPECT_GPA(label(9, 1), self->engine, GPA(BLOCK + 9));
	EXPECT_COUNTER(1, large);
}

/* A folio that is large but mapped in parts, or with two permissions. */
SECMMU_TEST_F(large, B7_folio_mapped_in_parts)
{
	long i;

	ASSERT_EQ(0, mprotect(self->mem + 5 * PAGE, PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(self->mem + (BLOCK + 5) * PAGE, PAGE));
	ASSERT_EQ(0, mprotect(self->mem + (2 * BLOCK + 5) * PAGE, PAGE, PROT_NONE));
	for (i = 0; i < 3 * BLOCK; i++) {
		if (i == BLOCK + 5 || i == 2 * BLOCK + 5) {
			EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(i));
			continue;
		}
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		EXPECT_EQ(i == 5 ? -EFAULT : 0, gpa_put(self->engine, GPA(i), label(i, 2)));
	}
	EXPECT_COUNTER(0, large);
	/* The uncut block is mapped as one. */
	EXPECT_GPA(label(3 * BLOCK, 1), self->engine, GPA(3 * BLOCK));
	EXPECT_COUNTER(1, large);
}

SECMMU_TEST_F(large, B4_neighbours_stay)
{
	struct secmmu_stats a;

	touch_blocks(_metadata, self);
	GET_STATS(a);
	ASSERT_EQ(0, munmap(self->mem + HUGE_SIZE, HUGE_SIZE));
	EXPECT_DROPPED(1, 1, a);
	EXPECT_COUNTER(BLOCKS - 1, large);
	EXPECT_MAPPED(0, BLOCK, 1);
	EXPECT_MAPPED(2 * BLOCK, 2 * BLOCK, 1);
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(BLOCK));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(2 * BLOCK - 1));
}

/*
 * MADV_FREE of a part of a huge page that a child shares is an event that
 * changes nothing: all that goes is what the event covers.
 */
SECMMU_TEST_F(large, B7_split)
{
	struct secmmu_stats a;
	long i;
	pid_t child = ASSERT_NUMBER(child_start(child_sleep, NULL));

	touch_blocks(_metadata, self);

	/* There are spare tables for two. */
	for (i = 0; i < 2; i++) {
		GET_STATS(a);
		ASSERT_EQ(0, madvise(self->mem + i * HUGE_SIZE + 100 * PAGE,
				     10 * PAGE, MADV_FREE));
		EXPECT_DROPPED(10, 1, a);
		EXPECT_SINCE(1, a, splits);
		EXPECT_SINCE(0, a, unsplit);
		EXPECT_COUNTER(BLOCKS - 1 - i, large);
		EXPECT_MAPPED(i * BLOCK, 100, 1);
		EXPECT_MAPPED(i * BLOCK + 110, BLOCK - 110, 1);
	}
	/* Beyond that, the rest comes back with a fault. */
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + 2 * HUGE_SIZE + 100 * PAGE, 10 * PAGE, MADV_FREE));
	EXPECT_SINCE(1, a, zapped);
	EXPECT_SINCE(0, a, splits);
	EXPECT_SINCE(1, a, unsplit);
	EXPECT_MAPPED(3 * BLOCK, BLOCK, 1);
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);

	child_kill(child);
}

/* A part that was split is mapped as one again, once it is looked at. */
SECMMU_TEST_F(large, B7_made_whole)
{
	struct secmmu_stats a;
	pid_t child = ASSERT_NUMBER(child_start(child_sleep, NULL));

	touch_blocks(_metadata, self);
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_FREE));
	GET_STATS(a);
	ASSERT_EQ(BLOCKS - 1, a.large);
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_COUNTER(BLOCKS, large);
	EXPECT_COUNTER(a.tables - 1, tables);
	EXPECT_SINCE(1, a, faults);
	EXPECT_SINCE(0, a, retries);
	EXPECT_MAPPED(0, BLOCK, 1);
	/* And goes as one. */
	GET_STATS(a);
	ASSERT_EQ(0, munmap(self->mem, HUGE_SIZE));
	EXPECT_SINCE(1, a, zapped);
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(200));

	child_kill(child);
}

/* After fork() no engine writes through an entry into the child's memory. */
SECMMU_TEST_F(large, C3_fork)
{
	pid_t child;
	long i;

	for (i = 0; i < PAGES; i += BLOCK)
		EXPECT_PUT(self->engine, GPA(i), label(i, 1));
	child = ASSERT_NUMBER(child_start(child_sleep, NULL));
	EXPECT_COUNTER(0, large);
	touch_blocks(_metadata, self);
	/* Breaks the sharing of one page: the block is one no more. */
	EXPECT_PUT(self->engine, GPA(3), label(3, 2));
	EXPECT_EQ(label(3, 2), *word_at(self->mem, 3));
	EXPECT_COUNTER(BLOCKS - 1, large);
	EXPECT_LABELS(1, self->engine, GPA(0), 4, BLOCK - 4);
	child_kill(child);
}

/* All is given back with the last entry, the spare tables too. */
SECMMU_TEST_F(large, B3_tables_are_given_back)
{
	touch_blocks(_metadata, self);
	ASSERT_EQ(0, madvise(self->mem, BLOCKS * HUGE_SIZE, MADV_DONTNEED));
	EXPECT_COUNTER(0, large);
	EXPECT_COUNTER(1, tables);
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
			churn->errors += !!madvise(churn->mem + i * 37 % PAGES * PAGE, PAGE,
						   MADV_DONTNEED);
		if (!(i % 8)) {
			madvise(churn->mem, BLOCKS * HUGE_SIZE, MADV_COLLAPSE);
			churn->errors += !!madvise(churn->mem, BLOCKS * HUGE_SIZE,
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
				wrong += !!gpa_put(self->engine, GPA(i), label(i, round));
		}
	}
	churn.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, churn.errors);
	for (i = 0; i < PAGES; i++)
		EXPECT_GPA(*word_at(self->mem, i), self->engine, GPA(i));
	EXPECT_COUNTER(0, unpaired);
}

TEST_HARNESS_MAIN
