// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "pgtable.h"

static struct secmmu_table *table_alloc(void)
{
	struct secmmu_table *table;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->entry = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!table->entry) {
		kfree(table);
		return NULL;
	}
	spin_lock_init(&table->lock);
	return table;
}

static void table_free(struct secmmu_table *table)
{
	free_page((unsigned long)table->entry);
	kfree(table);
}

/* The table that an entry links, or NULL. */
static struct secmmu_table *table_below(u64 entry)
{
	if (!secmmu_entry_links(entry))
		return NULL;
	return (struct secmmu_table *)(unsigned long)entry;
}

static u64 link_to(struct secmmu_table *table)
{
	/* Aging may take a link for a large spte: a link must have none of its bits. */
	BUILD_BUG_ON((SPTE_PRESENT | SPTE_ACCESSED) >= ARCH_KMALLOC_MINALIGN);
	return (unsigned long)table;
}

static void table_free_rcu(struct rcu_head *rcu)
{
	table_free(container_of(rcu, struct secmmu_table, rcu));
}

/* As for the locks of a chain: teach lockdep now that reclaim takes these locks. */
static void prime_lockdep(struct secmmu_pgtable *pt)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	spin_lock(&pt->root->lock);
	spin_lock(&pt->spare_lock);
	spin_unlock(&pt->spare_lock);
	spin_unlock(&pt->root->lock);
	fs_reclaim_release(GFP_KERNEL);
}

/**
 * secmmu_pgtable_init - create an empty page table
 * @pt: the page table
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int secmmu_pgtable_init(struct secmmu_pgtable *pt)
{
	*pt = (struct secmmu_pgtable) {};
	spin_lock_init(&pt->spare_lock);
	pt->root = table_alloc();
	if (!pt->root)
		return -ENOMEM;
	pt->root->level = SECMMU_ROOT_LEVEL;
	atomic_long_set(&pt->nr_tables, 1);
	prime_lockdep(pt);
	return 0;
}

/**
 * secmmu_pgtable_destroy - free every table
 * @pt: the page table; no walker, fault or zap can reach it any more
 * @may_sleep: yield the processor between tables
 *
 * Context: any, unless @may_sleep.
 */
void secmmu_pgtable_destroy(struct secmmu_pgtable *pt, bool may_sleep)
{
	struct secmmu_table *table = pt->root, *child;
	unsigned int i = 0;

	/* Depth first; the index in the child tells where to continue. */
	while (table) {
		if (may_sleep)
			cond_resched();
		child = NULL;
		while (table->level && i < SECMMU_TABLE_ENTRIES && !child)
			child = table_below(table->entry[i++]);
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
	secmmu_pgtable_drain(&pt->spare);
}

static void push_spare(struct secmmu_table_cache *cache, struct secmmu_table *table)
{
	table->next = cache->head;
	cache->head = table;
	WRITE_ONCE(cache->nr, cache->nr + 1);
}

static struct secmmu_table *pop_spare(struct secmmu_table_cache *cache)
{
	struct secmmu_table *table = cache->head;

	if (table) {
		cache->head = table->next;
		WRITE_ONCE(cache->nr, cache->nr - 1);
	}
	return table;
}

/**
 * secmmu_pgtable_fill - set aside the tables that a fault may need
 * @cache: where to keep them; may hold some already
 * @nr: the number that it must hold afterwards
 *
 * Context: may sleep; no locks.
 * Return: 0 or -ENOMEM; tables set aside stay in @cache either way.
 */
int secmmu_pgtable_fill(struct secmmu_table_cache *cache, unsigned int nr)
{
	struct secmmu_table *table;

	while (cache->nr < nr) {
		table = table_alloc();
		if (!table)
			return -ENOMEM;
		push_spare(cache, table);
	}
	return 0;
}

/**
 * secmmu_pgtable_drain - free the tables left in a cache
 * @cache: the cache
 *
 * Context: any.
 */
void secmmu_pgtable_drain(struct secmmu_table_cache *cache)
{
	struct secmmu_table *table;

	while ((table = pop_spare(cache)))
		table_free(table);
}

/**
 * secmmu_pgtable_stock - keep tables left in a cache for splits
 * @pt: the page table
 * @cache: the cache; tables that are not needed stay in it
 *
 * Context: never sleeps.
 */
void secmmu_pgtable_stock(struct secmmu_pgtable *pt,
			  struct secmmu_table_cache *cache)
{
	spin_lock(&pt->spare_lock);
	while (cache->nr && pt->spare.nr < SECMMU_SPARE_TABLES &&
	       atomic_long_read(&pt->nr_large)) {
		push_spare(&pt->spare, pop_spare(cache));
		atomic_long_inc(&pt->nr_tables);
	}
	spin_unlock(&pt->spare_lock);
}

/*
 * A large spte goes. When none is left there is nothing to split: free the spare tables.
 * The lock orders this after a fault that still saw a large spte and stocked tables.
 */
static void uncount_large(struct secmmu_pgtable *pt)
{
	struct secmmu_table_cache unused;

	if (!atomic_long_dec_and_test(&pt->nr_large))
		return;
	spin_lock(&pt->spare_lock);
	unused = pt->spare;
	pt->spare.head = NULL;
	WRITE_ONCE(pt->spare.nr, 0);
	atomic_long_sub(unused.nr, &pt->nr_tables);
	spin_unlock(&pt->spare_lock);
	secmmu_pgtable_drain(&unused);
}

/**
 * secmmu_pgtable_walk - find the deepest table on the way to a gfn
 * @pt: the page table
 * @gfn: the guest frame
 *
 * Context: RCU read-side section or interrupts off; never sleeps.
 * Return: the leaf table; or, if a link is missing or a large spte is in the way, the
 * table with the entry that is no link. The table may be dead by now.
 */
struct secmmu_table *secmmu_pgtable_walk(struct secmmu_pgtable *pt, gfn_t gfn)
{
	struct secmmu_table *table = pt->root, *below;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held() && !irqs_disabled(),
			 "walk of tables that may go");
	/* Reads through a link depend on it, so they are ordered on all machines. */
	while (table->level &&
	       (below = table_below(secmmu_table_read(table, gfn))))
		table = below;
	return table;
}

/**
 * secmmu_pgtable_next - find the first table with sptes at or after a gfn
 * @pt: the page table
 * @gfn: where to start; moved up to the first gfn of the table in the range, or
 *	beyond @last
 * @last: last gfn of the range
 *
 * Context: RCU read-side section; never sleeps.
 * Return: the leaf table of *@gfn; the table of level 1 if its entry links no leaf; NULL if
 * there are no more. The table may be dead by now.
 */
struct secmmu_table *secmmu_pgtable_next(struct secmmu_pgtable *pt, gfn_t *gfn,
					 gfn_t last)
{
	while (*gfn <= last) {
		struct secmmu_table *table = secmmu_pgtable_walk(pt, *gfn);

		if (table->level <= 1)
			return table;
		*gfn = secmmu_table_last(*gfn, table->level) + 1;
	}
	return NULL;
}

/* Link tables from the cache below @table, down to @level, with one store. */
static void link_below(struct secmmu_pgtable *pt, struct secmmu_table *table,
		       gfn_t gfn, unsigned int level,
		       struct secmmu_table_cache *cache)
{
	struct secmmu_table *below = NULL, *top = NULL;

	lockdep_assert_held(&table->lock);
	for (; level < table->level; level++) {
		top = pop_spare(cache);
		top->level = level;
		top->index = secmmu_table_index(gfn, level + 1);
		top->zap_gen = table->zap_gen;
		if (below) {
			below->parent = top;
			top->entry[below->index] = link_to(below);
			top->nr = 1;
		}
		below = top;
		atomic_long_inc(&pt->nr_tables);
	}
	top->parent = table;
	secmmu_table_count(table, 1);
	/* Walkers that see the link see the tables initialised. */
	smp_store_release(&table->entry[top->index], link_to(top));
}

/* Replace a large spte by a leaf table. */
static void split_large(struct secmmu_pgtable *pt, struct secmmu_table *table,
			gfn_t gfn, struct secmmu_table *leaf)
{
	u64 *large = secmmu_table_entry(table, gfn);
	u64 spte = READ_ONCE(*large);
	unsigned int i;

	lockdep_assert_held(&table->lock);
	leaf->nr = SECMMU_TABLE_ENTRIES;
	leaf->level = 0;
	leaf->index = secmmu_table_index(gfn, 1);
	leaf->zap_gen = table->zap_gen;
	leaf->parent = table;
	uncount_large(pt);
	/* Walkers and aging change bits of the large spte until it is gone. */
	do {
		for (i = 0; i < SECMMU_TABLE_ENTRIES; i++)
			leaf->entry[i] = spte_small(spte, i);
		secmmu_gate_spin(SPLIT, 0);
	} while (!try_cmpxchg(large, &spte, link_to(leaf)));
}

/* One try of secmmu_pgtable_link() at the deepest table there is. */
static bool link_at(struct secmmu_pgtable *pt, struct secmmu_table *table,
		    gfn_t gfn, unsigned int level,
		    struct secmmu_table_cache *cache)
{
	u64 entry;

	spin_lock(&table->lock);
	entry = secmmu_table_read(table, gfn);
	if (!table->dead && !secmmu_entry_links(entry)) {
		if (cache->nr < table->level - level) {
			spin_unlock(&table->lock);
			return false;
		}
		if (entry) {
			split_large(pt, table, gfn, pop_spare(cache));
			atomic_long_inc(&pt->nr_tables);
		} else {
			link_below(pt, table, gfn, level, cache);
		}
	}
	spin_unlock(&table->lock);
	return true;
}

/**
 * secmmu_pgtable_link - find the table of a gfn, and link missing tables
 * @pt: the page table
 * @gfn: the guest frame
 * @level: 0, or 1 for a large spte
 * @cache: the source of missing tables
 *
 * Splits a large spte that is in the way of level 0.
 *
 * Context: RCU read-side section; takes &secmmu_table.lock; never sleeps.
 * Return: the table of that level, possibly dead by now; NULL, with nothing linked, if
 * @cache has too few tables.
 */
struct secmmu_table *secmmu_pgtable_link(struct secmmu_pgtable *pt, gfn_t gfn,
					 unsigned int level,
					 struct secmmu_table_cache *cache)
{
	struct secmmu_table *table;

	while ((table = secmmu_pgtable_walk(pt, gfn))->level > level)
		if (!link_at(pt, table, gfn, level, cache))
			return NULL;
	return table->level < level ? table->parent : table;
}

/* Unlink @table if it is unused, then each parent that has become unused. */
static void prune_tables(struct secmmu_pgtable *pt, struct secmmu_table *table,
			 u64 flushed)
{
	struct secmmu_table *parent;
	bool unused = true;

	while (unused && (parent = table->parent)) {
		spin_lock(&parent->lock);
		spin_lock_nested(&table->lock, SINGLE_DEPTH_NESTING);
		unused = !table->dead && !table->nr && table->zap_gen < flushed;
		if (unused) {
			table->dead = true;
			WRITE_ONCE(parent->entry[table->index], 0);
			secmmu_table_count(parent, -1);
		}
		spin_unlock(&table->lock);
		spin_unlock(&parent->lock);
		if (unused) {
			atomic_long_dec(&pt->nr_tables);
			call_rcu(&table->rcu, table_free_rcu);
		}
		table = parent;
	}
}

/**
 * secmmu_pgtable_prune - give back the empty tables of a range
 * @pt: the page table
 * @first: first gfn of the range
 * @last: last gfn of the range
 * @flushed: generation of the latest complete flush. A table in which sptes were
 *	dropped since then stays, so that other invalidations find that a flush is
 *	pending.
 * @may_sleep: yield the processor between tables
 *
 * Context: never waits; takes &secmmu_table.lock, of two tables at a time.
 */
void secmmu_pgtable_prune(struct secmmu_pgtable *pt, gfn_t first, gfn_t last,
			  u64 flushed, bool may_sleep)
{
	struct secmmu_table *table;

	while (first <= last) {
		rcu_read_lock();
		table = secmmu_pgtable_next(pt, &first, last);
		if (table) {
			if (!READ_ONCE(table->nr))
				prune_tables(pt, table, flushed);
			first = secmmu_table_last(first, 1) + 1;
		}
		rcu_read_unlock();
		if (may_sleep)
			cond_resched();
	}
}

/**
 * secmmu_table_drop - drop an spte
 * @pt: the page table
 * @table: a leaf table, or one of level 1 with a large spte; its lock is held
 * @gfn: the guest frame
 *
 * Context: never sleeps.
 * Return: the spte as it was.
 */
u64 secmmu_table_drop(struct secmmu_pgtable *pt, struct secmmu_table *table,
		      gfn_t gfn)
{
	lockdep_assert_held(&table->lock);
	secmmu_gate_spin(DROP, 0);
	if (table->level)
		uncount_large(pt);
	secmmu_table_count(table, -1);
	/* Exchange, because lockless walkers set accessed and dirty bits. */
	return xchg(secmmu_table_entry(table, gfn), 0);
}

/**
 * secmmu_table_leaf - find the leaf table that a large spte would replace
 * @table: a table of level 1; its lock is held
 * @gfn: a guest frame
 *
 * Context: never sleeps.
 * Return: the leaf table, or NULL if there is none.
 */
struct secmmu_table *secmmu_table_leaf(struct secmmu_table *table, gfn_t gfn)
{
	lockdep_assert_held(&table->lock);
	return table_below(secmmu_table_read(table, gfn));
}

/**
 * secmmu_table_set_large - install a large spte
 * @pt: the page table
 * @table: a table of level 1; its lock is held
 * @leaf: the result of secmmu_table_leaf(); its lock is held too, since before the
 *	caller's final check, because events come through either table
 * @gfn: a guest frame of the spte
 * @spte: the spte
 *
 * Replaces the entries that are there. They map the same pages, or belong to a slot that
 * is being replaced.
 *
 * Context: RCU read-side section; never sleeps.
 */
void secmmu_table_set_large(struct secmmu_pgtable *pt,
			    struct secmmu_table *table,
			    struct secmmu_table *leaf, gfn_t gfn, u64 spte)
{
	u64 *entry = secmmu_table_entry(table, gfn);
	u64 old = READ_ONCE(*entry), made;

	lockdep_assert_held(&table->lock);
	if (!leaf) {
		do {
			/* A TLB that holds the old entry does not record its access again. */
			made = spte | (old & SPTE_ACCESSED);
		} while (!try_cmpxchg64(entry, &old, made));
		if (!old) {
			secmmu_table_count(table, 1);
			atomic_long_inc(&pt->nr_large);
		}
		return;
	}
	lockdep_assert_held(&leaf->lock);
	/* An event that waits for this lock must then look for the spte here. */
	leaf->dead = true;
	table->zap_gen = max(table->zap_gen, leaf->zap_gen);
	/* Engines may be setting bits in the leaf right now: assume that they have. */
	xchg(entry, leaf->nr ? spte | SPTE_ACCESSED : spte);
	atomic_long_inc(&pt->nr_large);
	atomic_long_dec(&pt->nr_tables);
	call_rcu(&leaf->rcu, table_free_rcu);
}

/**
 * secmmu_table_split - replace a large spte by a leaf table that maps the same
 * @pt: the page table
 * @table: a table of level 1; its lock is held
 * @gfn: a guest frame of the spte
 *
 * Context: never sleeps or allocates.
 * Return: false if there is no spare table for it.
 */
bool secmmu_table_split(struct secmmu_pgtable *pt, struct secmmu_table *table,
			gfn_t gfn)
{
	struct secmmu_table *leaf;

	spin_lock(&pt->spare_lock);
	leaf = pop_spare(&pt->spare);
	spin_unlock(&pt->spare_lock);
	if (leaf)
		split_large(pt, table, gfn, leaf);
	return leaf;
}
