// SPDX-License-Identifier: GPL-2.0
#include "mmu_kunit.h"

/* Set aside the tables that are missing on the way down to @level. */
static int fill_table(struct secmmu_mmu_kunit *mmu, gfn_t gfn, unsigned int level,
		struct secmmu_table_cache *cache)
{
	unsigned int deepest;

	rcu_read_lock();
	deepest = secmmu_pgtable_walk(&mmu->pt, gfn)->level;
	rcu_read_unlock();
	return deepest > level ? secmmu_pgtable_fill(cache, deepest - level) : 0;
}

static void destroy_mmu(void *context)
{
	struct secmmu_mmu_kunit *mmu = context;

	secmmu_pgtable_destroy(&mmu->pt, true);
	secmmu_tlbs_destroy(&mmu->tlbs);
	free_percpu(mmu->counters);
}

/**
 * secmmu_mmu_kunit - make a secondary MMU that the end of the test destroys
 * @test: the test
 * @batch: dropped sptes that make a flush due
 *
 * Return: the secondary MMU; the test ends if there is no memory for it.
 */
struct secmmu_mmu_kunit *secmmu_mmu_kunit(struct kunit *test, unsigned int batch)
{
	struct secmmu_mmu_kunit *mmu = kunit_kzalloc(test, sizeof(*mmu), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mmu);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, destroy_mmu, mmu), 0);
	spin_lock_init(&mmu->registry);
	seqcount_spinlock_init(&mmu->seq, &mmu->registry);
	secmmu_spans_init(&mmu->spans, &mmu->seq);
	mmu->counters = alloc_percpu(struct secmmu_counters);
	KUNIT_ASSERT_TRUE(test, !!mmu->counters);
	KUNIT_ASSERT_EQ(test, secmmu_tlbs_init(&mmu->tlbs, batch, mmu->counters), 0);
	KUNIT_ASSERT_EQ(test, secmmu_pgtable_init(&mmu->pt), 0);
	return mmu;
}

/**
 * secmmu_kunit_map - install an spte of one page
 * @test: the test
 * @mmu: where
 * @gfn: the guest frame; there is no spte yet
 * @spte: the spte
 */
void secmmu_kunit_map(struct kunit *test, struct secmmu_mmu_kunit *mmu, gfn_t gfn,
		      u64 spte)
{
	struct secmmu_table_cache cache = {};
	struct secmmu_table *leaf;
	u64 old = 0;
	int err;

	err = fill_table(mmu, gfn, 0, &cache);
	rcu_read_lock();
	leaf = err ? NULL : secmmu_pgtable_link(&mmu->pt, gfn, 0, &cache);
	if (leaf) {
		spin_lock(&leaf->lock);
		old = xchg(secmmu_table_entry(leaf, gfn), spte);
		leaf->nr++;
		spin_unlock(&leaf->lock);
	}
	rcu_read_unlock();
	secmmu_pgtable_drain(&cache);
	KUNIT_ASSERT_NOT_NULL(test, leaf);
	KUNIT_ASSERT_EQ(test, old, 0);
}

/**
 * secmmu_kunit_map_large - install a large spte, over whatever is there
 * @test: the test
 * @mmu: where
 * @gfn: a guest frame of the block
 * @spte: the spte of its first page
 */
void secmmu_kunit_map_large(struct kunit *test, struct secmmu_mmu_kunit *mmu,
			    gfn_t gfn, u64 spte)
{
	struct secmmu_table *table, *leaf;
	struct secmmu_table_cache cache = {};
	int err;

	err = fill_table(mmu, gfn, 1, &cache);
	rcu_read_lock();
	table = err ? NULL : secmmu_pgtable_link(&mmu->pt, gfn, 1, &cache);
	if (table) {
		spin_lock(&table->lock);
		leaf = secmmu_table_leaf(table, gfn);
		if (leaf)
			spin_lock_nested(&leaf->lock, SINGLE_DEPTH_NESTING);
		secmmu_table_set_large(&mmu->pt, table, leaf, gfn, spte);
		if (leaf)
			spin_unlock(&leaf->lock);
		spin_unlock(&table->lock);
	}
	rcu_read_unlock();
	secmmu_pgtable_drain(&cache);
	KUNIT_ASSERT_NOT_NULL(test, table);
}

/**
 * secmmu_kunit_stock - bring tables to split large sptes with
 * @test: the test
 * @mmu: where to; what it does not take is freed
 * @nr: how many
 */
void secmmu_kunit_stock(struct kunit *test, struct secmmu_mmu_kunit *mmu,
			unsigned int nr)
{
	struct secmmu_table_cache cache = {};
	int err;

	err = secmmu_pgtable_fill(&cache, nr);
	if (!err)
		secmmu_pgtable_stock(&mmu->pt, &cache);
	secmmu_pgtable_drain(&cache);
	KUNIT_ASSERT_EQ(test, err, 0);
}

/**
 * secmmu_kunit_spte - what maps a page
 * @mmu: where
 * @gfn: the guest frame
 *
 * Return: the spte, made up from the large one if that is what there is; or 0.
 */
u64 secmmu_kunit_spte(struct secmmu_mmu_kunit *mmu, gfn_t gfn)
{
	struct secmmu_table *table;
	u64 spte;

	rcu_read_lock();
	table = secmmu_pgtable_walk(&mmu->pt, gfn);
	spte = secmmu_table_read(table, gfn);
	if (spte && table->level)
		spte = spte_small(spte, secmmu_table_index(gfn, 0));
	rcu_read_unlock();
	return spte;
}

/**
 * secmmu_kunit_drop - drop an spte, and flush nothing
 * @mmu: where
 * @gfn: the guest frame; there is an spte
 * @zap_gen: the generation in which it is dropped
 *
 * Return: the spte as it was.
 */
u64 secmmu_kunit_drop(struct secmmu_mmu_kunit *mmu, gfn_t gfn, u64 zap_gen)
{
	struct secmmu_table *table;
	u64 spte;

	rcu_read_lock();
	table = secmmu_pgtable_walk(&mmu->pt, gfn);
	spin_lock(&table->lock);
	spte = secmmu_table_drop(&mmu->pt, table, gfn);
	table->zap_gen = zap_gen;
	spin_unlock(&table->lock);
	rcu_read_unlock();
	return spte;
}
