// SPDX-License-Identifier: GPL-2.0
/* The dirty log: exactly the pages that engines have written, each one once. */
#include "secmmu_harness.h"

/* More words than the driver copies at a time, and a part of one more. */
#define PAGES	(64 * 64 + 8L)
#define WORDS	((PAGES + 63) / 64)
#define BASE	0xa0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* Another view of the first pages, by slot 1. */
#define ALIAS_PAGES	128L
#define ALIAS(page)	GPA(2 * PAGES + (page))

FIXTURE(dirty)
{
	int dev, mirror, engine;
	char *mem;	/* mapped by slot 0, which logs */
	__u64 log[WORDS];
};

FIXTURE_VARIANT(dirty)
{
	__u32 policy, batch;
};

FIXTURE_VARIANT_ADD(dirty, range) { .policy = SECMMU_FLUSH_RANGE };
FIXTURE_VARIANT_ADD(dirty, each) { .policy = SECMMU_FLUSH_EACH };

FIXTURE_SETUP(dirty)
{
	SECMMU_SETUP(variant->policy, variant->batch);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	SET_SLOT(0, SECMMU_SLOT_LOG_DIRTY, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(dirty)
{
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

/* Fetches the log of all of slot 0. */
#define FETCH()								\
do {									\
	memset(self->log, POISON_BYTE, sizeof(self->log));		\
	ASSERT_EQ(0, secmmu_dirty_log(self->mirror, 0, 0, PAGES,	\
				      self->log));			\
} while (0)

static bool logged(const __u64 *log, long page)
{
	return log[page / 64] >> page % 64 & 1;
}

/* The log names these pages, which are in order, and no others. */
static bool log_is(const __u64 *log, long words, const long *pages, long nr)
{
	long page, at = 0;

	for (page = 0; page < words * 64; page++) {
		bool wanted = at < nr && pages[at] == page;

		at += wanted;
		if (logged(log, page) == wanted)
			continue;
		fprintf(stderr, "# page %ld is %sin the log\n", page, wanted ? "not " : "");
		return false;
	}
	return at == nr;
}

#define EXPECT_LOG(...)							\
do {									\
	static const long _pages[] = { __VA_ARGS__ };			\
									\
	FETCH();							\
	EXPECT_TRUE(log_is(self->log, WORDS, _pages,			\
			   ARRAY_SIZE(_pages)));			\
} while (0)

SECMMU_TEST_F(dirty, C2_each_page_once)
{
	static const long written[] = {
		0, 1, 63, 64, 511, 512, 2048, 4095, PAGES - 1
	};
	__u64 word;
	size_t i;

	EXPECT_LOG();
	for (i = 0; i < ARRAY_SIZE(written); i++)
		EXPECT_PUT(self->engine, GPA(written[i]), label(written[i], 1));
	for (i = 100; i < 300; i++) {
		ASSERT_EQ(0, gpa_get(self->engine, GPA(i), &word));
	}
	/* Twice is once; the processor's writes are not the engines'. */
	EXPECT_PUT(self->engine, GPA(64), label(64, 2));
	*word_at(self->mem, 100) = label(100, 2);
	*word_at(self->mem, 3000) = label(3000, 2);
	EXPECT_LOG(0, 1, 63, 64, 511, 512, 2048, 4095, PAGES - 1);
	EXPECT_LOG();
}

/* The engine's TLB remembers the page as dirty: that must not suffice. */
SECMMU_TEST_F(dirty, C2_write_after_the_log)
{
	int round;

	for (round = 1; round <= 10; round++) {
		EXPECT_PUT(self->engine, GPA(3), label(3, round));
		EXPECT_GPA(label(3, round), self->engine, GPA(3));
		EXPECT_LOG(3);
		EXPECT_GPA(label(3, round), self->engine, GPA(3));
		EXPECT_LOG();
	}
	EXPECT_EQ(label(3, 10), *word_at(self->mem, 3));
}

/* One write of several pages, neither end of it aligned. */
SECMMU_TEST_F(dirty, C2_long_write)
{
	size_t len = 3 * PAGE + 2;
	char *buf = calloc(1, len);

	ASSERT_NE(NULL, buf);
	ASSERT_EQ((ssize_t)len, gpa_write(self->engine, buf, len, GPA(63) - 1));
	EXPECT_LOG(62, 63, 64, 65, 66);
	free(buf);
}

/* What is dropped from the page table stays in the log. */
SECMMU_TEST_F(dirty, C2_dropped_entries)
{
	long i;

	for (i = 10; i < 20; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 1));
	ASSERT_EQ(0, madvise(self->mem + 10 * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, munmap(self->mem + 12 * PAGE, PAGE));
	ASSERT_EQ(0, mprotect(self->mem + 14 * PAGE, PAGE, PROT_READ));
	EXPECT_LOG(10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
	EXPECT_LOG();

	/* Dropped, mapped again for reading only, or written again. */
	for (i = 15; i < 18; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
	ASSERT_EQ(0, madvise(self->mem + 15 * PAGE, 3 * PAGE, MADV_DONTNEED));
	EXPECT_GPA(0, self->engine, GPA(15));
	EXPECT_PUT(self->engine, GPA(17), label(17, 3));
	EXPECT_LOG(15, 16, 17);
	EXPECT_LOG();
}

SECMMU_TEST_F(dirty, B1_one_flush)
{
	struct secmmu_stats a, b;
	long i;

	for (i = 0; i < PAGES; i += 3)
		EXPECT_PUT(self->engine, GPA(i), label(i, 1));
	GET_STATS(a);
	FETCH();
	GET_STATS(b);
	EXPECT_DELTA(1, a, b, flushes);
	EXPECT_DELTA(0, a, b, zapped);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i % 3 == 0, logged(self->log, i));

	/* Nothing dirty, nothing flushed, and nothing to fault again. */
	FETCH();
	for (i = 0; i < PAGES; i += 3)
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	FETCH();
	EXPECT_SINCE(0, b, flushes);
	EXPECT_SINCE(0, b, faults);
}

/* A part of the slot at a time; each leaves the others alone. */
SECMMU_TEST_F(dirty, C2_parts)
{
	static const long part[] = { 2, 63 };
	__u64 log[2] = { POISON, POISON };

	EXPECT_PUT(self->engine, GPA(0), 1);
	EXPECT_PUT(self->engine, GPA(63), 1);
	EXPECT_PUT(self->engine, GPA(66), 1);
	EXPECT_PUT(self->engine, GPA(127), 1);
	EXPECT_PUT(self->engine, GPA(128), 1);
	EXPECT_PUT(self->engine, GPA(PAGES - 2), 1);
	ASSERT_EQ(0, secmmu_dirty_log(self->mirror, 0, 64, 64, log));
	EXPECT_TRUE(log_is(log, 1, part, ARRAY_SIZE(part)));
	EXPECT_EQ(POISON, log[1]);
	/* The last word stands for 8 pages only. */
	ASSERT_EQ(0, secmmu_dirty_log(self->mirror, 0, PAGES - 8, 8, log));
	EXPECT_EQ(1 << 6, log[0]);
	EXPECT_EQ(POISON, log[1]);
	EXPECT_LOG(0, 63, 128);
}

/* A range that the log is asked for, and what is wrong with it. */
static const struct {
	__u64 first, pages;
	int error;
} ranges[] = {
	{ 0, 0, EINVAL },
	{ 64, 0, EINVAL },
	{ 1, 64, EINVAL },
	{ 32, 64, EINVAL },
	{ PAGES - 1, 1, EINVAL },
	{ 0, 1, EINVAL },
	{ 0, 63, EINVAL },
	{ 0, 65, EINVAL },
	{ 64, PAGES - 65, EINVAL },
	{ 0, PAGES + 1, EINVAL },
	{ 0, PAGES + 56, EINVAL },
	{ PAGES - 8, 9, EINVAL },
	{ PAGES - 8, 64, EINVAL },
	{ PAGES + 56, 64, EINVAL },
	{ 1ULL << 62, 64, EINVAL },
	{ -64ULL, 64, EINVAL },
	{ -64ULL, 128, EINVAL },
	{ 64, -64ULL, EINVAL },
	{ 64, -1ULL, EINVAL },
	{ 0, -1ULL, EINVAL },
	{ PAGES - 8, 8, 0 },
	{ 64, PAGES - 64, 0 },
	{ 0, 64, 0 },
	{ 0, PAGES, 0 },
};

SECMMU_TEST_F(dirty, G2_ranges)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		EXPECT_EQ(-ranges[i].error, secmmu_dirty_log(self->mirror, 0,
							     ranges[i].first,
							     ranges[i].pages, self->log))
			TH_LOG("range %zu", i);
	}
	/* A refused call forgets nothing and writes nothing. */
	EXPECT_PUT(self->engine, GPA(0), 1);
	memset(self->log, POISON_BYTE, sizeof(self->log));
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (ranges[i].error)
			secmmu_dirty_log(self->mirror, 0, ranges[i].first,
					 ranges[i].pages, self->log);
	}
	for (i = 0; i < WORDS; i++)
		EXPECT_EQ(POISON, self->log[i]);
	EXPECT_LOG(0);
}

SECMMU_TEST_F(dirty, G2_slots_without_a_log)
{
	EXPECT_EQ(-ENXIO, secmmu_dirty_log(self->mirror, 1, 0, 64, self->log));
	EXPECT_EQ(-ENXIO, secmmu_dirty_log(self->mirror, SECMMU_MAX_SLOTS - 1,
					   0, 64, self->log));
	SET_SLOT(1, 0, ALIAS(0), 0, 64);
	EXPECT_EQ(-EINVAL, secmmu_dirty_log(self->mirror, 1, 0, 64, self->log));
	ASSERT_EQ(0, secmmu_delete_slot(self->mirror, 0));
	EXPECT_EQ(-ENXIO, secmmu_dirty_log(self->mirror, 0, 0, 64, self->log));
}

/* The bitmap ends too early, at each place: nothing is forgotten. */
SECMMU_TEST_F(dirty, G2_bad_bitmap)
{
	static const long room[] = { 0, 1, 20, 31, 32, 33, 40, 64 };
	char *buf = ASSERT_MEMORY(region_map(1));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(room); i++) {
		EXPECT_PUT(self->engine, GPA(10), i);
		EXPECT_PUT(self->engine, GPA(39 * 64), i);
		EXPECT_PUT(self->engine, GPA(45 * 64 + 1), i);
		EXPECT_EQ(-EFAULT, secmmu_dirty_log(self->mirror, 0, 0, PAGES,
						    buf + PAGE - room[i] * 8));
		EXPECT_LOG(10, 39 * 64, 45 * 64 + 1);
	}
	EXPECT_LOG();
	/* A place that can only be read. */
	ASSERT_EQ(0, mprotect(buf, PAGE, PROT_READ));
	EXPECT_PUT(self->engine, GPA(10), 9);
	EXPECT_EQ(-EFAULT, secmmu_dirty_log(self->mirror, 0, 0, PAGES, buf));
	EXPECT_EQ(-EFAULT, secmmu_dirty_log(self->mirror, 0, 0, PAGES, NULL));
	EXPECT_EQ(-EFAULT, secmmu_dirty_log(self->mirror, 0, 0, PAGES, (void *)-PAGE));
	EXPECT_LOG(10);
	region_unmap(buf, 1);
}

/* Two slots show the same memory: each logs what is written through it. */
SECMMU_TEST_F(dirty, C2_alias)
{
	static const long through_alias[] = { 6, 70 };
	__u64 log[2];

	SET_SLOT(1, SECMMU_SLOT_LOG_DIRTY, ALIAS(0), 0, ALIAS_PAGES);
	EXPECT_PUT(self->engine, GPA(5), 1);
	EXPECT_PUT(self->engine, GPA(70), 1);
	EXPECT_PUT(self->engine, ALIAS(6), 1);
	EXPECT_PUT(self->engine, ALIAS(70), 2);
	/* Dropped or not. */
	ASSERT_EQ(0, madvise(self->mem + 6 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_LOG(5, 70);
	ASSERT_EQ(0, secmmu_dirty_log(self->mirror, 1, 0, ALIAS_PAGES, log));
	EXPECT_TRUE(log_is(log, 2, through_alias, ARRAY_SIZE(through_alias)));
	EXPECT_EQ(2, *word_at(self->mem, 70));
}

/*
 * A new slot does not inherit the log of the old one. What is dropped with the old slot
 * may be named once, as it is unknown through which slot it was written.
 */
SECMMU_TEST_F(dirty, C2_replaced_slot)
{
	EXPECT_PUT(self->engine, GPA(5), 1);
	EXPECT_PUT(self->engine, GPA(6), 1);
	ASSERT_EQ(0, madvise(self->mem + 6 * PAGE, PAGE, MADV_DONTNEED));
	SET_SLOT(0, SECMMU_SLOT_LOG_DIRTY, BASE, 0, PAGES);
	ASSERT_EQ(0, secmmu_dirty_log(self->mirror, 0, 0, PAGES, self->log));
	/* Page 6 was in the old log, page 5 in an spte. */
	EXPECT_EQ(0, self->log[0] & ~(1ULL << 5));
	EXPECT_LOG();
	EXPECT_PUT(self->engine, GPA(7), 1);
	ASSERT_EQ(0, secmmu_delete_slot(self->mirror, 0));
	SET_SLOT(0, SECMMU_SLOT_LOG_DIRTY, BASE, 0, PAGES);
	EXPECT_LOG();
	/* The TLB remembers page 7 from before. */
	EXPECT_PUT(self->engine, GPA(7), 1);
	EXPECT_LOG(7);
}

static int log_of_parent(void *data)
{
	FIXTURE_DATA(dirty) *self = data;

	CHECK(secmmu_dirty_log(self->mirror, 0, 0, PAGES, self->log) == -EPERM);
	/* But what it writes is written by an engine of the mirror. */
	CHECK(!gpa_put(self->engine, GPA(9), 1));
	return 0;
}

SECMMU_TEST_F(dirty, D5_forked_child)
{
	EXPECT_PUT(self->engine, GPA(8), 1);
	EXPECT_EQ(0, child_wait(child_start(log_of_parent, self)));
	EXPECT_LOG(8, 9);
}

/* Pages that are mapped and clean, writable and not, and one that is not mapped. */
#define CLEAN	5L
#define READ	9L
#define MISSING	11L

static int make_clean(FIXTURE_DATA(dirty) *self)
{
	__u64 word;

	CHECK(!gpa_put(self->engine, GPA(CLEAN), label(CLEAN, 1)));
	CHECK(!gpa_get(self->engine, GPA(READ), &word));
	CHECK(!secmmu_dirty_log(self->mirror, 0, 0, PAGES, self->log));
	return 0;
}

/* What the key of the slot denies is not written, and the log does not name it. */
SECMMU_TEST_F(dirty, C4_denied)
{
	static const long page[] = { CLEAN, READ, MISSING };
	int key = key_alloc(self->mirror);
	size_t i, j;

	ASSERT_LT(0, key);
	SET_SLOT_IN(0, SECMMU_SLOT_LOG_DIRTY, key, 0, BASE, 0, PAGES);
	ASSERT_EQ(0, make_clean(self));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, rights_set(self->engine, i ? SECMMU_KEY_NO_ACCESS(key) :
							  SECMMU_KEY_NO_WRITE(key)));
		for (j = 0; j < ARRAY_SIZE(page); j++) {
			EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(page[j]), 1));
		}
	}
	EXPECT_LOG();
	EXPECT_EQ(label(CLEAN, 1), *word_at(self->mem, CLEAN));
	/* Nor does the TLB remember a write that was none. */
	ASSERT_EQ(0, rights_set(self->engine, 0));
	EXPECT_PUT(self->engine, GPA(CLEAN), label(CLEAN, 2));
	EXPECT_LOG(CLEAN);
}

/* A job that touches pages for writing writes none. */
SECMMU_TEST_F(dirty, C4_touched)
{
	struct secmmu_stats a, b;
	int engine, error;

	engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	ASSERT_EQ(0, make_clean(self));
	GET_STATS(a);
	ASSERT_EQ(0, job_start(engine, SECMMU_JOB_WRITE, GPA(CLEAN), 8 * PAGE, NULL));
	EXPECT_EQ(8 * PAGE, job_wait(engine, &error));
	EXPECT_EQ(0, error);
	EXPECT_LOG();
	/* It was all mapped, for writing. */
	EXPECT_PUT(self->engine, GPA(MISSING), label(MISSING, 1));
	GET_STATS(b);
	/* Eight windows of the job, in which nothing moved, and one. */
	EXPECT_DELTA(9, a, b, writes);
	EXPECT_LOG(MISSING);
	EXPECT_SINCE(0, b, faults);
	/* A job that has data writes. */
	ASSERT_EQ(0, job_start(engine, SECMMU_JOB_WRITE, GPA(READ), PAGE, self->mem));
	EXPECT_EQ(PAGE, job_wait(engine, &error));
	EXPECT_LOG(READ);
	close(engine);
}

TEST_HARNESS_MAIN
