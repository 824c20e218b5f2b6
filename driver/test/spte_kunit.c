// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "spte.h"

/* Frames: the first, the last that fits, some between. */
static const unsigned long pfns[] = {
	0, 1, 511, 512, 0x12345678, (1UL << 39) + 1, (1UL << 40) - 1,
};

static void describe_pfn(const unsigned long *pfn, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "pfn 0x%lx", *pfn);
}

KUNIT_ARRAY_PARAM(pfn, pfns, describe_pfn);

static void keep_fields(struct kunit *test)
{
	unsigned long pfn = *(const unsigned long *)test->param_value;
	u64 ro = spte_make(pfn, false, 0), rw = spte_make(pfn, true, 0);

	KUNIT_EXPECT_EQ(test, spte_pfn(ro), pfn);
	KUNIT_EXPECT_EQ(test, spte_pfn(rw), pfn);
	KUNIT_EXPECT_EQ(test, ro & ~SPTE_PFN_MASK, 1);
	KUNIT_EXPECT_EQ(test, rw & ~SPTE_PFN_MASK, 3);
}

static void bits_apart(struct kunit *test)
{
	const u64 bits[] = { SPTE_PRESENT, SPTE_WRITE, SPTE_ACCESSED, SPTE_DIRTY,
			     SPTE_PFN_MASK };
	u64 seen = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		KUNIT_EXPECT_NE(test, bits[i], 0);
		KUNIT_EXPECT_EQ(test, bits[i] & seen, 0);
		seen |= bits[i];
	}
}

static void small_of_large(struct kunit *test)
{
	u64 large = spte_make(0x1200, true, 0) | SPTE_ACCESSED | SPTE_DIRTY;
	unsigned int i;

	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ(test, spte_small(large, i),
				spte_make(0x1200 + i, true, 0) | SPTE_ACCESSED |
				SPTE_DIRTY);
}

/* C3: nothing passes for more than it permits. */
static void C3_covers(struct kunit *test)
{
	u64 ro = spte_make(7, false, 0), rw = spte_make(7, true, 0);

	KUNIT_EXPECT_TRUE(test, spte_covers(ro, ro));
	KUNIT_EXPECT_TRUE(test, spte_covers(rw, rw));
	KUNIT_EXPECT_TRUE(test, spte_covers(rw, ro));
	KUNIT_EXPECT_FALSE(test, spte_covers(ro, rw));
	KUNIT_EXPECT_FALSE(test, spte_covers(0, ro));
	KUNIT_EXPECT_FALSE(test, spte_covers(0, spte_make(0, false, 0)));
	KUNIT_EXPECT_FALSE(test, spte_covers(spte_make(8, true, 0), ro));
	KUNIT_EXPECT_FALSE(test, spte_covers(spte_make(7 + (1UL << 39), true, 0), ro));
	/* What has been recorded of accesses is no difference. */
	KUNIT_EXPECT_TRUE(test, spte_covers(ro | SPTE_ACCESSED, ro));
	KUNIT_EXPECT_TRUE(test, spte_covers(rw | SPTE_DIRTY, rw | SPTE_ACCESSED));
}

static void needs_and_leaves(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, spte_needs(false), SPTE_PRESENT);
	KUNIT_EXPECT_EQ(test, spte_needs(true), SPTE_PRESENT | SPTE_WRITE);
	KUNIT_EXPECT_EQ(test, spte_leaves(false), SPTE_ACCESSED);
	KUNIT_EXPECT_EQ(test, spte_leaves(true), SPTE_ACCESSED | SPTE_DIRTY);
}

static struct kunit_case spte_cases[] = {
	KUNIT_CASE_PARAM(keep_fields, pfn_gen_params),
	KUNIT_CASE(bits_apart),
	KUNIT_CASE(small_of_large),
	KUNIT_CASE(C3_covers),
	KUNIT_CASE(needs_and_leaves),
	{}
};

static struct kunit_suite spte_suite = {
	.name = "secmmu_spte",
	.test_cases = spte_cases,
};

kunit_test_suite(spte_suite);
