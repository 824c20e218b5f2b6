// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "pgtable.h"

static struct secmmu_table *table_alloc(void)
{
	struct secmmu_table *table;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->spte = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!table->spte) {
		kfree(table);
		return NULL;
	}
	spin_lock_init(&table->lock);
	return table;
}

static void table_free(struct secmmu_table *table)
{
	free_page((unsigned long)table->spte);
	kfree(table);
}

static void table_free_rcu(struct rcu_head *rcu)
{
	table_free(container_of(rcu, struct secmmu_table, rcu));
}

/**
 * secmmu_pgtable_init - make an empty page table
 * @pt: the page table
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int secmmu_pgtable_init(struct secmmu_pgtable *pt)
{
	spin_lock_init(&pt->lock);
	pt->root = table_alloc();
	if (!pt->root)
		return -ENOMEM;
	pt->root->level = SECMMU_ROOT_LEVEL;
	atomic_long_set(&pt->nr_tables, 1);
	return 0;
}

/**
 * secmmu_pgtable_destroy - free every table
 * @pt: the page table; no walker, fault or zap can reach it any more
 *
 * Context: may sleep.
 */
void secmmu_pgtable_destroy(struct secmmu_pgtable *pt)
{
	struct secmmu_table *table = pt->root, *child;
	unsigned int i = 0;

	/* Depth first; the index in the child tells where to go on. */
	while (table) {
		cond_resched();
		child = NULL;
		while (table->level && i < SECMMU_TABLE_ENTRIES && !child)
			child = rcu_dereference_raw(table->child[i++]);
		if (child) {
			table = child;
			i = 0;
			continue;
		}
		child = table;
		table = child->parent;
		i = child->index + 1;
		table_free(child);
	}
	pt->root = NULL;
}

/**
 * secmmu_pgtable_fill - set aside the tables a fault may need
 * @cache: where to keep them; may hold some already
 *
 * Context: may sleep; no locks.
 * Return: 0 or -ENOMEM; what was set aside stays in @cache either way.
 */
int secmmu_pgtable_fill(struct secmmu_table_cache *cache)
{
	struct secmmu_table *table;

	while (cache->nr < SECMMU_ROOT_LEVEL) {
		table = table_alloc();
		if (!table)
			return -ENOMEM;
		table->next = cache->head;
		cache->head = table;
		cache->nr++;
	}
	return 0;
}

/**
 * secmmu_pgtable_drain - free what is left of a cache
 * @cache: the cache
 *
 * Context: any.
 */
void secmmu_pgtable_drain(struct secmmu_table_cache *cache)
{
	struct secmmu_table *table;

	while ((table = cache->head)) {
		cache->head = table->next;
		cache->nr--;
		table_free(table);
	}
}

/* The deepest table on the way to @gfn: the leaf, unless a link is missing. */
static struct secmmu_table *table_walk(struct secmmu_pgtable *pt, gfn_t gfn)
{
	struct secmmu_table *table = pt->root, *child;

	while (table->level) {
		unsigned int i = secmmu_table_index(gfn, table->level);

		child = rcu_dereference_check(table->child[i],
					      irqs_disabled() ||
					      lockdep_is_held(&pt->lock));
		if (!child)
			break;
		table = child;
	}
	return table;
}

/**
 * secmmu_pgtable_leaf - find the leaf table of a gfn
 * @pt: the page table
 * @gfn: the guest frame
 *
 * Context: RCU read-side section or interrupts off; never sleeps.
 * Return: the leaf table, possibly dead by now, or NULL.
 */
struct secmmu_table *secmmu_pgtable_leaf(struct secmmu_pgtable *pt, gfn_t gfn)
{
	struct secmmu_table *table = table_walk(pt, gfn);

	return table->level ? NULL : table;
}

/**
 * secmmu_pgtable_next - find the first leaf table at or after a gfn
 * @pt: the page table
 * @gfn: where to start; moved up to the first gfn of the leaf that lies in the
 *	range, or beyond @last
 * @last: last gfn of the range
 *
 * Context: RCU read-side section; never sleeps.
 * Return: the leaf table, possibly dead by now, or NULL if there is no more.
 */
struct secmmu_table *secmmu_pgtable_next(struct secmmu_pgtable *pt, gfn_t *gfn,
					 gfn_t last)
{
	while (*gfn <= last) {
		struct secmmu_table *table = table_walk(pt, *gfn);

		if (!table->level)
			return table;
		*gfn = secmmu_table_last(*gfn, table->level) + 1;
	}
	return NULL;
}

/**
 * secmmu_pgtable_link - find the leaf table of a gfn, linking what is missing
 * @pt: the page table
 * @gfn: the guest frame
 * @cache: where missing tables come from
 *
 * Context: RCU read-side section; takes &secmmu_pgtable.lock; never sleeps.
 * Return: the leaf table, possibly dead by now, or NULL if @cache has too few
 * tables: nothing is linked then.
 */
struct secmmu_table *secmmu_pgtable_link(struct secmmu_pgtable *pt, gfn_t gfn,
					 struct secmmu_table_cache *cache)
{
	struct secmmu_table *table = table_walk(pt, gfn), *child;

	if (!table->level)
		return table;

	spin_lock(&pt->lock);
	table = table_walk(pt, gfn);
	/* All the way or not at all: prune starts from leaves. */
	while (table->level && cache->nr >= table->level) {
		child = cache->head;
		cache->head = child->next;
		cache->nr--;

		child->level = table->level - 1;
		child->index = secmmu_table_index(gfn, table->level);
		child->parent = table;
		rcu_assign_pointer(table->child[child->index], child);
		table->nr++;
		atomic_long_inc(&pt->nr_tables);
		table = child;
	}
	spin_unlock(&pt->lock);
	return table->level ? NULL : table;
}

/* Unlink @table and the parents that this leaves empty. */
static void table_unlink(struct secmmu_pgtable *pt, struct secmmu_table *table)
{
	struct secmmu_table *parent;

	lockdep_assert_held(&pt->lock);
	do {
		parent = table->parent;
		RCU_INIT_POINTER(parent->child[table->index], NULL);
		parent->nr--;
		atomic_long_dec(&pt->nr_tables);
		call_rcu(&table->rcu, table_free_rcu);
		table = parent;
	} while (!table->nr && table->parent);
}

/**
 * secmmu_pgtable_prune - give back the empty tables of a range
 * @pt: the page table
 * @first: first gfn of the range
 * @last: last gfn of the range
 * @flushed: generation of the latest complete flush. A table in which sptes
 *	were dropped since then stays: whoever finds it must find that a flush
 *	is pending.
 *
 * Context: never sleeps; takes &secmmu_pgtable.lock, once for each leaf.
 */
void secmmu_pgtable_prune(struct secmmu_pgtable *pt, gfn_t first, gfn_t last,
			  u64 flushed)
{
	struct secmmu_table *leaf;

	while (first <= last) {
		spin_lock(&pt->lock);
		leaf = secmmu_pgtable_next(pt, &first, last);
		if (leaf) {
			bool unused;

			spin_lock(&leaf->lock);
			unused = !leaf->nr && leaf->zap_gen < flushed;
			if (unused)
				leaf->dead = true;
			spin_unlock(&leaf->lock);
			if (unused)
				table_unlink(pt, leaf);
			first = secmmu_table_last(first, 1) + 1;
		}
		spin_unlock(&pt->lock);
	}
}
