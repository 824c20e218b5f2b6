/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The radix page table: gfn -> spte, four levels of 512 entries.
 *
 * An entry of a leaf table (level 0) is an spte of one page. An entry above is
 * zero or the address of the table below; at level 1 it may also be a large spte,
 * which maps the 512 pages of a leaf table at once. The present bit tells which.
 *
 * Rules:
 *
 * - A walk takes no lock. It runs in an RCU read-side section (interrupts off counts),
 *   because tables are freed after a grace period.
 * - A change of an entry, other than of its accessed and dirty bits, takes the lock of its
 *   table, so work in different tables runs in parallel. Unlinking a table takes the lock
 *   of its parent and its own.
 *
 * Nothing here knows of an mm, a fault or a flush. Only secmmu_pgtable_init() and
 * secmmu_pgtable_fill() allocate.
 */
#ifndef SECMMU_PGTABLE_H
#define SECMMU_PGTABLE_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "hooks.h"
#include "limits.h"
#include "spte.h"

#define SECMMU_TABLE_SHIFT	9
#define SECMMU_TABLE_ENTRIES	BIT(SECMMU_TABLE_SHIFT)
#define SECMMU_ROOT_LEVEL	3

/* A large spte takes the place of a leaf table. */
static_assert(SECMMU_LARGE_PAGES == SECMMU_TABLE_ENTRIES);

/**
 * struct secmmu_table - one table of 512 entries
 * @lock: protects the entries (other than accessed and dirty bits), @nr, @zap_gen and
 *	@dead; a child's nests in its parent's; only the record lock and the lock of
 *	the spares nest inside
 * @level: 0 for a leaf, SECMMU_ROOT_LEVEL for the root
 * @dead: unlinked or about to be; set once
 * @index: the entry in @parent that links this table
 * @nr: entries that are not zero; written with secmmu_table_count(), because some
 *	readers without the lock use it as a hint that the table is empty
 * @zap_gen: TLB generation at the latest drop of an spte here, or zero. Engines may
 *	use dropped sptes until a flush with a later generation is complete. A
 *	new table inherits it from its parent.
 * @parent: the table that links this one; stable while linked
 * @entry: the entries, one page
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
	u64 *entry;
	union {
		struct rcu_head rcu;
		struct secmmu_table *next;
	};
};

/* Tables set aside for one fault, or for splits; @nr of the latter is read locklessly. */
struct secmmu_table_cache {
	struct secmmu_table *head;
	unsigned int nr;
};

/**
 * struct secmmu_pgtable - a tree of tables
 * @root: never unlinked
 * @nr_tables: tables in use or spare, the root included
 * @nr_large: large sptes
 * @spare_lock: protects @spare; innermost
 * @spare: tables for splits of large sptes by callbacks, which cannot allocate;
 *	faults that install large sptes bring them
 */
struct secmmu_pgtable {
	struct secmmu_table *root;
	atomic_long_t nr_tables;
	atomic_long_t nr_large;
	spinlock_t spare_lock;
	struct secmmu_table_cache spare;
};

int secmmu_pgtable_init(struct secmmu_pgtable *pt);
void secmmu_pgtable_destroy(struct secmmu_pgtable *pt, bool may_sleep);

int secmmu_pgtable_fill(struct secmmu_table_cache *cache, unsigned int nr);
void secmmu_pgtable_drain(struct secmmu_table_cache *cache);
void secmmu_pgtable_stock(struct secmmu_pgtable *pt,
			  struct secmmu_table_cache *cache);

struct secmmu_table *secmmu_pgtable_walk(struct secmmu_pgtable *pt, gfn_t gfn);
struct secmmu_table *secmmu_pgtable_next(struct secmmu_pgtable *pt, gfn_t *gfn,
					 gfn_t last);
struct secmmu_table *secmmu_pgtable_link(struct secmmu_pgtable *pt, gfn_t gfn,
					 unsigned int level,
					 struct secmmu_table_cache *cache);
void secmmu_pgtable_prune(struct secmmu_pgtable *pt, gfn_t first, gfn_t last,
			  u64 flushed, bool may_sleep);

u64 secmmu_table_drop(struct secmmu_pgtable *pt, struct secmmu_table *table,
		      gfn_t gfn);
struct secmmu_table *secmmu_table_leaf(struct secmmu_table *table, gfn_t gfn);
void secmmu_table_set_large(struct secmmu_pgtable *pt,
			    struct secmmu_table *table,
			    struct secmmu_table *leaf, gfn_t gfn, u64 spte);
bool secmmu_table_split(struct secmmu_pgtable *pt, struct secmmu_table *table,
			gfn_t gfn);

static inline unsigned int secmmu_table_index(gfn_t gfn, unsigned int level)
{
	return (gfn >> (level * SECMMU_TABLE_SHIFT)) & (SECMMU_TABLE_ENTRIES - 1);
}

/* The entry of @gfn in a table on the way to its leaf. */
static inline u64 *secmmu_table_entry(struct secmmu_table *table, gfn_t gfn)
{
	return &table->entry[secmmu_table_index(gfn, table->level)];
}

/* Read an entry; walkers may change accessed and dirty bits even under the lock. */
static inline u64 secmmu_table_read(struct secmmu_table *table, gfn_t gfn)
{
	return READ_ONCE(*secmmu_table_entry(table, gfn));
}

/* Add @by to the number of entries; the lock is held. */
static inline void secmmu_table_count(struct secmmu_table *table, int by)
{
	WRITE_ONCE(table->nr, table->nr + by);
}

/* Does an entry above the leaves link a table? */
static inline bool secmmu_entry_links(u64 entry)
{
	return entry && !(entry & SPTE_PRESENT);
}

/* The last gfn that the entry of @gfn at @level covers. */
static inline gfn_t secmmu_table_last(gfn_t gfn, unsigned int level)
{
	return gfn | (BIT_ULL(level * SECMMU_TABLE_SHIFT) - 1);
}

#endif
