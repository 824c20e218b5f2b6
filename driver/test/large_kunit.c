// SPDX-License-Identifier: GPL-2.0
/* Large sptes: in the page table, and when a part of one is dropped. */
#include "mmu_kunit.h"
#include "rival_kunit.h"

#define BLOCK		(7 * SECMMU_LARGE_PAGES)
#define PFN		0x4000

static const gfn_t blocks[] = { 0, 512, BLOCK, BIT_ULL(18) - 512,
				SECMMU_GFN_LAST - 511 };

static void describe_block(const gfn_t *gfn, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "block at 0x%llx", *gfn);
}

KUNIT_ARRAY_PARAM(block, blocks, describe_block);

static int large_init(struct kunit *test)
{
	test->priv = secmmu_mmu_kunit(test, UINT_MAX);
	return 0;
}

/* Pages of the block that are mapped as the large spte has them. */
static unsigned int count_mapped(struct secmmu_mmu_kunit *mmu, gfn_t block, u64 spte)
{
	unsigned int i, n = 0;

	for (i = 0; i < SECMMU_LARGE_PAGES; i++)
		n += secmmu_kunit_spte(mmu, block + i) == spte_small(spte, i);
	return n;
}

static void covers_block(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	gfn_t block = *(const gfn_t *)test->param_value;
	u64 spte = spte_make(PFN, true, 0);

	secmmu_kunit_map_large(test, mmu, block + 77, spte);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 3);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, block, spte), SECMMU_LARGE_PAGES);
	if (block)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, block - 1), 0);
	if (block + 511 < SECMMU_GFN_LAST)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, block + 512), 0);

	KUNIT_EXPECT_EQ(test, secmmu_kunit_drop(mmu, block + 300, 0), spte);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 0);
	secmmu_pgtable_prune(&mmu->pt, block, block, U64_MAX, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

/* It takes the place of a leaf table, and what was recorded there counts. */
static void replaces_leaf(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	u64 spte = spte_make(PFN, true, 0);
	struct secmmu_table *leaf;
	bool dead;
	u64 gen;

	secmmu_kunit_map(test, mmu, BLOCK + 4, spte_make(PFN + 4, true, 0));
	secmmu_kunit_map(test, mmu, BLOCK + 5, spte_make(PFN + 5, true, 0));
	secmmu_kunit_drop(mmu, BLOCK + 4, 11);
	rcu_read_lock();
	leaf = secmmu_pgtable_walk(&mmu->pt, BLOCK);
	/* Allocates nothing here. */
	secmmu_kunit_map_large(test, mmu, BLOCK, spte);
	dead = leaf->dead;
	gen = secmmu_pgtable_walk(&mmu->pt, BLOCK)->zap_gen;
	rcu_read_unlock();
	/* An event that waits for the leaf's lock must look again. */
	KUNIT_EXPECT_TRUE(test, dead);
	KUNIT_EXPECT_EQ(test, gen, 11);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, BLOCK, spte | SPTE_ACCESSED), 512);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 3);
}

static void replaces_empty_leaf(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	u64 spte = spte_make(PFN, true, 0);

	secmmu_kunit_map(test, mmu, BLOCK + 4, spte_make(PFN + 4, true, 0));
	secmmu_kunit_drop(mmu, BLOCK + 4, 0);
	secmmu_kunit_map_large(test, mmu, BLOCK, spte);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, BLOCK, spte), 512);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 3);
}

static void replaces_large(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	u64 spte = spte_make(PFN, true, 0);

	secmmu_kunit_map_large(test, mmu, BLOCK, spte_make(PFN, false, 0));
	secmmu_kunit_map_large(test, mmu, BLOCK, spte);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, BLOCK, spte), 512);
	/* What was used stays so. */
	secmmu_kunit_map_large(test, mmu, BLOCK, spte | SPTE_ACCESSED);
	secmmu_kunit_map_large(test, mmu, BLOCK, spte);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, BLOCK, spte | SPTE_ACCESSED), 512);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 1);
	secmmu_kunit_drop(mmu, BLOCK, 0);
	secmmu_pgtable_prune(&mmu->pt, BLOCK, BLOCK, U64_MAX, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

static bool split_block(struct secmmu_mmu_kunit *mmu, gfn_t gfn, u64 zap_gen)
{
	struct secmmu_table *table;
	bool done;

	rcu_read_lock();
	table = secmmu_pgtable_walk(&mmu->pt, gfn);
	spin_lock(&table->lock);
	table->zap_gen = zap_gen;
	done = secmmu_table_split(&mmu->pt, table, gfn);
	spin_unlock(&table->lock);
	rcu_read_unlock();
	return done;
}

static void B7_split(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	u64 spte = spte_make(PFN, true, 0) | SPTE_ACCESSED | SPTE_DIRTY;
	struct secmmu_table *leaf;
	gfn_t block = *(const gfn_t *)test->param_value;
	unsigned int level, nr;
	u64 gen;

	secmmu_kunit_map_large(test, mmu, block, spte);
	KUNIT_EXPECT_FALSE(test, split_block(mmu, block + 9, 0));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 1);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, block, spte), 512);

	secmmu_kunit_stock(test, mmu, 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	KUNIT_EXPECT_TRUE(test, split_block(mmu, block + 9, 13));
	KUNIT_EXPECT_EQ(test, mmu->pt.spare.nr, 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, block, spte), 512);

	rcu_read_lock();
	leaf = secmmu_pgtable_walk(&mmu->pt, block);
	level = leaf->level;
	nr = leaf->nr;
	gen = leaf->zap_gen;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, level, 0);
	KUNIT_EXPECT_EQ(test, nr, 512);
	KUNIT_EXPECT_EQ(test, gen, 13);
}

static void split_first(void *context)
{
	split_block(context, BLOCK, 0);
}

/* The spare tables have a lock of their own. */
static void B7_split_waits(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_rival rival = { .work = split_first, .context = mmu };
	unsigned int spares;
	bool waits;

	secmmu_kunit_map_large(test, mmu, BLOCK, spte_make(PFN, true, 0));
	secmmu_kunit_stock(test, mmu, 1);
	secmmu_rival_create(test, &rival);
	spin_lock(&mmu->pt.spare_lock);
	waits = secmmu_rival_waits(&rival);
	spares = mmu->pt.spare.nr;
	spin_unlock(&mmu->pt.spare_lock);
	secmmu_rival_destroy(&rival);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_EQ(test, spares, 1);
	KUNIT_EXPECT_EQ(test, mmu->pt.spare.nr, 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 0);
}

/* A fault that wants a small spte brings the table itself. */
static void split_by_link(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table_cache cache = {};
	u64 spte = spte_make(PFN, false, 0);
	unsigned int level = 9;
	struct secmmu_table *table;

	secmmu_kunit_map_large(test, mmu, BLOCK, spte);
	KUNIT_ASSERT_EQ(test, secmmu_pgtable_fill(&cache, 1), 0);
	rcu_read_lock();
	table = secmmu_pgtable_link(&mmu->pt, BLOCK + 3, 0, &cache);
	if (table)
		level = table->level;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, level, 0);
	KUNIT_EXPECT_EQ(test, cache.nr, 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_large(mmu), 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	KUNIT_EXPECT_EQ(test, count_mapped(mmu, BLOCK, spte), 512);
	secmmu_pgtable_drain(&cache);
}

/* Spares come with the first large spte and go with the last. */
static void keep_spares(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	unsigned int i;

	secmmu_kunit_stock(test, mmu, 4);
	KUNIT_EXPECT_EQ(test, mmu->pt.spare.nr, 0);
	for (i = 0; i < 2; i++)
		secmmu_kunit_map_large(test, mmu, BLOCK + i * 512, spte_make(PFN, true, 0));
	secmmu_kunit_stock(test, mmu, SECMMU_SPARE_TABLES + 2);
	KUNIT_EXPECT_EQ(test, mmu->pt.spare.nr, SECMMU_SPARE_TABLES);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 3 + SECMMU_SPARE_TABLES);
	secmmu_kunit_drop(mmu, BLOCK, 0);
	secmmu_pgtable_prune(&mmu->pt, BLOCK, BLOCK, U64_MAX, true);
	KUNIT_EXPECT_EQ(test, mmu->pt.spare.nr, SECMMU_SPARE_TABLES);
	secmmu_kunit_drop(mmu, BLOCK + 512, 0);
	secmmu_pgtable_prune(&mmu->pt, BLOCK, BLOCK, U64_MAX, true);
	KUNIT_EXPECT_EQ(test, mmu->pt.spare.nr, 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

/*
 * Two blocks are mapped, and [first, last] is dropped, counted from the first block.
 * With a spare table the rest of a block survives; without, it goes as a whole.
 */
static const struct zap_param {
	unsigned int first, last, spares, zapped, splits, unsplit;
	/* What is left of each block. */
	unsigned int left[2];
} zaps[] = {
	{ 0, 511, 1, 1, 0, 0, { 0, 512 } },
	{ 512, 1023, 1, 1, 0, 0, { 512, 0 } },
	{ 0, 1023, 2, 2, 0, 0, { 0, 0 } },
	{ 0, 0, 1, 1, 1, 0, { 511, 512 } },
	{ 511, 511, 1, 1, 1, 0, { 511, 512 } },
	{ 0, 510, 1, 511, 1, 0, { 1, 512 } },
	{ 1, 511, 1, 511, 1, 0, { 1, 512 } },
	{ 1, 512, 2, 512, 2, 0, { 1, 511 } },
	{ 511, 512, 2, 2, 2, 0, { 511, 511 } },
	{ 0, 512, 1, 2, 1, 0, { 0, 511 } },
	{ 511, 1023, 1, 2, 1, 0, { 511, 0 } },
	{ 5, 5, 0, 1, 0, 1, { 0, 512 } },
	{ 511, 512, 0, 2, 0, 2, { 0, 0 } },
	{ 511, 512, 1, 2, 1, 1, { 511, 0 } },
};

static void describe_zap(const struct zap_param *zap, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "%u to %u, %u spare", zap->first,
		 zap->last, zap->spares);
}

KUNIT_ARRAY_PARAM(zap, zaps, describe_zap);

static void B7_zap(struct kunit *test)
{
	const struct zap_param *p = test->param_value;
	struct secmmu_mmu_kunit *mmu = test->priv;
	u64 spte = spte_make(PFN, true, 0);
	struct secmmu_gather gather;
	unsigned int i;

	for (i = 0; i < 2; i++)
		secmmu_kunit_map_large(test, mmu, BLOCK + i * 512, spte);
	secmmu_kunit_stock(test, mmu, p->spares);

	secmmu_gather_begin(&gather, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_zap(&gather, &mmu->pt, BLOCK + p->first, BLOCK + p->last);
	secmmu_gather_finish(&gather);

	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, count_mapped(mmu, BLOCK + i * 512, spte), p->left[i]);
	for (i = p->first; i <= p->last; i++)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, BLOCK + i), 0);
	KUNIT_EXPECT_EQ(test, gather.zapped, p->zapped);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_SPLITS), p->splits);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_UNSPLIT),
			p->unsplit);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_FLUSHES), 1);
}

static void drop_range(struct secmmu_mmu_kunit *mmu, gfn_t first, gfn_t last)
{
	struct secmmu_gather gather;

	secmmu_gather_begin(&gather, &mmu->tlbs, &mmu->spans, true);
	secmmu_gather_zap(&gather, &mmu->pt, first, last);
	secmmu_gather_finish(&gather);
}

/*
 * B2: a large spte was dropped and is not flushed yet. Who comes second flushes, at the
 * place where it was, and in a leaf table that was linked there since.
 */
static void B2_assists(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_gather other;
	unsigned int leaf;

	for (leaf = 0; leaf < 2; leaf++) {
		secmmu_kunit_map_large(test, mmu, BLOCK, spte_make(PFN, true, 0));
		secmmu_gather_begin(&other, &mmu->tlbs, &mmu->spans, true);
		secmmu_gather_zap(&other, &mmu->pt, BLOCK, BLOCK + 511);
		KUNIT_EXPECT_EQ(test, other.zapped, 1);
		if (leaf)
			secmmu_kunit_map(test, mmu, BLOCK + 9, spte_make(PFN, true, 0));
		drop_range(mmu, BLOCK + 3, BLOCK + 3);
		KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_ASSISTS),
				leaf + 1);
		drop_range(mmu, BLOCK + 3, BLOCK + 3);
		KUNIT_EXPECT_EQ(test, secmmu_kunit_counted(mmu, SECMMU_COUNT_FLUSHES),
				2 * leaf + 1);
		secmmu_gather_finish(&other);
	}
}

static struct kunit_case large_cases[] = {
	KUNIT_CASE_PARAM(covers_block, block_gen_params),
	KUNIT_CASE(replaces_leaf),
	KUNIT_CASE(replaces_empty_leaf),
	KUNIT_CASE(replaces_large),
	KUNIT_CASE_PARAM(B7_split, block_gen_params),
	KUNIT_CASE(B7_split_waits),
	KUNIT_CASE(split_by_link),
	KUNIT_CASE(keep_spares),
	KUNIT_CASE_PARAM(B7_zap, zap_gen_params),
	KUNIT_CASE(B2_assists),
	{}
};

static struct kunit_suite large_suite = {
	.name = "secmmu_large",
	.init = large_init,
	.test_cases = large_cases,
};

kunit_test_suite(large_suite);
