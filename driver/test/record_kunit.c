// SPDX-License-Identifier: GPL-2.0
/* Events and faults in flight: those that overlap meet, and no others. */
#include <kunit/test.h>

#include "record_kunit.h"
#include "rival_kunit.h"

#define BASE		0x7000000UL
#define BYTES		(4 * PAGE_SIZE)
#define TOP		(ULONG_MAX & PAGE_MASK)

static int record_init(struct kunit *test)
{
	struct secmmu_records *records = kunit_kzalloc(test, sizeof(*records),
						       GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, records);
	secmmu_records_init(records);
	test->priv = records;
	return 0;
}

/* Begin a fault that has nothing to wait for, or else the test is over. */
static void begin_fault(struct kunit *test, struct secmmu_inflight *fault,
			unsigned long start, unsigned long last)
{
	struct secmmu_records *records = test->priv;
	struct secmmu_patience patience = {};

	KUNIT_ASSERT_FALSE(test, is_covered(records, start, start + PAGE_SIZE - 1));
	KUNIT_ASSERT_EQ(test, secmmu_inflight_begin(records, fault, start, last,
						    &patience), 0);
}

/*
 * A fault of four pages, and an event: do they meet, and from which address on? The
 * event may come first, or the fault.
 */
#define NOT_HIT		0UL

static const struct meet_param {
	const char *name;
	unsigned long start, last, hit_from;
} meets[] = {
	{ "the same", BASE, BASE + BYTES - 1, BASE },
	{ "all", 0, ULONG_MAX, BASE },
	{ "before", BASE - PAGE_SIZE, BASE - 1, NOT_HIT },
	{ "up to the first byte", BASE - PAGE_SIZE, BASE, BASE },
	{ "the first byte", BASE, BASE, BASE },
	{ "one byte inside", BASE + 5000, BASE + 5000, BASE + 5000 },
	{ "the second page", BASE + PAGE_SIZE, BASE + 2 * PAGE_SIZE - 1,
	  BASE + PAGE_SIZE },
	{ "from the last page on", BASE + 3 * PAGE_SIZE, ULONG_MAX,
	  BASE + 3 * PAGE_SIZE },
	{ "the last byte", BASE + BYTES - 1, BASE + BYTES - 1, BASE + BYTES - 1 },
	{ "behind", BASE + BYTES, BASE + BYTES, NOT_HIT },
	{ "behind, to the end", BASE + BYTES, ULONG_MAX, NOT_HIT },
	{ "the first address", 0, 0, NOT_HIT },
	{ "the last address", ULONG_MAX, ULONG_MAX, NOT_HIT },
};

KUNIT_ARRAY_PARAM_DESC(meet, meets, name);

static void A10_event_second(struct kunit *test)
{
	const struct meet_param *p = test->param_value;
	struct secmmu_records *records = test->priv;
	struct secmmu_inflight fault;

	begin_fault(test, &fault, BASE, BASE + BYTES - 1);
	KUNIT_EXPECT_FALSE(test, fault.hit);
	secmmu_event_begin(records, p->start, p->last);
	KUNIT_EXPECT_EQ(test, fault.hit, p->hit_from != NOT_HIT);
	KUNIT_EXPECT_EQ(test, fault.hit_from, p->hit_from ?: ULONG_MAX);
	KUNIT_EXPECT_FALSE(test, fault.foreign);
	/* It stays hit when the event is over (A6). */
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, p->start, p->last));
	KUNIT_EXPECT_EQ(test, fault.hit, p->hit_from != NOT_HIT);
	secmmu_inflight_end(records, &fault);
}

static void A10_event_first(struct kunit *test)
{
	const struct meet_param *p = test->param_value;
	struct secmmu_records *records = test->priv;

	secmmu_event_begin(records, p->start, p->last);
	KUNIT_EXPECT_EQ(test, is_covered(records, BASE, BASE + BYTES - 1),
			p->hit_from != NOT_HIT);
	if (p->hit_from)
		KUNIT_EXPECT_EQ(test, first_covered(records, BASE, BASE + BYTES - 1),
				p->hit_from);
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, p->start, p->last));
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
}

/* An event on later pages cuts the fault short, where it does not wait. */
static const struct cut_param {
	const char *name;
	unsigned long start, last;
} cuts[] = {
	{ "none", BASE + BYTES, BASE + BYTES - 1 },
	{ "one byte of the second page", BASE + PAGE_SIZE + 7, BASE + PAGE_SIZE - 1 },
	{ "the third page", BASE + 2 * PAGE_SIZE, BASE + 2 * PAGE_SIZE - 1 },
	{ "the last byte", BASE + BYTES - 1, BASE + 3 * PAGE_SIZE - 1 },
};

KUNIT_ARRAY_PARAM_DESC(cut, cuts, name);

static void fault_cut_short(struct kunit *test)
{
	const struct cut_param *p = test->param_value;
	struct secmmu_records *records = test->priv;
	struct secmmu_inflight fault;

	secmmu_event_begin(records, p->start, p->start);
	begin_fault(test, &fault, BASE, BASE + BYTES - 1);
	KUNIT_EXPECT_EQ(test, fault.range.start, BASE);
	KUNIT_EXPECT_EQ(test, fault.range.last, p->last);
	KUNIT_EXPECT_FALSE(test, fault.hit);
	KUNIT_EXPECT_EQ(test, fault.waited_ns, 0);
	/* What was cut off is not hit. */
	secmmu_event_begin(records, p->last + 1, ULONG_MAX);
	KUNIT_EXPECT_FALSE(test, fault.hit);
	secmmu_inflight_end(records, &fault);
}

static void last_page(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	struct secmmu_inflight fault;

	secmmu_event_begin(records, 0, TOP - 1);
	begin_fault(test, &fault, TOP, ULONG_MAX);
	KUNIT_EXPECT_FALSE(test, fault.hit);
	secmmu_event_begin(records, ULONG_MAX, ULONG_MAX);
	KUNIT_EXPECT_TRUE(test, fault.hit);
	KUNIT_EXPECT_EQ(test, fault.hit_from, ULONG_MAX);
	secmmu_event_begin(records, TOP - 1, TOP);
	KUNIT_EXPECT_EQ(test, fault.hit_from, TOP);
	secmmu_inflight_end(records, &fault);
}

/* Several events, several faults: each fault its own lowest address. */
static void many_faults(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	struct secmmu_inflight fault[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		begin_fault(test, &fault[i], BASE + i * BYTES,
			    BASE + (i + 1) * BYTES - 1);
	secmmu_event_begin(records, BASE + 2 * BYTES - 1, BASE + 2 * BYTES);
	KUNIT_EXPECT_FALSE(test, fault[0].hit);
	KUNIT_EXPECT_EQ(test, fault[1].hit_from, BASE + 2 * BYTES - 1);
	KUNIT_EXPECT_EQ(test, fault[2].hit_from, BASE + 2 * BYTES);
	KUNIT_EXPECT_FALSE(test, fault[3].hit);
	secmmu_event_begin(records, BASE + BYTES + 8, BASE + BYTES + 8);
	KUNIT_EXPECT_EQ(test, fault[1].hit_from, BASE + BYTES + 8);
	secmmu_event_begin(records, BASE + BYTES + 80, BASE + BYTES + 80);
	KUNIT_EXPECT_EQ(test, fault[1].hit_from, BASE + BYTES + 8);
	/* One that has ended is met no more. */
	secmmu_inflight_end(records, &fault[0]);
	secmmu_event_begin(records, 0, ULONG_MAX);
	KUNIT_EXPECT_FALSE(test, fault[0].hit);
	KUNIT_EXPECT_TRUE(test, fault[3].hit);
	for (i = 1; i < 4; i++)
		secmmu_inflight_end(records, &fault[i]);
}

static void foreign_event(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	struct secmmu_inflight fault;

	begin_fault(test, &fault, BASE, BASE + BYTES - 1);
	KUNIT_EXPECT_PTR_EQ(test, fault.task, current);
	/* As though another task had it. */
	fault.task = NULL;
	secmmu_event_begin(records, BASE - 1, BASE - 1);
	KUNIT_EXPECT_FALSE(test, fault.foreign);
	secmmu_event_begin(records, BASE, BASE);
	KUNIT_EXPECT_TRUE(test, fault.foreign);
	secmmu_inflight_end(records, &fault);
}

static void widen_fault(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	unsigned long asked = BASE + PAGE_SIZE;
	struct secmmu_inflight fault;

	begin_fault(test, &fault, asked, asked + PAGE_SIZE - 1);
	/* In the way, on either side: nothing has changed. */
	secmmu_event_begin(records, BASE, BASE);
	KUNIT_EXPECT_FALSE(test, secmmu_inflight_widen(records, &fault, BASE,
						       BASE + BYTES - 1));
	KUNIT_EXPECT_EQ(test, fault.range.start, asked);
	KUNIT_EXPECT_EQ(test, fault.range.last, asked + PAGE_SIZE - 1);
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, BASE, BASE));

	KUNIT_EXPECT_TRUE(test, secmmu_inflight_widen(records, &fault, BASE,
						      BASE + BYTES - 1));
	KUNIT_EXPECT_EQ(test, fault.range.start, BASE);
	KUNIT_EXPECT_EQ(test, fault.range.last, BASE + BYTES - 1);
	/* Below what was asked for it is hit, but what was asked for is not. */
	secmmu_event_begin(records, BASE, asked - 1);
	KUNIT_EXPECT_TRUE(test, fault.hit);
	KUNIT_EXPECT_EQ(test, fault.hit_from, ULONG_MAX);
	secmmu_event_begin(records, BASE, asked + 100);
	KUNIT_EXPECT_EQ(test, fault.hit_from, asked);
	secmmu_event_end(records, BASE, asked - 1);
	secmmu_event_end(records, BASE, asked + 100);
	/* Once hit, never wider. */
	KUNIT_EXPECT_FALSE(test, secmmu_inflight_widen(records, &fault, 0, ULONG_MAX));
	secmmu_inflight_end(records, &fault);
}

/* Events far away, as many as are recorded one by one. */
static void fill_pool(struct secmmu_records *records)
{
	unsigned int i;

	for (i = 0; i < SECMMU_EVENTS_MAX; i++)
		secmmu_event_begin(records, BASE + 2 * BYTES, BASE + 3 * BYTES);
}

/* Faults are met exactly by events for which only the hull has room. */
static void A10_hull_hits(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	struct secmmu_inflight fault;

	begin_fault(test, &fault, BASE - BYTES, BASE - 1);
	fill_pool(records);
	secmmu_event_begin(records, 0, 10);
	secmmu_event_begin(records, ULONG_MAX, ULONG_MAX);
	KUNIT_EXPECT_TRUE(test, is_covered(records, BASE - 1, BASE - 1));
	KUNIT_EXPECT_FALSE(test, fault.hit);
	secmmu_event_begin(records, BASE - 1, BASE + 1);
	KUNIT_EXPECT_EQ(test, fault.hit_from, BASE - 1);
	secmmu_inflight_end(records, &fault);
}

/* An event with a record, and a hull: what comes first counts, whichever it is. */
static void A8_first_of_both(struct kunit *test)
{
	static const unsigned int pages[][2] = { { 1, 2 }, { 2, 1 }, { 1, 1 }, { 3, 0 } };
	struct secmmu_records *records = test->priv;
	unsigned long far = BASE + 0x1000000;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		unsigned long record = BASE + pages[i][0] * PAGE_SIZE;
		unsigned long hull = BASE + pages[i][1] * PAGE_SIZE;

		secmmu_event_begin(records, record, record);
		for (j = 1; j < SECMMU_EVENTS_MAX; j++)
			secmmu_event_begin(records, far, far);
		KUNIT_EXPECT_EQ(test, records->overflow, 0);
		secmmu_event_begin(records, hull, hull + 1);
		KUNIT_EXPECT_EQ(test, records->overflow, 1);
		KUNIT_EXPECT_EQ(test, first_covered(records, BASE, BASE + BYTES - 1),
				min(record, hull));
		KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, hull, hull + 1));
		KUNIT_EXPECT_EQ(test, first_covered(records, BASE, BASE + BYTES - 1), record);
		KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, record, record));
		for (j = 1; j < SECMMU_EVENTS_MAX; j++)
			secmmu_event_end(records, far, far);
		KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
	}
}

/* A fault that ends, with the records that have it. */
struct ending {
	struct secmmu_records *records;
	struct secmmu_inflight fault;
};

static void end_fault(void *context)
{
	struct ending *ending = context;

	secmmu_inflight_end(ending->records, &ending->fault);
}

/* Events look for faults under the lock: a fault that ends waits for it. */
static void end_waits(struct kunit *test)
{
	struct ending ending = { .records = test->priv };
	struct secmmu_rival rival = { .work = end_fault, .context = &ending };
	bool waits, recorded;

	begin_fault(test, &ending.fault, BASE, BASE + BYTES - 1);
	secmmu_rival_create(test, &rival);
	spin_lock(&ending.records->lock);
	waits = secmmu_rival_waits(&rival);
	recorded = !RB_EMPTY_ROOT(&ending.records->faults.rb_root);
	spin_unlock(&ending.records->lock);
	secmmu_rival_destroy(&rival);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_TRUE(test, recorded);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&ending.records->faults.rb_root));
}

/* G1: after the release nothing may be installed, nothing is in flight. */
static void G1_release(struct kunit *test)
{
	struct secmmu_records *records = test->priv;
	struct secmmu_patience patience = {};
	struct secmmu_inflight fault, late;

	begin_fault(test, &fault, BASE, BASE + BYTES - 1);
	fill_pool(records);
	secmmu_event_begin(records, BASE + 3 * BYTES, BASE + 4 * BYTES);
	KUNIT_EXPECT_FALSE(test, fault.hit);
	secmmu_records_release(records);
	KUNIT_EXPECT_TRUE(test, fault.hit);
	KUNIT_EXPECT_EQ(test, fault.hit_from, BASE);
	KUNIT_EXPECT_FALSE(test, is_covered(records, 0, ULONG_MAX));
	KUNIT_EXPECT_FALSE(test, secmmu_inflight_widen(records, &fault, BASE,
						       BASE + 2 * BYTES - 1));
	secmmu_inflight_end(records, &fault);

	KUNIT_EXPECT_EQ(test, secmmu_inflight_begin(records, &late, BASE,
						    BASE + BYTES - 1, &patience), -ESRCH);
	/* Ends that come all the same are expected. */
	KUNIT_EXPECT_TRUE(test, secmmu_event_end(records, BASE + 2 * BYTES,
						 BASE + 3 * BYTES));
	KUNIT_EXPECT_EQ(test, records->nr_unpaired, 0);
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE_PARAM(A10_event_second, meet_gen_params),
	KUNIT_CASE_PARAM(A10_event_first, meet_gen_params),
	KUNIT_CASE_PARAM(fault_cut_short, cut_gen_params),
	KUNIT_CASE(last_page),
	KUNIT_CASE(many_faults),
	KUNIT_CASE(foreign_event),
	KUNIT_CASE(widen_fault),
	KUNIT_CASE(A10_hull_hits),
	KUNIT_CASE(A8_first_of_both),
	KUNIT_CASE(end_waits),
	KUNIT_CASE(G1_release),
	{}
};

static struct kunit_suite record_suite = {
	.name = "secmmu_record",
	.init = record_init,
	.test_cases = record_cases,
};

kunit_test_suite(record_suite);
