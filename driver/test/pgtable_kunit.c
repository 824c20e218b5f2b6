// SPDX-License-Identifier: GPL-2.0
#include "mmu_kunit.h"
#include "rival_kunit.h"

/* Where tables begin and end, and the ends of the guest's address space. */
static const gfn_t gfns[] = {
	0, 1, 511, 512, BIT_ULL(18) - 1, BIT_ULL(18), BIT_ULL(27) - 1, BIT_ULL(27),
	0x123456789, SECMMU_GFN_LAST - 512, SECMMU_GFN_LAST,
};

static void describe_gfn(const gfn_t *gfn, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "gfn 0x%llx", *gfn);
}

KUNIT_ARRAY_PARAM(gfn, gfns, describe_gfn);

/* A frame and a permission for each guest frame, no two alike. */
static u64 spte_for(gfn_t gfn)
{
	return spte_make(gfn + 3, gfn & 1, 0);
}

static int pgtable_init(struct kunit *test)
{
	test->priv = secmmu_mmu_kunit(test, UINT_MAX);
	return 0;
}

static void prune_gfns(struct secmmu_mmu_kunit *mmu, gfn_t first, gfn_t last)
{
	secmmu_pgtable_prune(&mmu->pt, first, last, U64_MAX, true);
}

static void find_none(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table *next;
	gfn_t at = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfns[i]), 0);
	rcu_read_lock();
	next = secmmu_pgtable_next(&mmu->pt, &at, SECMMU_GFN_LAST);
	rcu_read_unlock();
	KUNIT_EXPECT_NULL(test, next);
	KUNIT_EXPECT_EQ(test, at, SECMMU_GFN_LAST + 1);
	/* The root is never given back. */
	prune_gfns(mmu, 0, SECMMU_GFN_LAST);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
	KUNIT_EXPECT_FALSE(test, mmu->pt.root->dead);
}

/* One page: found there, and nowhere that differs in one bit of one index. */
static void one_page(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	gfn_t gfn = *(const gfn_t *)test->param_value;
	unsigned int bit;

	secmmu_kunit_map(test, mmu, gfn, spte_for(gfn));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfn), spte_for(gfn));
	for (bit = 0; bit < SECMMU_GFN_BITS; bit++)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfn ^ BIT_ULL(bit)), 0);

	KUNIT_EXPECT_EQ(test, secmmu_kunit_drop(mmu, gfn, 0), spte_for(gfn));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfn), 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	prune_gfns(mmu, gfn, gfn);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
	KUNIT_EXPECT_EQ(test, mmu->pt.root->nr, 0);
}

static void sparse_pages(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		secmmu_kunit_map(test, mmu, gfns[i], spte_for(gfns[i]));
	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfns[i]),
				spte_for(gfns[i]));
	/* What goes takes nothing else with it. */
	for (i = 0; i < ARRAY_SIZE(gfns); i += 2)
		secmmu_kunit_drop(mmu, gfns[i], 0);
	prune_gfns(mmu, 0, SECMMU_GFN_LAST);
	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, gfns[i]),
				i % 2 ? spte_for(gfns[i]) : 0);
	for (i = 1; i < ARRAY_SIZE(gfns); i += 2)
		secmmu_kunit_drop(mmu, gfns[i], 0);
	prune_gfns(mmu, 0, SECMMU_GFN_LAST);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

static void full_leaf(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	unsigned int i;

	for (i = 0; i < 512; i++)
		secmmu_kunit_map(test, mmu, 512 + i, spte_for(i));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	for (i = 0; i < 512; i++)
		KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 512 + i), spte_for(i));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 511), 0);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 1024), 0);
	/* One entry holds all the tables. */
	for (i = 0; i < 511; i++)
		secmmu_kunit_drop(mmu, 512 + i, 0);
	prune_gfns(mmu, 0, SECMMU_GFN_LAST);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, 1023), spte_for(511));
}

/* All or nothing. */
static void too_few_tables(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table_cache cache = {};
	struct secmmu_table *linked[5];
	unsigned int n, left[5];
	long tables[5];

	for (n = 0; n < 5; n++) {
		KUNIT_EXPECT_EQ(test, secmmu_pgtable_fill(&cache, n), 0);
		KUNIT_EXPECT_EQ(test, cache.nr, n);
		rcu_read_lock();
		linked[n] = secmmu_pgtable_link(&mmu->pt, 5, 0, &cache);
		rcu_read_unlock();
		left[n] = cache.nr;
		tables[n] = secmmu_kunit_tables(mmu);
		prune_gfns(mmu, 0, SECMMU_GFN_LAST);
	}
	secmmu_pgtable_drain(&cache);
	KUNIT_EXPECT_EQ(test, cache.nr, 0);
	for (n = 0; n < 5; n++) {
		bool enough = n >= 3;

		KUNIT_EXPECT_EQ(test, !!linked[n], enough);
		KUNIT_EXPECT_EQ(test, left[n], enough ? n - 3 : n);
		KUNIT_EXPECT_EQ(test, tables[n], enough ? 4 : 1);
	}
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

static void link_again(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table_cache none = {};
	struct secmmu_table *leaf, *above;
	unsigned int leaf_level = 9, above_level = 9;

	secmmu_kunit_map(test, mmu, 700, spte_for(700));
	rcu_read_lock();
	leaf = secmmu_pgtable_link(&mmu->pt, 701, 0, &none);
	if (leaf)
		leaf_level = leaf->level;
	/* There is a leaf, and the table above is wanted. */
	above = secmmu_pgtable_link(&mmu->pt, 701, 1, &none);
	if (above)
		above_level = above->level;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, leaf_level, 0);
	KUNIT_EXPECT_EQ(test, above_level, 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
}

/* One page is mapped: where does a search of a range come to? */
#define PAGE		0x123456789ULL
#define LEAF		(PAGE & ~511ULL)
#define REGION		(PAGE & ~(BIT_ULL(18) - 1))
#define NOWHERE		~0ULL

static const struct next_param {
	gfn_t first, last, found;
	unsigned int level;
} nexts[] = {
	{ 0, SECMMU_GFN_LAST, REGION, 1 },
	{ 0, REGION, REGION, 1 },
	{ 0, REGION - 1, NOWHERE, 0 },
	{ REGION, REGION, REGION, 1 },
	{ LEAF - 1, SECMMU_GFN_LAST, LEAF - 1, 1 },
	{ LEAF, SECMMU_GFN_LAST, LEAF, 0 },
	{ LEAF + 511, LEAF + 511, LEAF + 511, 0 },
	{ PAGE, PAGE, PAGE, 0 },
	{ LEAF + 512, LEAF + 512, LEAF + 512, 1 },
	{ REGION + BIT_ULL(18) - 1, SECMMU_GFN_LAST, REGION + BIT_ULL(18) - 1, 1 },
	{ REGION + BIT_ULL(18), SECMMU_GFN_LAST, NOWHERE, 0 },
	{ SECMMU_GFN_LAST, SECMMU_GFN_LAST, NOWHERE, 0 },
	{ PAGE + 1, PAGE, NOWHERE, 0 },
};

static void describe_next(const struct next_param *next, char *text)
{
	snprintf(text, KUNIT_PARAM_DESC_SIZE, "0x%llx to 0x%llx", next->first,
		 next->last);
}

KUNIT_ARRAY_PARAM(next, nexts, describe_next);

static void next_table(struct kunit *test)
{
	const struct next_param *p = test->param_value;
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table *table;
	gfn_t found = p->first;
	unsigned int level = 0;

	secmmu_kunit_map(test, mmu, PAGE, spte_for(PAGE));
	rcu_read_lock();
	table = secmmu_pgtable_next(&mmu->pt, &found, p->last);
	if (table)
		level = table->level;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, !!table, p->found != NOWHERE);
	KUNIT_EXPECT_EQ(test, level, p->level);
	if (p->found == NOWHERE)
		KUNIT_EXPECT_GT(test, found, p->last);
	else
		KUNIT_EXPECT_EQ(test, found, p->found);
}

/* Going on behind each table, a search comes to every page once, in order. */
static void next_all(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table *table;
	gfn_t gfn = 0, found[ARRAY_SIZE(gfns)];
	unsigned int i, n = 0, leaves = 0;

	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		secmmu_kunit_map(test, mmu, gfns[i], spte_for(gfns[i]));
	rcu_read_lock();
	while ((table = secmmu_pgtable_next(&mmu->pt, &gfn, SECMMU_GFN_LAST))) {
		gfn_t end = secmmu_table_last(gfn, 1);

		leaves += !table->level;
		for (; !table->level && gfn <= end; gfn++)
			if (secmmu_table_read(table, gfn) && n < ARRAY_SIZE(found))
				found[n++] = gfn;
		gfn = end + 1;
	}
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, leaves, 9);
	KUNIT_ASSERT_EQ(test, n, ARRAY_SIZE(gfns));
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, found[i], gfns[i]);
}

/* B2: a table in which a flush is pending stays. */
static void B2_prune_pending(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;

	secmmu_kunit_map(test, mmu, 5, spte_for(5));
	secmmu_kunit_drop(mmu, 5, 7);
	secmmu_pgtable_prune(&mmu->pt, 5, 5, 6, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	secmmu_pgtable_prune(&mmu->pt, 5, 5, 7, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	secmmu_pgtable_prune(&mmu->pt, 5, 5, 8, true);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

/* B2: a table in the place of a pruned one inherits the pending flush. */
static void B2_inherited(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table *table;
	u64 gen[SECMMU_ROOT_LEVEL + 1] = {};

	spin_lock(&mmu->pt.root->lock);
	mmu->pt.root->zap_gen = 9;
	spin_unlock(&mmu->pt.root->lock);
	secmmu_kunit_map(test, mmu, 5, spte_for(5));
	rcu_read_lock();
	for (table = secmmu_pgtable_walk(&mmu->pt, 5); table; table = table->parent)
		gen[table->level] = table->zap_gen;
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, gen[0], 9);
	KUNIT_EXPECT_EQ(test, gen[1], 9);
	KUNIT_EXPECT_EQ(test, gen[2], 9);
}

/* Only what is empty and in the range goes, and parents with their last child. */
static void prune_range(struct kunit *test)
{
	static const gfn_t pages[] = { 0, 512, BIT_ULL(18) };
	struct secmmu_mmu_kunit *mmu = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		secmmu_kunit_map(test, mmu, pages[i], spte_for(i));
	/* Root, one below, two below that, three leaves. */
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 7);
	prune_gfns(mmu, 0, SECMMU_GFN_LAST);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 7);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		secmmu_kunit_drop(mmu, pages[i], 0);
	prune_gfns(mmu, 512, 1023);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 6);
	prune_gfns(mmu, 1024, BIT_ULL(18) - 1);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 6);
	prune_gfns(mmu, 511, 511);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 4);
	prune_gfns(mmu, BIT_ULL(18), BIT_ULL(18));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

/* Who holds an unlinked table can see that it is one; new walkers miss it. */
static void prune_unlinks(struct kunit *test)
{
	struct secmmu_mmu_kunit *mmu = test->priv;
	bool dead, parent_dead, gone;
	struct secmmu_table *leaf;

	secmmu_kunit_map(test, mmu, PAGE, spte_for(PAGE));
	secmmu_kunit_drop(mmu, PAGE, 0);
	rcu_read_lock();
	leaf = secmmu_pgtable_walk(&mmu->pt, PAGE);
	prune_gfns(mmu, PAGE, PAGE);
	dead = leaf->dead;
	parent_dead = leaf->parent->dead;
	gone = secmmu_pgtable_walk(&mmu->pt, PAGE) == mmu->pt.root;
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, dead);
	KUNIT_EXPECT_TRUE(test, parent_dead);
	KUNIT_EXPECT_TRUE(test, gone);
	/* The place can be taken again. */
	secmmu_kunit_map(test, mmu, PAGE, spte_for(PAGE));
	KUNIT_EXPECT_EQ(test, secmmu_kunit_spte(mmu, PAGE), spte_for(PAGE));
}

/* A page has been dropped, and a thread prunes its tables. */
static void create_pruner(struct kunit *test, struct secmmu_rival *rival)
{
	struct secmmu_mmu_kunit *mmu = test->priv;

	secmmu_kunit_map(test, mmu, PAGE, spte_for(PAGE));
	secmmu_kunit_drop(mmu, PAGE, 0);
	rival->context = mmu;
	secmmu_rival_create(test, rival);
}

static void prune_page(void *context)
{
	prune_gfns(context, PAGE, PAGE);
}

/* The lock of a table decides whether it comes into use or goes. */
static void G1_prune_waits(struct kunit *test)
{
	struct secmmu_rival rival = { .work = prune_page };
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table *leaf;
	bool waits, dead;

	create_pruner(test, &rival);
	rcu_read_lock();
	leaf = secmmu_pgtable_walk(&mmu->pt, PAGE);
	spin_lock(&leaf->lock);
	waits = secmmu_rival_waits(&rival);
	secmmu_table_count(leaf, 1);
	spin_unlock(&leaf->lock);
	secmmu_rival_await(&rival);
	spin_lock(&leaf->lock);
	dead = leaf->dead;
	secmmu_table_count(leaf, -1);
	spin_unlock(&leaf->lock);
	rcu_read_unlock();
	secmmu_rival_destroy(&rival);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_FALSE(test, dead);
}

/* The lock of its parent decides whether it is linked there. */
static void G1_prune_waits_for_parent(struct kunit *test)
{
	struct secmmu_rival rival = { .work = prune_page };
	struct secmmu_mmu_kunit *mmu = test->priv;
	struct secmmu_table *leaf, *parent;
	bool waits, dead, linked;

	create_pruner(test, &rival);
	rcu_read_lock();
	leaf = secmmu_pgtable_walk(&mmu->pt, PAGE);
	parent = leaf->parent;
	spin_lock(&parent->lock);
	waits = secmmu_rival_waits(&rival);
	dead = READ_ONCE(leaf->dead);
	linked = secmmu_table_read(parent, PAGE);
	spin_unlock(&parent->lock);
	rcu_read_unlock();
	secmmu_rival_destroy(&rival);
	KUNIT_EXPECT_TRUE(test, waits);
	KUNIT_EXPECT_FALSE(test, dead);
	KUNIT_EXPECT_TRUE(test, linked);
	KUNIT_EXPECT_EQ(test, secmmu_kunit_tables(mmu), 1);
}

static struct kunit_case pgtable_cases[] = {
	KUNIT_CASE(find_none),
	KUNIT_CASE_PARAM(one_page, gfn_gen_params),
	KUNIT_CASE(sparse_pages),
	KUNIT_CASE(full_leaf),
	KUNIT_CASE(too_few_tables),
	KUNIT_CASE(link_again),
	KUNIT_CASE_PARAM(next_table, next_gen_params),
	KUNIT_CASE(next_all),
	KUNIT_CASE(B2_prune_pending),
	KUNIT_CASE(B2_inherited),
	KUNIT_CASE(prune_range),
	KUNIT_CASE(prune_unlinks),
	KUNIT_CASE(G1_prune_waits),
	KUNIT_CASE(G1_prune_waits_for_parent),
	{}
};

static struct kunit_suite pgtable_suite = {
	.name = "secmmu_pgtable",
	.init = pgtable_init,
	.test_cases = pgtable_cases,
};

kunit_test_suite(pgtable_suite);
