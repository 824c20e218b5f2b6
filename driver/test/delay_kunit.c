// SPDX-License-Identifier: GPL-2.0
/* Accesses have no patience for some of the time: without that, storms would find less. */
#include <kunit/test.h>
#include <linux/delay.h>

#include "delay.h"

/* Nanoseconds, and more milliseconds: a turn of the gates is shorter. */
#define APART_NS	(1ULL << 28)
#define APART_MS	269
#define TRIES		1000
/* A quarter of them is expected. */
#define FEWEST		140
#define MOST		360
/* All of these have patience in one run of a billion. */
#define WAITS		80

static void no_delay(struct kunit *test)
{
	if (READ_ONCE(secmmu_delay_most))
		kunit_skip(test, "gate_delay is set");
	for (int i = 0; i < 16; i++) {
		KUNIT_EXPECT_EQ(test, secmmu_patience(), (unsigned int)SECMMU_PATIENCE);
		msleep(APART_MS);
	}
}

static void some_turns(struct kunit *test)
{
	int impatient = 0;

	for (u64 i = 0; i < TRIES; i++) {
		u64 now = i * APART_NS;
		bool slow = secmmu_delay_favours(SECMMU_GATE_DIRECT_GOT, now) ||
			    secmmu_delay_favours(SECMMU_GATE_DIRECT_CHECKED, now);

		KUNIT_EXPECT_EQ(test, secmmu_delay_patience_at(now),
				slow ? 1U : (unsigned int)SECMMU_PATIENCE);
		impatient += slow;
	}
	KUNIT_EXPECT_GE(test, impatient, FEWEST);
	KUNIT_EXPECT_LE(test, impatient, MOST);
}

static void with_delay(struct kunit *test)
{
	unsigned int before = READ_ONCE(secmmu_delay_most);
	int waits = 0;

	WRITE_ONCE(secmmu_delay_most, 1);
	while (secmmu_patience() != 1 && waits++ < WAITS)
		msleep(APART_MS);
	WRITE_ONCE(secmmu_delay_most, before);
	KUNIT_EXPECT_LE(test, waits, WAITS);
}

static struct kunit_case delay_cases[] = {
	KUNIT_CASE(no_delay),
	KUNIT_CASE(some_turns),
	KUNIT_CASE(with_delay),
	{}
};

static struct kunit_suite delay_suite = {
	.name = "secmmu_delay",
	.test_cases = delay_cases,
};

kunit_test_suite(delay_suite);
