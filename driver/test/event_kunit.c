// SPDX-License-Identifier: GPL-2.0
/* Events in flight: each is recorded, ends once, and beyond the pool there is a hull. */
#include <kunit/test.h>

#include "record_kunit.h"

#define BASE		0x7000000UL

static int event_init(struct kunit *test)
{
	struct secmmu_records *records = kunit_kzalloc(test, sizeof(*records),
						       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, records);
	secmmu_records_init(records);
	test->priv = records;
	return 0;
}

/* A4: begins and ends match as a multiset of ranges. */
static void A4_multiset(struct kunit *test)
{
	struct secmmu_records *records = test->priv;

	secmmu_event_begin(records, 100, 200);
	secmmu_event_begin(records, 100, 200);
	secmmu_event_begin(records, 100, 300);
	secmmu_event_begin(records, 150, 160);
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, 100, 200));
	KUNIT_EXPECT_EQ(test, first_covered(records, 0, 500), 100);
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, 100, 300));
	KUNIT_EXPECT_FALSE(test, is_covered(records, 201, 300));
	KUNIT_EXPECT_TRUE(test, is_covered(records, 200, 300));
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, 100, 200));
	KUNIT_EXPECT_EQ(test, first_covered(records, 0, 500), 150);
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, 150, 160));
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, records->nr_events, 4);
	KUNIT_EXPECT_EQ(test, records->nr_unpaired, 0);
}

/* A10: events are recorded as they come; the lowest address covered comes out all the same. */
static void A10_lowest(struct kunit *test)
{
	static const unsigned long begins[] = { 400, 200, 500, 100, 300 };
	struct secmmu_records *records = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(begins); i++)
		secmmu_event_begin(records, begins[i], begins[i] + 50);
	KUNIT_EXPECT_EQ(test, first_covered(records, 120, ULONG_MAX), 120);
	KUNIT_EXPECT_EQ(test, first_covered(records, 151, ULONG_MAX), 200);
	for (i = 1; i <= ARRAY_SIZE(begins); i++) {
		KUNIT_EXPECT_EQ(test, first_covered(records, 0, ULONG_MAX), i * 100);
		KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, i * 100, i * 100 + 50));
		KUNIT_EXPECT_FALSE(test, is_covered(records, i * 100, i * 100 + 50));
	}
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
}

/*
 * A18: of events with the same range the oldest ends first. If another went, the record of
 * the oldest would stay while events follow each other without a gap.
 */
static void A18_oldest_first(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	unsigned int i;

	secmmu_event_begin(records, 0, 50);
	secmmu_event_begin(records, 100, 200);
	for (i = 0; i < 100; i++) {
		secmmu_event_begin(records, 100, 200);
		KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, 100, 200));
		KUNIT_ASSERT_EQ(test, records->nr_recorded, 2);
		KUNIT_EXPECT_EQ(test, records->events[0].nr, 1);
		KUNIT_EXPECT_EQ(test, records->events[1].nr, records->nr_events);
	}
}

/* A5: near enough is not a match. */
static void A5_unpaired(struct kunit *test)
{
	struct secmmu_records *records = test->priv;

	KUNIT_EXPECT_FALSE(test, secmmu_event_end(records, 100, 200));
	secmmu_event_begin(records, 100, 200);
	KUNIT_EXPECT_FALSE(test, secmmu_event_end(records, 100, 199));
	KUNIT_EXPECT_FALSE(test, secmmu_event_end(records, 101, 200));
	KUNIT_EXPECT_FALSE(test, secmmu_event_end(records, 0, ULONG_MAX));
	KUNIT_EXPECT_TRUE(test, is_covered(records, 100, 100));
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, 100, 200));
	KUNIT_EXPECT_FALSE(test, secmmu_event_end(records, 100, 200));
	KUNIT_EXPECT_EQ(test, records->nr_unpaired, 5);
	KUNIT_EXPECT_EQ(test, records->nr_events, 1);
}

/* Where event I of many lies: far from all others. */
static unsigned long spot_at(unsigned int i)
{
	return BASE + i * 0x100000UL;
}

static void begin_spots(struct secmmu_records *records, unsigned int first,
			unsigned int nr)
{
	unsigned int i;

	for (i = first; i < first + nr; i++)
		secmmu_event_begin(records, spot_at(i), spot_at(i) + 9);
}

static unsigned int end_spots(struct secmmu_records *records, unsigned int first,
			      unsigned int nr)
{
	unsigned int i, matched = 0;

	for (i = first; i < first + nr; i++)
		matched += secmmu_event_end(records, spot_at(i), spot_at(i) + 9);
	return matched;
}

static void A10_full_pool(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	unsigned int i;

	begin_spots(records, 0, SECMMU_EVENTS_MAX);
	KUNIT_EXPECT_EQ(test, records->overflow, 0);
	for (i = 0; i < SECMMU_EVENTS_MAX; i++) {
		KUNIT_EXPECT_TRUE(test, is_covered(records, spot_at(i), spot_at(i)));
		KUNIT_EXPECT_TRUE(test, is_covered(records, spot_at(i) + 9, spot_at(i) + 9));
		KUNIT_EXPECT_FALSE(test, is_covered(records, spot_at(i) + 10, spot_at(i + 1) - 1));
	}
	KUNIT_EXPECT_EQ(test, end_spots(records, 0, SECMMU_EVENTS_MAX),
			SECMMU_EVENTS_MAX);
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
}

/* Beyond the pool a hull serves: wide while it lasts, and gone with its last event. */
static void A4_hull(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	unsigned int pool = SECMMU_EVENTS_MAX;

	begin_spots(records, 0, pool);
	begin_spots(records, pool + 2, 1);
	KUNIT_EXPECT_EQ(test, first_covered(records, spot_at(pool), ULONG_MAX), spot_at(pool + 2));
	KUNIT_EXPECT_FALSE(test, is_covered(records, spot_at(pool + 2) + 10, ULONG_MAX));
	begin_spots(records, pool, 1);
	KUNIT_EXPECT_EQ(test, records->overflow, 2);
	KUNIT_EXPECT_EQ(test, first_covered(records, spot_at(pool - 1) + 10, ULONG_MAX),
			spot_at(pool));
	KUNIT_EXPECT_TRUE(test, is_covered(records, spot_at(pool + 1), spot_at(pool + 1)));
	/* One of them ends; the hull stays, as its part of the hull is not known. */
	KUNIT_EXPECT_EQ(test, end_spots(records, pool, 1), 1);
	KUNIT_EXPECT_TRUE(test, is_covered(records, spot_at(pool), spot_at(pool)));
	KUNIT_EXPECT_TRUE(test, is_covered(records, spot_at(pool + 2) + 9, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, end_spots(records, pool + 2, 1), 1);
	KUNIT_EXPECT_FALSE(test, is_covered(records, spot_at(pool), ULONG_MAX));
	/* A later hull begins anew. */
	begin_spots(records, pool + 7, 1);
	KUNIT_EXPECT_FALSE(test, is_covered(records, spot_at(pool), spot_at(pool + 7) - 1));
	KUNIT_EXPECT_FALSE(test, is_covered(records, spot_at(pool + 7) + 10, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, end_spots(records, pool + 7, 1), 1);
	KUNIT_EXPECT_EQ(test, end_spots(records, 0, pool), pool);
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, records->nr_unpaired, 0);
}

/* Records that come free are used again while others are still in the hull. */
static void A4_hull_and_pool(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	unsigned int pool = SECMMU_EVENTS_MAX;

	begin_spots(records, 0, pool + 1);
	KUNIT_EXPECT_EQ(test, end_spots(records, 0, 2), 2);
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, spot_at(2) - 1));
	begin_spots(records, pool, 1);
	KUNIT_EXPECT_EQ(test, records->overflow, 1);
	/* One range both recorded and in the hull: two ends, whichever is first. */
	KUNIT_EXPECT_EQ(test, end_spots(records, pool, 1), 1);
	KUNIT_EXPECT_TRUE(test, is_covered(records, spot_at(pool), spot_at(pool)));
	KUNIT_EXPECT_EQ(test, end_spots(records, pool, 1), 1);
	KUNIT_EXPECT_FALSE(test, is_covered(records, spot_at(pool), spot_at(pool)));
	KUNIT_EXPECT_EQ(test, end_spots(records, pool, 1), 0);
	KUNIT_EXPECT_EQ(test, end_spots(records, 2, pool - 2), pool - 2);
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
	KUNIT_EXPECT_EQ(test, records->nr_unpaired, 1);
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(A4_multiset),
	KUNIT_CASE(A10_lowest),
	KUNIT_CASE(A18_oldest_first),
	KUNIT_CASE(A5_unpaired),
	KUNIT_CASE(A10_full_pool),
	KUNIT_CASE(A4_hull),
	KUNIT_CASE(A4_hull_and_pool),
	{}
};

static struct kunit_suite event_suite = {
	.name = "secmmu_event",
	.init = event_init,
	.test_cases = event_cases,
};

kunit_test_suite(event_suite);
