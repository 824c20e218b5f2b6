// SPDX-License-Identifier: GPL-2.0
/*
 * One event over several spans: slots that show the same page, or pages next to each
 * other. Around the number that is collected at once, and far beyond it: each span's
 * entries go, each once, with the flushes of one event.
 */
#include "secmmu_harness.h"

#define SPANS	41L
/* A page in front of all spans, and one behind. */
#define PAGES	(3 * SPANS + 2)
#define BASE	0x100000000ULL
/* Each place lies in a table of its own. */
#define PLACE(n)	(BASE + (n) * (PAGE << 9) + 7 * PAGE)

static const long counts[] = { 1, 7, 8, 9, SPANS };

REGION_FIXTURE(spans, PAGES)

FIXTURE_VARIANT(spans)
{
	__u32 policy, batch;
};

FIXTURE_VARIANT_ADD(spans, range) { .policy = SECMMU_FLUSH_RANGE };
FIXTURE_VARIANT_ADD(spans, array_3) { .policy = SECMMU_FLUSH_ARRAY, .batch = 3 };
FIXTURE_VARIANT_ADD(spans, array_8) { .policy = SECMMU_FLUSH_ARRAY, .batch = 8 };
FIXTURE_VARIANT_ADD(spans, each) { .policy = SECMMU_FLUSH_EACH };

FIXTURE_SETUP(spans)
{
	SECMMU_SETUP(variant->policy, variant->batch);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
}

static void fill_memory(FIXTURE_DATA(spans) *self)
{
	pages_label(self->mem, 0, PAGES, 1);
}

/* @pages pages of memory from @page on, at @gpa, in domains @domains. */
static void add_slot(TEST_ARGS(spans), long slot, __u64 gpa, long page, long pages,
		     __u32 domains)
{
	SET_SLOT_IN(slot, 0, 0, domains, gpa, page, pages);
}

static void delete_slots(TEST_ARGS(spans), long slots)
{
	long i;

	for (i = 0; i < slots; i++) {
		ASSERT_EQ(0, secmmu_delete_slot(self->mirror, i));
	}
}

static void touch(TEST_ARGS(spans), __u64 gpa, long page)
{
	EXPECT_GPA(label(page, 1), self->engine, gpa);
}

/* Discards pages; @n entries go, and @tables tables are left. */
static void discard(VARIANT_ARGS(spans), long page, long pages, long n, long tables)
{
	struct secmmu_stats a, b;

	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + page * PAGE, pages * PAGE, MADV_DONTNEED));
	GET_STATS(b);
	if (b.zapped - a.zapped != (__u64)n ||
	    b.flushes - a.flushes != flushes_for(variant->policy, variant->batch, n) ||
	    b.tables != (__u64)tables)
		TH_LOG("of %ld entries:", n);
	EXPECT_DELTA(n, a, b, zapped);
	EXPECT_DELTA(!!n, a, b, zap_events);
	EXPECT_DELTA(flushes_for(variant->policy, variant->batch, n), a, b, flushes);
	EXPECT_DELTA(0, a, b, assists);
	EXPECT_DELTA(0, a, b, replays);
	EXPECT_EQ((__u64)tables, b.tables);
}

/* All show one page; which is first in the tree says nothing of where it is shown. */
SECMMU_TEST_F(spans, B1_aliases)
{
	size_t n;
	long i;

	for (n = 0; n < ARRAY_SIZE(counts); n++) {
		fill_memory(self);
		for (i = 0; i < counts[n]; i++) {
			add_slot(_metadata, self, i, PLACE(i * 37 % SPANS), 5, 1, 0);
			touch(_metadata, self, PLACE(i * 37 % SPANS), 5);
		}
		discard(_metadata, self, variant, 5, 1, counts[n], 1);
		for (i = 0; i < counts[n]; i++)
			EXPECT_GPA(0, self->engine, PLACE(i * 37 % SPANS));
		delete_slots(_metadata, self, counts[n]);
	}
}

/* Some of them have nothing there. */
SECMMU_TEST_F(spans, B1_sparse_aliases)
{
	size_t n;
	long i, used;

	for (n = 0; n < ARRAY_SIZE(counts); n++) {
		fill_memory(self);
		used = 0;
		for (i = 0; i < counts[n]; i++) {
			add_slot(_metadata, self, i, PLACE(i), 5, 1, 0);
			if (i % 3 != 2)
				continue;
			touch(_metadata, self, PLACE(i), 5);
			used++;
		}
		discard(_metadata, self, variant, 5, 1, used, 1);
		delete_slots(_metadata, self, counts[n]);
	}
}

/* The neighbours of an event: what its spans have beside it, and spans beside those. */
static void check_neighbours(VARIANT_ARGS(spans), long n, bool down)
{
	const long slots = n + 2;
	struct secmmu_stats a;
	long i, j;
	__u64 gpa;

	fill_memory(self);
	/* Slot i: pages 3 i to 3 i + 2; in the mirror upwards, or downwards. */
	for (i = 0; i < slots && 3 * i + 2 < PAGES; i++) {
		gpa = PLACE(down ? slots - i : i);
		add_slot(_metadata, self, i, gpa, 3 * i, 3, 0);
		for (j = 0; j < 3; j++)
			touch(_metadata, self, gpa + j * PAGE, 3 * i + j);
	}
	/* The last page of the first slot, up to the first one of the last slot. */
	discard(_metadata, self, variant, 2, 3 * n + 2, 3 * n + 2, 2 + 2 + 1);
	GET_STATS(a);
	gpa = PLACE(down ? slots : 0);
	touch(_metadata, self, gpa, 0);
	touch(_metadata, self, gpa + PAGE, 1);
	i = slots - 1;
	gpa = PLACE(down ? slots - i : i);
	touch(_metadata, self, gpa + PAGE, 3 * i + 1);
	touch(_metadata, self, gpa + 2 * PAGE, 3 * i + 2);
	EXPECT_SINCE(0, a, faults);
	EXPECT_GPA(0, self->engine, gpa);
	delete_slots(_metadata, self, slots);
}

SECMMU_TEST_F(spans, B1_neighbours)
{
	/* With the two at the ends these are 3, 7, 8, 9 and 41. */
	static const long inner[] = { 1, 5, 6, 7, SPANS - 2 };
	size_t n;

	for (n = 0; n < ARRAY_SIZE(inner); n++) {
		check_neighbours(_metadata, self, variant, inner[n], false);
		check_neighbours(_metadata, self, variant, inner[n], true);
	}
}

/* The same page in all domains, through each of the spans. */
SECMMU_TEST_F(spans, B1_aliases_in_domains)
{
	const long domains = SECMMU_MAX_DOMAINS;
	size_t n;
	long i, d;

	for (d = 1; d < domains; d++) {
		ASSERT_EQ(0, domain_create(self->mirror, d));
	}
	for (n = 0; n < ARRAY_SIZE(counts); n++) {
		fill_memory(self);
		for (i = 0; i < counts[n]; i++) {
			add_slot(_metadata, self, i, PLACE(SPANS - i), 5, 1,
				 (1U << domains) - 1);
		}
		for (d = 0; d < domains; d++) {
			ASSERT_EQ(0, domain_enter(self->engine, d));
			for (i = 0; i < counts[n]; i++)
				touch(_metadata, self, PLACE(SPANS - i), 5);
		}
		discard(_metadata, self, variant, 5, 1, domains * counts[n], domains);
		delete_slots(_metadata, self, counts[n]);
	}
}

/* Two mirrors of the memory, with as many spans each: both are visited as a whole. */
SECMMU_TEST_F(spans, B1_two_mirrors)
{
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0), engine;
	struct secmmu_stats a, b;
	size_t n;
	long i;

	ASSERT_LE(0, mirror);
	engine = NEW_ENGINE(mirror);
	for (n = 0; n < ARRAY_SIZE(counts); n++) {
		fill_memory(self);
		for (i = 0; i < counts[n]; i++) {
			add_slot(_metadata, self, i, PLACE(i), 5, 1, 0);
			touch(_metadata, self, PLACE(i), 5);
			ASSERT_EQ(0, secmmu_set_slot(mirror, i, 0, PLACE(i),
						     self->mem + 5 * PAGE, PAGE));
			EXPECT_GPA(label(5, 1), engine, PLACE(i));
		}
		ASSERT_EQ(0, secmmu_get_stats(mirror, &a));
		discard(_metadata, self, variant, 5, 1, counts[n], 1);
		ASSERT_EQ(0, secmmu_get_stats(mirror, &b));
		EXPECT_DELTA(counts[n], a, b, zapped);
		EXPECT_DELTA(1, a, b, zap_events);
		EXPECT_DELTA(1, a, b, flushes);
		EXPECT_EQ(1, b.tables);
		for (i = 0; i < counts[n]; i++)
			EXPECT_GPA(0, engine, PLACE(i));
		delete_slots(_metadata, self, counts[n]);
		for (i = 0; i < counts[n]; i++) {
			ASSERT_EQ(0, secmmu_delete_slot(mirror, i));
		}
	}
	close(engine);
	close(mirror);
}

/* Each slot has a log of its own, and the event finds it. */
SECMMU_TEST_F(spans, C2_logs)
{
	__u64 log;
	size_t n;
	long i;

	for (n = 0; n < ARRAY_SIZE(counts); n++) {
		fill_memory(self);
		for (i = 0; i < counts[n]; i++) {
			SET_SLOT(i, SECMMU_SLOT_LOG_DIRTY, PLACE(i), 4, 3);
			touch(_metadata, self, PLACE(i) + PAGE, 5);
			if (i % 2)
				EXPECT_PUT(self->engine, PLACE(i) + PAGE, label(5, 1));
		}
		discard(_metadata, self, variant, 5, 1, counts[n], 1);
		for (i = 0; i < counts[n]; i++) {
			ASSERT_EQ(0, secmmu_dirty_log(self->mirror, i, 0, 3, &log));
			EXPECT_EQ(i % 2 ? 2 : 0, log) TH_LOG("slot %ld of %ld", i, counts[n]);
		}
		delete_slots(_metadata, self, counts[n]);
	}
}

TEST_HARNESS_MAIN
