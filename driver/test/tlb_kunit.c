// SPDX-License-Identifier: GPL-2.0
#include "mmu_kunit.h"
#include "tlb.h"

#define GFN		0x12345

struct unit {
	struct secmmu_mmu_kunit *mmu;
	struct secmmu_tlb tlb;
};

static int tlb_init(struct kunit *test)
{
	struct unit *unit = kunit_kzalloc(test, sizeof(*unit), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, unit);
	unit->mmu = secmmu_mmu_kunit(test, UINT_MAX);
	test->priv = unit;
	return 0;
}

static u64 translate_for(struct unit *unit, gfn_t gfn, const struct secmmu_use *use)
{
	struct secmmu_window window;
	u64 spte;

	secmmu_window_open(&unit->mmu->tlbs, &window);
	spte = secmmu_tlb_translate(&unit->tlb, 0, &unit->mmu->pt, &window, gfn, use);
	secmmu_window_close(&unit->mmu->tlbs, &window);
	return spte;
}

/* What one access of an engine is given. */
static u64 translate_gfn(struct unit *unit, gfn_t gfn, bool write)
{
	return translate_for(unit, gfn, &(struct secmmu_use) { .write = write });
}

/* Change bits of an spte behind the TLB. */
static void clear_bits(struct unit *unit, gfn_t gfn, u64 bits)
{
	struct secmmu_table *table;

	rcu_read_lock();
	table = secmmu_pgtable_walk(&unit->mmu->pt, gfn);
	*secmmu_table_entry(table, gfn) &= ~bits;
	rcu_read_unlock();
}

static void map_gfn(struct kunit *test, gfn_t gfn, unsigned long pfn, bool write)
{
	struct unit *unit = test->priv;

	secmmu_kunit_map(test, unit->mmu, gfn, spte_make(pfn, write, 0));
}

static void miss_empty(struct kunit *test)
{
	struct unit *unit = test->priv;

	/* Of nothing the TLB makes nothing, not even of zeroes. */
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, 0, false), 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, false), 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, SECMMU_GFN_LAST, true), 0);
	/* And it does not keep the answer. */
	map_gfn(test, GFN, 7, false);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, false),
			spte_make(7, false, 0) | SPTE_ACCESSED);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN + 1, false), 0);
}

static void B5_generation(struct kunit *test)
{
	struct unit *unit = test->priv;

	map_gfn(test, GFN, 7, true);
	map_gfn(test, GFN + 1, 8, true);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, false)), 7);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN + 1, false)), 8);
	/* It is the TLB that answers: the page table has nothing any more. */
	secmmu_kunit_drop(unit->mmu, GFN, 0);
	secmmu_kunit_drop(unit->mmu, GFN + 1, 0);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, false)), 7);
	/* A flush voids the entries of all pages. */
	secmmu_flush(&unit->mmu->tlbs, 1);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, false), 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN + 1, false), 0);
	map_gfn(test, GFN, 9, true);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, false)), 9);
}

/* A range is zapped: the TLB's side of it is one flush, of everything. */
static void B1_zap_voids(struct kunit *test)
{
	struct unit *unit = test->priv;
	struct secmmu_gather gather;
	gfn_t gfn;

	for (gfn = GFN; gfn < GFN + 4; gfn++) {
		map_gfn(test, gfn, gfn, true);
		KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, gfn, true)), gfn);
	}
	secmmu_gather_begin(&gather, &unit->mmu->tlbs, &unit->mmu->spans, true);
	secmmu_gather_zap(&gather, &unit->mmu->pt, GFN + 1, GFN + 2);
	secmmu_gather_finish(&gather);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, true)), GFN);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN + 1, true), 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN + 2, true), 0);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN + 3, true)), GFN + 3);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(unit->mmu, SECMMU_COUNT_FLUSHES), 1);
}

/* Pages that share an entry of the TLB, for being that far apart. */
static const gfn_t distances[] = {
	SECMMU_TLB_ENTRIES, 2 * SECMMU_TLB_ENTRIES, BIT_ULL(18), BIT_ULL(32),
	BIT_ULL(35),
};

static void describe_distance(const gfn_t *distance, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "0x%llx apart", *distance);
}

KUNIT_ARRAY_PARAM(distance, distances, describe_distance);

static void evict_collision(struct kunit *test)
{
	gfn_t other = GFN + *(const gfn_t *)test->param_value;
	struct unit *unit = test->priv;
	unsigned int i;

	map_gfn(test, GFN, 7, false);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, false)), 7);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, other, false), 0);
	map_gfn(test, other, 8, false);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, false)), 7);
		KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, other, false)), 8);
	}
	/* The one that came last has the entry, the other must walk. */
	secmmu_kunit_drop(unit->mmu, GFN, 0);
	secmmu_kunit_drop(unit->mmu, other, 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, false), 0);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, other, false)), 8);
}

static void all_entries(struct kunit *test)
{
	struct unit *unit = test->priv;
	unsigned int i, right = 0;

	for (i = 0; i < SECMMU_TLB_ENTRIES; i++) {
		map_gfn(test, GFN + i, 1000 + i, false);
		translate_gfn(unit, GFN + i, false);
	}
	for (i = 0; i < SECMMU_TLB_ENTRIES; i++)
		secmmu_kunit_drop(unit->mmu, GFN + i, 0);
	for (i = 0; i < SECMMU_TLB_ENTRIES; i++)
		right += spte_pfn(translate_gfn(unit, GFN + i, false)) == 1000 + i;
	KUNIT_EXPECT_EQ(test, right, SECMMU_TLB_ENTRIES);
}

static void C3_permission(struct kunit *test)
{
	struct unit *unit = test->priv;

	map_gfn(test, GFN, 7, false);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, true), 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, false),
			spte_make(7, false, 0) | SPTE_ACCESSED);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, GFN, true), 0);
	/* A denied write has left no trace. */
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN),
			spte_make(7, false, 0) | SPTE_ACCESSED);
	/* What is permitted meanwhile is found although the TLB knows less. */
	secmmu_kunit_drop(unit->mmu, GFN, 0);
	map_gfn(test, GFN, 7, true);
	KUNIT_EXPECT_EQ(test, spte_pfn(translate_gfn(unit, GFN, true)), 7);
}

/* C2: the first write is recorded, also where a read has filled the TLB before. */
static void C2_first_write(struct kunit *test)
{
	struct unit *unit = test->priv;
	u64 spte = spte_make(7, true, 0);

	map_gfn(test, GFN, 7, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN), spte);
	translate_gfn(unit, GFN, false);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN), spte | SPTE_ACCESSED);
	translate_gfn(unit, GFN, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN),
			spte | SPTE_ACCESSED | SPTE_DIRTY);
	/* Cleared and flushed, as the dirty log does: recorded again. */
	clear_bits(unit, GFN, SPTE_DIRTY);
	secmmu_flush(&unit->mmu->tlbs, 0);
	translate_gfn(unit, GFN, false);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN), spte | SPTE_ACCESSED);
	translate_gfn(unit, GFN, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN),
			spte | SPTE_ACCESSED | SPTE_DIRTY);
}

/* C1: aging raises its generation, and the next access is recorded again. */
static void C1_age(struct kunit *test)
{
	struct unit *unit = test->priv;
	u64 spte = spte_make(7, true, 0);

	map_gfn(test, GFN, 7, true);
	translate_gfn(unit, GFN, false);
	clear_bits(unit, GFN, SPTE_ACCESSED);
	/* Not yet: the TLB has it. */
	translate_gfn(unit, GFN, false);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN), spte);
	atomic64_inc(&unit->mmu->tlbs.age);
	translate_gfn(unit, GFN, false);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN), spte | SPTE_ACCESSED);
}

#define KEY	5

static const struct secmmu_use traceless[] = {
	{ .touch = true },
	{ .touch = true, .write = true },
	{ .rights = SECMMU_KEY_NO_ACCESS(KEY) },
	{ .rights = SECMMU_KEY_NO_ACCESS(KEY), .write = true },
	{ .rights = SECMMU_KEY_NO_WRITE(KEY), .write = true },
};

static void describe_use(const struct secmmu_use *use, char *text)
{
	const char *what = "read";

	if (use->write)
		what = "write";
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%s%s, rights 0x%x",
		 use->touch ? "touch to " : "", what, use->rights);
}

KUNIT_ARRAY_PARAM(traceless, traceless, describe_use);

/* C4: a use that is denied or moves no data finds the spte, and leaves it as it was. */
static void C4_no_trace(struct kunit *test)
{
	const struct secmmu_use *use = test->param_value;
	struct unit *unit = test->priv;
	u64 spte = spte_make(7, true, KEY), large = spte_make(0x4000, true, KEY);
	gfn_t block = 3 * SECMMU_LARGE_PAGES;

	secmmu_kunit_map(test, unit->mmu, GFN, spte);
	secmmu_kunit_map_large(test, unit->mmu, block, large);
	KUNIT_EXPECT_EQ(test, translate_for(unit, GFN, use), spte);
	KUNIT_EXPECT_EQ(test, translate_for(unit, block, use), large);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN), spte);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, block), large);
	/* Nor has the TLB kept what an access would have to walk for. */
	translate_gfn(unit, GFN, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, GFN),
			spte | SPTE_ACCESSED | SPTE_DIRTY);
	/* What an access left before is not taken away. */
	KUNIT_EXPECT_EQ(test, translate_for(unit, GFN, use),
			spte | SPTE_ACCESSED | SPTE_DIRTY);
}

static void large_spte(struct kunit *test)
{
	static const unsigned int offsets[] = { 0, 1, 255, 256, 511 };
	struct unit *unit = test->priv;
	gfn_t block = 3 * SECMMU_LARGE_PAGES;
	u64 spte = spte_make(0x4000, true, 0);
	unsigned int i;

	secmmu_kunit_map_large(test, unit->mmu, block, spte);
	for (i = 0; i < ARRAY_SIZE(offsets); i++)
		KUNIT_EXPECT_EQ(test, translate_gfn(unit, block + offsets[i], false),
				spte_make(0x4000 + offsets[i], true, 0) | SPTE_ACCESSED);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, block - 1, false), 0);
	KUNIT_EXPECT_EQ(test, translate_gfn(unit, block + 512, false), 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, block), spte | SPTE_ACCESSED);
	translate_gfn(unit, block + 300, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(unit->mmu, block),
			spte | SPTE_ACCESSED | SPTE_DIRTY);
}

static struct kunit_case tlb_cases[] = {
	KUNIT_CASE(miss_empty),
	KUNIT_CASE(B5_generation),
	KUNIT_CASE(B1_zap_voids),
	KUNIT_CASE_PARAM(evict_collision, distance_gen_params),
	KUNIT_CASE(all_entries),
	KUNIT_CASE(C3_permission),
	KUNIT_CASE(C2_first_write),
	KUNIT_CASE(C1_age),
	KUNIT_CASE_PARAM(C4_no_trace, traceless_gen_params),
	KUNIT_CASE(large_spte),
	{}
};

static struct kunit_suite tlb_suite = {
	.name = "secmmu_tlb",
	.init = tlb_init,
	.test_cases = tlb_cases,
};

kunit_test_suite(tlb_suite);
