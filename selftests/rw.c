// SPDX-License-Identifier: GPL-2.0
/* Transfers: sizes, vectors, errors, and kinds of memory. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "secmmu_harness.h"

#define PAGES	256	/* 1 MiB of 4 KiB pages */
#define BASE	0x10000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
#define WORDS	((int)(PAGE / sizeof(__u64)))
#define PASSES	2000	/* of looking for halves of words */

FIXTURE(rw)
{
	int dev, mirror, engine;
	char *mem;	/* mapped by slot 0, untouched */
	char *buf;	/* as large */
};

FIXTURE_SETUP(rw)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	self->buf = ASSERT_MEMORY(region_map(PAGES));
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(rw)
{
	region_unmap(self->buf, PAGES);
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

/* Bytes that differ within each page and, by whatever size, between pages. */
static void pattern(char *mem, long len, unsigned int seed)
{
	long i;

	for (i = 0; i < len; i++)
		mem[i] = (i * 31 + (i >> 12) * 7 + seed) & 0xff;
}

/* All bytes are @byte. */
static bool all_are(const char *mem, long len, char byte)
{
	long i;

	for (i = 0; i < len; i++) {
		if (mem[i] != byte)
			return false;
	}
	return true;
}

SECMMU_TEST_F(rw, sizes_and_offsets)
{
	const struct {
		long offset, len;
	} cases[] = {
		{ 0, 1 }, { 0, 8 }, { 3, 1 }, { 5, 8 }, { 0, PAGE },
		{ PAGE - 1, 1 }, { PAGE - 1, 2 }, { PAGE - 4, 8 },
		{ 1, PAGE }, { 100, 3 * PAGE }, { PAGE - 1, 2 * PAGE + 2 },
		{ 0, 17 * PAGE + 5 }, { 7, 65536 }, { 0, PAGES * PAGE },
	};
	const long margin = 16;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		long offset = cases[i].offset, len = cases[i].len;
		long room = PAGES * PAGE - margin;

		pattern(self->mem, PAGES * PAGE, i);
		memset(self->buf, POISON_BYTE, PAGES * PAGE);
		EXPECT_EQ(len, gpa_read(self->engine, self->buf, len, BASE + offset));
		EXPECT_EQ(0, memcmp(self->buf, self->mem + offset, len))
			TH_LOG("read case %zu", i);
		if (len <= room) {
			EXPECT_TRUE(all_are(self->buf + len, margin, (char)POISON_BYTE));
		}

		/* Written memory is exactly the range. */
		memset(self->mem, POISON_BYTE, PAGES * PAGE);
		pattern(self->buf, len, i + 100);
		EXPECT_EQ(len, gpa_write(self->engine, self->buf, len, BASE + offset));
		EXPECT_EQ(0, memcmp(self->mem + offset, self->buf, len))
			TH_LOG("write case %zu", i);
		EXPECT_TRUE(all_are(self->mem, offset, (char)POISON_BYTE));
		if (offset + len <= room) {
			EXPECT_TRUE(all_are(self->mem + offset + len, margin,
					    (char)POISON_BYTE));
		}
	}
}

SECMMU_TEST_F(rw, vectors)
{
	char *buf = self->buf;
	const struct iovec iov[] = {
		{ buf, 3 },
		{ buf + PAGE, 0 },
		{ buf + 2 * PAGE - 5, PAGE + 10 },
		{ buf + 8 * PAGE, 2 * PAGE },
	};
	const ssize_t total = 3 + PAGE + 10 + 2 * PAGE;
	const long start = PAGE - 100;
	long offset = start;
	size_t i;

	pattern(self->mem, 8 * PAGE, 1);
	EXPECT_EQ(total, preadv(self->engine, iov, ARRAY_SIZE(iov), BASE + start));
	for (i = 0; i < ARRAY_SIZE(iov); i++) {
		EXPECT_EQ(0, memcmp(iov[i].iov_base, self->mem + offset,
				    iov[i].iov_len)) TH_LOG("part %zu", i);
		offset += iov[i].iov_len;
	}

	memset(self->mem, 0, 8 * PAGE);
	pattern(buf, 16 * PAGE, 2);
	EXPECT_EQ(total, pwritev(self->engine, iov, ARRAY_SIZE(iov), BASE + start));
	offset = start;
	for (i = 0; i < ARRAY_SIZE(iov); i++) {
		EXPECT_EQ(0, memcmp(iov[i].iov_base, self->mem + offset,
				    iov[i].iov_len)) TH_LOG("part %zu", i);
		offset += iov[i].iov_len;
	}
}

SECMMU_TEST_F(rw, both_sides_see_writes)
{
	__u64 round;

	for (round = 1; round <= 100; round++) {
		long page = round % 5;

		*word_at(self->mem, page) = label(page, 2 * round);
		EXPECT_GPA(label(page, 2 * round), self->engine, GPA(page));
		EXPECT_PUT(self->engine, GPA(page), label(page, 2 * round + 1));
		EXPECT_EQ(label(page, 2 * round + 1), *word_at(self->mem, page));
	}
}

SECMMU_TEST_F(rw, untouched_memory)
{
	/* Two reads: the second may find what the first one left. */
	memset(self->buf, POISON_BYTE, 2 * PAGE);
	EXPECT_EQ(2 * PAGE, gpa_read(self->engine, self->buf, 2 * PAGE, GPA(0)));
	EXPECT_TRUE(all_are(self->buf, 2 * PAGE, 0));
	EXPECT_GPA(0, self->engine, GPA(0));

	/* The processor replaces the zero page it shared with the mirror. */
	*word_at(self->mem, 0) = label(0, 1);
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	/* And so does the mirror; the other page is still zero. */
	EXPECT_PUT(self->engine, GPA(1), label(1, 1));
	EXPECT_EQ(label(1, 1), *word_at(self->mem, 1));
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	/* First touched by a write through the mirror. */
	EXPECT_PUT(self->engine, GPA(2) + 8, label(2, 1));
	EXPECT_EQ(0, *word_at(self->mem, 2));
	EXPECT_EQ(label(2, 1), word_at(self->mem, 2)[1]);
	EXPECT_GPA(0, self->engine, GPA(3));
}

SECMMU_TEST_F(rw, permissions_of_the_process)
{
	*word_at(self->mem, 0) = label(0, 1);
	*word_at(self->mem, 1) = label(1, 1);
	*word_at(self->mem, 2) = label(2, 1);
	ASSERT_EQ(0, mprotect(self->mem, PAGE, PROT_READ));
	ASSERT_EQ(0, mprotect(self->mem + PAGE, PAGE, PROT_NONE));

	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(0), label(0, 2)));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(1));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(1), label(1, 2)));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));

	/* A transfer stops where the permission ends. */
	EXPECT_EQ(PAGE, gpa_read(self->engine, self->buf, 3 * PAGE, GPA(0)));
	EXPECT_EQ(-EFAULT, gpa_read(self->engine, self->buf, 2 * PAGE, GPA(1)));
	ASSERT_EQ(0, mprotect(self->mem + PAGE, PAGE, PROT_READ));
	EXPECT_EQ(label(1, 1), *word_at(self->mem, 1));
}

SECMMU_TEST_F(rw, buffer_bad)
{
	char *end = self->buf + PAGES * PAGE;

	pattern(self->mem, 4 * PAGE, 1);
	/* The guard page behind the buffer; and no memory at all. */
	EXPECT_EQ(-EFAULT, gpa_read(self->engine, end, 8, GPA(0)));
	EXPECT_EQ(-EFAULT, gpa_read(self->engine, NULL, 8, GPA(0)));
	memset(self->mem, POISON_BYTE, 4 * PAGE);
	EXPECT_EQ(-EFAULT, gpa_write(self->engine, end, 8, GPA(0)));
	EXPECT_EQ(-EFAULT, gpa_write(self->engine, NULL, 8, GPA(0)));
	EXPECT_TRUE(all_are(self->mem, 4 * PAGE, (char)POISON_BYTE));

	/* Two pages there, the third missing: a short count. */
	pattern(self->mem, 4 * PAGE, 2);
	memset(end - 2 * PAGE, 0, 2 * PAGE);
	EXPECT_EQ(2 * PAGE, gpa_read(self->engine, end - 2 * PAGE, 3 * PAGE, GPA(0)));
	EXPECT_EQ(0, memcmp(end - 2 * PAGE, self->mem, 2 * PAGE));
	memset(self->mem, POISON_BYTE, 4 * PAGE);
	pattern(end - 2 * PAGE, 2 * PAGE, 3);
	EXPECT_EQ(2 * PAGE, gpa_write(self->engine, end - 2 * PAGE, 3 * PAGE, GPA(0)));
	EXPECT_EQ(0, memcmp(end - 2 * PAGE, self->mem, 2 * PAGE));
	EXPECT_TRUE(all_are(self->mem + 2 * PAGE, 2 * PAGE, (char)POISON_BYTE));

	/* A buffer that may be read is no place to read into. */
	ASSERT_EQ(0, mprotect(self->buf, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, gpa_read(self->engine, self->buf, 8, GPA(0)));
	EXPECT_EQ(8, gpa_write(self->engine, self->buf, 8, GPA(0)));
}

/* The buffer is itself mirrored, and has to be faulted in. */
SECMMU_TEST_F(rw, buffer_in_the_mirror)
{
	*word_at(self->mem, 0) = label(0, 1);
	EXPECT_EQ(PAGE, gpa_read(self->engine, self->mem + PAGE, PAGE, GPA(0)));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 1));
	EXPECT_EQ(PAGE, gpa_write(self->engine, self->mem + PAGE, PAGE, GPA(2)));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 2));
	/* Onto itself, and from memory nobody has touched. */
	EXPECT_EQ(PAGE, gpa_read(self->engine, self->mem, PAGE, GPA(0)));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 0));
	EXPECT_EQ(PAGE, gpa_write(self->engine, self->mem + 9 * PAGE, PAGE, GPA(0)));
	EXPECT_EQ(0, *word_at(self->mem, 0));
}

SECMMU_TEST_F(rw, lengths_and_positions_at_the_edge)
{
	char byte = POISON_BYTE;

	EXPECT_EQ(0, gpa_read(self->engine, &byte, 0, GPA(0)));
	EXPECT_EQ(0, gpa_write(self->engine, &byte, 0, GPA(0)));
	EXPECT_EQ(-EINVAL, gpa_read(self->engine, &byte, 1, -1));
	EXPECT_EQ(-EINVAL, gpa_write(self->engine, &byte, 1, -1));
	EXPECT_EQ(-EINVAL, gpa_read(self->engine, &byte, 1, 1ULL << 63));
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, &byte, 1, 1ULL << SECMMU_GPA_BITS));
	EXPECT_EQ(-ENXIO, gpa_write(self->engine, &byte, 1, 1ULL << SECMMU_GPA_BITS));
	/* No address bit is ignored. */
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, &byte, 1, GPA(0) | 1ULL << SECMMU_GPA_BITS));
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, &byte, 1, GPA(0) | 1ULL << 62));
	EXPECT_EQ((char)POISON_BYTE, byte);
}

SECMMU_TEST_F(rw, counters)
{
	struct secmmu_stats a, b;

	GET_STATS(a);
	EXPECT_EQ(2 * PAGE, gpa_read(self->engine, self->buf, 2 * PAGE, GPA(0)));
	EXPECT_EQ(PAGE, gpa_write(self->engine, self->buf, PAGE, GPA(7)));
	GET_STATS(b);
	/* A window moves one page at most. */
	EXPECT_DELTA(2, a, b, reads);
	EXPECT_DELTA(1, a, b, writes);
	EXPECT_LE(2, b.faults - a.faults);
	EXPECT_LE(3, b.fault_pages - a.fault_pages);
	EXPECT_LT(0, b.tables);
}

/* A processor that changes all words of a page from one value to the other. */
struct flipper {
	__u64 *words;
	atomic_bool stop;
};

static void *flip(void *data)
{
	struct flipper *flipper = data;
	__u64 value = 0;
	int i;

	while (!atomic_load(&flipper->stop)) {
		value = ~value;
		for (i = 0; i < WORDS; i++)
			__atomic_store_n(&flipper->words[i], value, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* How many of the words are neither the one nor the other? */
static int count_halves(const __u64 *words, int first)
{
	int i, halves = 0;

	for (i = first; i < WORDS; i++) {
		__u64 word = __atomic_load_n(&words[i], __ATOMIC_RELAXED);

		halves += word != 0 && word != ~0ULL;
	}
	return halves;
}

SECMMU_TEST_F(rw, aligned_words_are_read_whole)
{
	struct flipper flipper = { .words = (__u64 *)self->mem };
	pthread_t thread;
	int i, halves = 0, head;
	__u64 words[WORDS];

	memset(self->mem, 0, PAGE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flip, &flipper));
	for (i = 0; i < PASSES; i++) {
		/* Also when the transfer starts inside a word. */
		head = i % sizeof(__u64);
		halves += gpa_read(self->engine, (char *)words + head,
				   PAGE - head, GPA(0) + head) != PAGE - head;
		halves += count_halves(words, !!head);
	}
	atomic_store(&flipper.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, halves);
}

/* Reads words while they are written; counts halves. */
struct watcher {
	const __u64 *words;
	atomic_bool stop;
	int halves;
};

static void *watch(void *data)
{
	struct watcher *watcher = data;

	while (!atomic_load(&watcher->stop))
		watcher->halves += count_halves(watcher->words, 1);
	return NULL;
}

SECMMU_TEST_F(rw, aligned_words_are_written_whole)
{
	struct watcher watcher = { .words = (__u64 *)self->mem };
	pthread_t thread;
	__u64 words[WORDS];
	int i, head;

	memset(self->mem, 0, PAGE);
	ASSERT_EQ(0, pthread_create(&thread, NULL, watch, &watcher));
	for (i = 0; i < PASSES; i++) {
		memset(words, i & 1 ? 0 : 0xff, sizeof(words));
		head = i % sizeof(__u64);
		EXPECT_EQ(PAGE - head, gpa_write(self->engine, (char *)words + head,
						 PAGE - head, GPA(0) + head));
	}
	atomic_store(&watcher.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, watcher.halves);
}

TEST_HARNESS_MAIN
