/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The radix page table: gfn -> spte, four levels of 512 entries.
 *
 * Who may do what:
 *
 * - Anyone may walk, inside an RCU read-side section (interrupts off counts),
 *   without a lock: links are RCU pointers and tables are freed after a grace
 *   period.
 * - Linking and unlinking tables takes &secmmu_pgtable.lock; installing and
 *   dropping sptes takes the lock of the leaf table, so that work in different
 *   tables runs in parallel.
 *
 * Nothing here knows of an mm, a fault or a flush. Only init and
 * secmmu_pgtable_fill() allocate.
 */
#ifndef SECMMU_PGTABLE_H
#define SECMMU_PGTABLE_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "limits.h"
#include "spte.h"

#define SECMMU_TABLE_SHIFT	9
#define SECMMU_TABLE_ENTRIES	BIT(SECMMU_TABLE_SHIFT)
#define SECMMU_ROOT_LEVEL	3

/**
 * struct secmmu_table - one table of 512 entries
 * @lock: leaf only: protects the sptes (but for accessed and dirty), @nr,
 *	@zap_gen and the setting of @dead; innermost but for the record lock
 * @level: 0 for a leaf, SECMMU_ROOT_LEVEL for the root
 * @dead: leaf only: unlinked; set once
 * @index: the entry in @parent that links this table
 * @nr: present sptes (leaf, under @lock) or children (under the pgtable's lock)
 * @zap_gen: TLB generation at the latest drop of an spte here, or zero. While
 *	no flush with a later generation is complete, engines may still hold
 *	what was dropped.
 * @parent: the table that links this one; stable while linked
 * @spte: leaf: the entries, one page
 * @child: other levels: the links, one page
 * @rcu: defers the freeing
 * @next: links preallocated tables
 */
struct secmmu_table {
	spinlock_t lock;
	u8 level;
	bool dead;
	u16 index;
	u16 nr;
	u64 zap_gen;
	struct secmmu_table *parent;
	union {
		u64 *spte;
		struct secmmu_table __rcu **child;
	};
	union {
		struct rcu_head rcu;
		struct secmmu_table *next;
	};
};

/**
 * struct secmmu_pgtable - a tree of tables
 * @lock: protects the links, taken outside the lock of any leaf
 * @root: never unlinked
 * @nr_tables: tables in use, the root included
 */
struct secmmu_pgtable {
	spinlock_t lock;
	struct secmmu_table *root;
	atomic_long_t nr_tables;
};

/* Tables set aside for one fault: at most one for each level but the root. */
struct secmmu_table_cache {
	struct secmmu_table *head;
	unsigned int nr;
};

int secmmu_pgtable_init(struct secmmu_pgtable *pt);
void secmmu_pgtable_destroy(struct secmmu_pgtable *pt);

int secmmu_pgtable_fill(struct secmmu_table_cache *cache);
void secmmu_pgtable_drain(struct secmmu_table_cache *cache);

struct secmmu_table *secmmu_pgtable_leaf(struct secmmu_pgtable *pt, gfn_t gfn);
struct secmmu_table *secmmu_pgtable_next(struct secmmu_pgtable *pt, gfn_t *gfn,
					 gfn_t last);
struct secmmu_table *secmmu_pgtable_link(struct secmmu_pgtable *pt, gfn_t gfn,
					 struct secmmu_table_cache *cache);
void secmmu_pgtable_prune(struct secmmu_pgtable *pt, gfn_t first, gfn_t last,
			  u64 flushed);

static inline unsigned int secmmu_table_index(gfn_t gfn, unsigned int level)
{
	return (gfn >> (level * SECMMU_TABLE_SHIFT)) & (SECMMU_TABLE_ENTRIES - 1);
}

/* The last gfn that the entry of @gfn at @level covers. */
static inline gfn_t secmmu_table_last(gfn_t gfn, unsigned int level)
{
	return gfn | (BIT_ULL(level * SECMMU_TABLE_SHIFT) - 1);
}

#endif
