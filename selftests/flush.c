// SPDX-License-Identifier: GPL-2.0
/*
 * The ledger of flushes: how many an event costs under each policy, to the
 * last one. Nothing else may disturb this memory, so huge pages are off.
 */
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>

#include "secmmu_harness.h"

#define BASE	0x50000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* Pages of the region, without the sentinels before and after them. */
#define MAX_PAGES	(SECMMU_MAX_FLUSH_BATCH + 1)

FIXTURE(flush)
{
	int dev, mirror, engine;
	char *mem;
	long pages;
};

FIXTURE_VARIANT(flush)
{
	__u32 policy, batch;
};

FIXTURE_VARIANT_ADD(flush, range) { .policy = SECMMU_FLUSH_RANGE };
FIXTURE_VARIANT_ADD(flush, array_1) { .policy = SECMMU_FLUSH_ARRAY, .batch = 1 };
FIXTURE_VARIANT_ADD(flush, array_7) { .policy = SECMMU_FLUSH_ARRAY, .batch = 7 };
FIXTURE_VARIANT_ADD(flush, array_32) { .policy = SECMMU_FLUSH_ARRAY, .batch = 32 };
FIXTURE_VARIANT_ADD(flush, array_512) { .policy = SECMMU_FLUSH_ARRAY, .batch = 512 };
FIXTURE_VARIANT_ADD(flush, array_4096) { .policy = SECMMU_FLUSH_ARRAY, .batch = 4096 };
FIXTURE_VARIANT_ADD(flush, each) { .policy = SECMMU_FLUSH_EACH };

/* A region of @pages between two sentinels, and a slot for all of it. */
static int map_pages(FIXTURE_DATA(flush) *self, long pages)
{
	self->mem = region_map(pages + 2);
	if (!self->mem)
		return -ENOMEM;
	self->pages = pages + 2;
	return secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, self->pages * PAGE);
}

FIXTURE_SETUP(flush)
{
	SECMMU_SETUP(variant->policy, variant->batch);
	ASSERT_EQ(0, map_pages(self, MAX_PAGES));
}

FIXTURE_TEARDOWN(flush)
{
	region_unmap(self->mem, self->pages);
	SECMMU_TEARDOWN();
}

/* Puts pages [@first, @end) into the mirror, backed by memory of their own. */
static int populate(FIXTURE_DATA(flush) *self, long first, long end)
{
	struct secmmu_prefault range = {
		.size = sizeof(range),
		.gpa = GPA(first),
		.length = (end - first) * PAGE,
	};
	long i;
	int ret;

	for (i = first; i < end; i++)
		*word_at(self->mem, i) = label(i, 1);
	while (range.length) {
		ret = ioctl(self->mirror, SECMMU_PREFAULT, &range);
		if (ret)
			return -errno;
	}
	return 0;
}

/* Tables for the first page and for page @last, with nothing between them. */
static __u64 tables_for(long last)
{
	const long first = BASE / PAGE;
	const long block = PAGE / sizeof(__u64);
	__u64 tables = 2;
	long pages;

	/* Below the two of which there is one anyhow. */
	for (pages = block; pages <= block * block; pages *= block)
		tables += 1 + (first / pages != (first + last) / pages);
	return tables;
}

/*
 * Drops @n pages of memory, all of which the mirror has, and compares the counters. The
 * sentinels must still be there, without another fault, and no table but theirs.
 */
static void drop(VARIANT_ARGS(flush), long n)
{
	struct secmmu_stats a, b;

	/* What is left of an earlier time. */
	ASSERT_EQ(0, madvise(self->mem, self->pages * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, populate(self, 0, n + 2));
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + PAGE, n * PAGE, MADV_DONTNEED));
	GET_STATS(b);

	if (b.zapped - a.zapped != (__u64)n ||
	    b.flushes - a.flushes != flushes_for(variant->policy, variant->batch, n)) {
		TH_LOG("of %ld pages:", n);
	}
	EXPECT_DELTA(n, a, b, zapped);
	EXPECT_DELTA(1, a, b, zap_events);
	EXPECT_DELTA(flushes_for(variant->policy, variant->batch, n), a, b, flushes);
	EXPECT_DELTA(0, a, b, assists);
	EXPECT_DELTA(0, a, b, unpaired);
	EXPECT_EQ(tables_for(n + 1), b.tables);

	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_GPA(label(n + 1, 1), self->engine, GPA(n + 1));
	EXPECT_SINCE(0, b, fault_pages);
	EXPECT_GPA(0, self->engine, GPA(1));
	EXPECT_GPA(0, self->engine, GPA(n));
}

SECMMU_TEST_F_TIMEOUT(flush, B1_flushes_per_event, SECMMU_TIMEOUT_LONG)
{
	/* For the policies without a batch, a number as good as any. */
	long k = variant->batch ?: 16;
	const long counts[] = { 1, k - 1, k, k + 1, 2 * k, 1025 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		if (counts[i] < 1 || counts[i] > MAX_PAGES)
			continue;
		drop(_metadata, self, variant, counts[i]);
	}
}

SECMMU_TEST_F(flush, B1_nothing_dropped_nothing_flushed)
{
	struct secmmu_stats a, b;

	/* Present in the process, unknown to the mirror. */
	memset(self->mem, 1, 64 * PAGE);
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem, 64 * PAGE, MADV_DONTNEED));
	GET_STATS(b);
	EXPECT_LE(1, b.events - a.events);
	EXPECT_DELTA(0, a, b, zap_events);
	EXPECT_DELTA(0, a, b, zapped);
	EXPECT_DELTA(0, a, b, flushes);
	EXPECT_DELTA(0, a, b, interrupts);

	/* Known once, and dropped already. */
	ASSERT_EQ(0, populate(self, 0, 8));
	ASSERT_EQ(0, madvise(self->mem, 8 * PAGE, MADV_DONTNEED));
	memset(self->mem, 1, 8 * PAGE);
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem, 8 * PAGE, MADV_DONTNEED));
	EXPECT_DROPPED(0, 0, a);
}

/* Only mapped pages count, anywhere in the range. */
SECMMU_TEST_F(flush, B1_sparse)
{
	struct secmmu_stats a;
	long i, n = 0;

	for (i = 0; i < MAX_PAGES; i += 61) {
		ASSERT_EQ(0, populate(self, i, i + 1));
		n++;
	}
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem, MAX_PAGES * PAGE, MADV_DONTNEED));
	EXPECT_SINCE(n, a, zapped);
	EXPECT_SINCE(1, a, zap_events);
	EXPECT_SINCE(flushes_for(variant->policy, variant->batch, n), a, flushes);
}

/* Aliases are entries of their own. */
SECMMU_TEST_F(flush, B1_aliases)
{
	struct secmmu_stats a;
	long i, n = 9;

	SET_SLOT(1, 0, GPA(2 * MAX_PAGES), 0, n);
	ASSERT_EQ(0, populate(self, 0, n));
	for (i = 0; i < n; i++)
		EXPECT_GPA(label(i, 1), self->engine, GPA(2 * MAX_PAGES + i));
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem, n * PAGE, MADV_DONTNEED));
	EXPECT_SINCE(2 * n, a, zapped);
	EXPECT_SINCE(1, a, zap_events);
	EXPECT_SINCE(flushes_for(variant->policy, variant->batch, 2 * n), a, flushes);
}

static int exit_at_once(void *arg)
{
	(void)arg;
	return 0;
}

/* Events of every kind are flushed by the same rule. */
SECMMU_TEST_F(flush, B1_all_kinds_of_events)
{
	struct secmmu_stats a, b;
	char *mem = self->mem;

	/* To split a mapping, the kernel announces whole blocks in it: let it have none. */
	ASSERT_EQ(0, munmap(mem + 100 * PAGE, PAGE));
	ASSERT_EQ(0, populate(self, 0, 12));
	GET_STATS(a);
	ASSERT_EQ(0, mprotect(mem, 2 * PAGE, PROT_READ));
	ASSERT_EQ(0, munmap(mem + 2 * PAGE, PAGE));
	ASSERT_EQ(0, region_replace(mem, 3, 1, PROT_READ | PROT_WRITE));
	ASSERT_NE(MAP_FAILED, mremap(mem + 4 * PAGE, PAGE, PAGE,
				     MREMAP_MAYMOVE | MREMAP_FIXED, mem + 2 * PAGE));
	ASSERT_EQ(0, madvise(mem + 5 * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, child_wait(child_start(exit_at_once, NULL)));
	GET_STATS(b);

	EXPECT_LE(4, b.zap_events - a.zap_events);
	EXPECT_LE(6, b.zapped - a.zapped);
	EXPECT_DELTA(0, a, b, assists);
	EXPECT_DELTA(0, a, b, unpaired);
	if (variant->policy == SECMMU_FLUSH_RANGE) {
		EXPECT_DELTA(b.zap_events - a.zap_events, a, b, flushes);
	}
	if (variant->policy == SECMMU_FLUSH_EACH || variant->batch == 1) {
		EXPECT_DELTA(b.zapped - a.zapped, a, b, flushes);
	}
}

/*
 * An engine without an open window costs no interrupt, wherever it ran: it
 * notices when it next opens one.
 */
SECMMU_TEST_F(flush, B6_idle_engine_not_interrupted)
{
	struct secmmu_stats a;
	cpu_set_t all, one;
	int cpu, used = 0;

	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	for (cpu = 0; cpu < CPU_SETSIZE && used < 4; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
		ASSERT_EQ(0, populate(self, 4 * used, 4 * used + 4));
		used++;
	}
	if (used < 2)
		TH_LOG("one processor: there is nobody to interrupt");

	/* On the last of these processors; the others used the engine, too. */
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem, 4 * used * PAGE, MADV_DONTNEED));
	EXPECT_DROPPED(4 * used, flushes_for(variant->policy, variant->batch, 4 * used), a);
	EXPECT_SINCE(0, a, interrupts);
	EXPECT_GPA(0, self->engine, GPA(0));
	EXPECT_GPA(0, self->engine, GPA(4 * used - 1));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
}

#define LONG_PAGES	(1L << 18)

SECMMU_TEST_F_TIMEOUT(flush, B1_long_range, SECMMU_TIMEOUT_LONG)
{
	struct sysinfo info;

	ASSERT_EQ(0, sysinfo(&info));
	if ((__u64)info.freeram * info.mem_unit < 5ULL << 28)
		SKIP(return, "less than 1.25 GiB free");

	region_unmap(self->mem, self->pages);
	ASSERT_EQ(0, map_pages(self, LONG_PAGES));
	drop(_metadata, self, variant, LONG_PAGES);
}

TEST_HARNESS_MAIN
