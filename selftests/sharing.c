// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that may be read but not written for now: merged by the kernel, or
 * write-protected behind the process's back. A write through the mirror ends
 * that as the process's own write would, and does not loop.
 */
#include <fcntl.h>
#include <pthread.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define PAGES	8L
#define BASE	0x110000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define KSM	"/sys/kernel/mm/ksm/"

FIXTURE(sharing)
{
	int dev, mirror, engine;
	char *mem;	/* page i starts with label(i, 1); writable entries */
	long ksm_run, ksm_sleep;
};

FIXTURE_SETUP(sharing)
{
	long i;

	self->ksm_run = -1;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	SET_SLOT(0, 0, BASE, 0, PAGES);
	for (i = 0; i < PAGES; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 1));
}

FIXTURE_TEARDOWN(sharing)
{
	if (self->ksm_run >= 0) {
		number_write(KSM "sleep_millisecs", self->ksm_sleep);
		number_write(KSM "run", self->ksm_run);
	}
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

/* An upgrade is one fault, repeated once if it raised an event itself. */
#define EXPECT_ONE_UPGRADE(a, b)					\
do {									\
	EXPECT_DELTA(1, a, b, faults);					\
	EXPECT_GE(1, (b).retries - (a).retries);			\
	EXPECT_GE(1, (b).zapped - (a).zapped);				\
} while (0)

SECMMU_TEST_F(sharing, C3_read_only_upgrade)
{
	struct secmmu_stats a, b;
	long i;

	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	for (i = 0; i < PAGES; i++) {
		/* The page of zeroes, which everybody shares. */
		EXPECT_GPA(0, self->engine, GPA(i));
		GET_STATS(a);
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
		GET_STATS(b);
		EXPECT_ONE_UPGRADE(a, b);
		EXPECT_EQ(label(i, 2), *word_at(self->mem, i));
	}
}

/* Waits until the kernel has merged pages of this process. */
static bool wait_for_merge(void)
{
	long end = now_ms() + secmmu_limit_ms() / 2;

	do {
		if (number_read("/proc/self/ksm_merging_pages", "") > 0)
			return true;
		sleep_ms(20);
	} while (now_ms() < end);
	return false;
}

SECMMU_TEST_F(sharing, C3_merge)
{
	struct secmmu_stats a, b;

	if (!inside_or_told())
		SKIP(return, SECMMU_REFUSED("has the kernel merge pages"));
	self->ksm_run = number_read(KSM "run", "");
	if (self->ksm_run < 0)
		SKIP(return, "this kernel does not merge pages");
	self->ksm_sleep = number_read(KSM "sleep_millisecs", "");
	EXPECT_PUT(self->engine, GPA(1), label(0, 1));
	ASSERT_EQ(0, madvise(self->mem, 2 * PAGE, MADV_MERGEABLE));
	GET_STATS(a);
	ASSERT_EQ(0, number_write(KSM "sleep_millisecs", 5));
	ASSERT_EQ(0, number_write(KSM "run", 1));
	ASSERT_TRUE(wait_for_merge());
	ASSERT_EQ(0, number_write(KSM "run", 0));

	/* Both entries went, and could write. */
	GET_STATS(b);
	EXPECT_LE(2, b.zapped - a.zapped);
	EXPECT_DELTA(0, a, b, unpaired);
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_GPA(label(0, 1), self->engine, GPA(1));

	/* From here on they are one page, until one of them is written. */
	GET_STATS(a);
	EXPECT_PUT(self->engine, GPA(0), label(0, 2));
	GET_STATS(b);
	EXPECT_ONE_UPGRADE(a, b);
	EXPECT_GPA(label(0, 2), self->engine, GPA(0));
	EXPECT_GPA(label(0, 1), self->engine, GPA(1));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, 0));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 1));
	/* The processor's write is followed, too. */
	*word_at(self->mem, 1) = label(1, 3);
	EXPECT_GPA(label(1, 3), self->engine, GPA(1));
	EXPECT_GPA(label(0, 2), self->engine, GPA(0));
}

struct writer {
	int engine, ret;
	__u64 gpa, value;
};

static void *write_one(void *data)
{
	struct writer *writer = data;

	writer->ret = gpa_put(writer->engine, writer->gpa, writer->value);
	return NULL;
}

/* The write waits until the one who forbade it has been asked. */
SECMMU_TEST_F(sharing, C3_userfaultfd_write_protect)
{
	struct writer writer = { .gpa = GPA(2), .value = label(2, 2) };
	struct secmmu_stats a, b;
	pthread_t thread;
	int uffd = uffd_open(UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	if (uffd == -EINVAL || uffd == -ENOSYS)
		SKIP(return, "this kernel's userfaultfd has no write protection");
	ASSERT_LE(0, uffd);
	ASSERT_EQ(0, uffd_register(uffd, self->mem, PAGES, UFFDIO_REGISTER_MODE_WP));
	GET_STATS(a);
	ASSERT_EQ(0, uffd_protect(uffd, self->mem + 2 * PAGE, 2, true));
	EXPECT_SINCE(2, a, zapped);

	/* Reading is free. */
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_GPA(label(3, 1), self->engine, GPA(3));
	EXPECT_EQ(NULL, uffd_wait(uffd, 0));
	EXPECT_PUT(self->engine, GPA(4), label(4, 2));

	GET_STATS(a);
	writer.engine = secmmu_create_engine(self->mirror);
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_one, &writer));
	EXPECT_EQ(self->mem + 2 * PAGE, uffd_wait(uffd, 30000));
	/* Not yet written, and others may read meanwhile. */
	EXPECT_EQ(label(2, 1), *word_at(self->mem, 2));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_EQ(0, uffd_protect(uffd, self->mem + 2 * PAGE, 1, false));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, writer.ret);
	GET_STATS(b);
	EXPECT_GE(2, b.retries - a.retries);
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
	EXPECT_EQ(label(2, 2), *word_at(self->mem, 2));
	EXPECT_EQ(NULL, uffd_wait(uffd, 0));
	close(writer.engine);
	close(uffd);
	/* With the descriptor the protection went. */
	EXPECT_PUT(self->engine, GPA(3), label(3, 2));
	EXPECT_EQ(label(3, 2), *word_at(self->mem, 3));
}

/* Who looks for changed pages in the page table finds the engines' writes. */
SECMMU_TEST_F(sharing, C3_soft_dirty)
{
	*word_at(self->mem, 0) = label(0, 1);
	if (!(page_state(self->mem) & PAGE_SOFT_DIRTY))
		SKIP(return, "this kernel has no soft-dirty bits, as all for arm64");
	ASSERT_EQ(0, text_write("/proc/self/clear_refs", "4"));
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	ASSERT_EQ(0, pages_with(self->mem, PAGES, PAGE_SOFT_DIRTY));
	/* It had a writable entry in its TLB. */
	EXPECT_PUT(self->engine, GPA(3), label(3, 2));
	EXPECT_PUT(self->engine, GPA(6), label(6, 2));
	EXPECT_EQ(2, pages_with(self->mem, PAGES, PAGE_SOFT_DIRTY));
	EXPECT_NE(0, page_state(self->mem + 3 * PAGE) & PAGE_SOFT_DIRTY);
	EXPECT_NE(0, page_state(self->mem + 6 * PAGE) & PAGE_SOFT_DIRTY);
	EXPECT_EQ(label(3, 2), *word_at(self->mem, 3));
}

TEST_HARNESS_MAIN
