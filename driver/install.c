// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>

#include "install.h"
#include "trace.h"

/* The events that have hit a fault by its final check: any, and the lowest address. */
struct hit {
	bool any;
	unsigned long from;
};

static int retry_fault(struct secmmu_fault *fault, enum secmmu_counter cause)
{
	secmmu_count(fault->mirror->counters, cause, 1);
	trace_secmmu_retry(fault->mirror, fault->gfn, cause);
	return -EAGAIN;
}

/* May the fault install? Under the lock of the table. */
static int check_fault(struct secmmu_fault *fault, struct hit *hit)
{
	struct secmmu_member *member = &fault->mirror->member;
	struct secmmu_records *records = fault->records;
	struct secmmu_inflight *record = &fault->record;
	unsigned long hva = fault->target.hva;
	bool moved, foreign, released;

	/*
	 * The fault has linked the table before it takes this lock. An event that
	 * does not see the link has marked the fault under the same lock before.
	 */
	do {
		spin_lock(&records->lock);
		moved = fault->target.span_gen != READ_ONCE(member->span_gen);
		released = records->released;
		foreign = record->foreign;
		hit->any = record->hit;
		hit->from = record->hit_from;
		spin_unlock(&records->lock);
	} while (moved && secmmu_target_current(member, fault->gfn, &fault->target));

	if (released)
		return -ESRCH;
	if (moved)
		return retry_fault(fault, SECMMU_COUNT_RETRIES_SLOT);
	secmmu_gate_spin(FAULT_CHECKED, hva);
	/* If events hit later pages only, the first ones can go in. */
	if (hit->from <= hva + PAGE_SIZE - 1)
		return retry_fault(fault, foreign ? SECMMU_COUNT_RETRIES_EVENT :
					      SECMMU_COUNT_RETRIES_SELF);
	return 0;
}

/*
 * Mark a page for the kernel, before engines write to it. One that is marked stays so for
 * as long as the spte: the kernel unmaps a page, or protects it, before it cleans it.
 */
static void mark_dirty(struct secmmu_fault *fault, struct page *page)
{
	if (secmmu_fault_writes(fault) && !PageDirty(page))
		set_page_dirty(page);
}

static void install_one(struct secmmu_fault *fault, struct secmmu_table *leaf,
			unsigned int i)
{
	u64 *sptep = secmmu_table_entry(leaf, fault->gfn + i);
	u64 old = READ_ONCE(*sptep);
	u64 spte = spte_make(page_to_pfn(fault->page[i]), secmmu_fault_writes(fault),
			     fault->target.key);
	u64 made;

	/*
	 * By the check above the CPU maps this page, writable if the fault writes,
	 * and cannot unmap it before this lock is released. So the page may be
	 * dirtied as under the CPU's own page-table lock.
	 */
	mark_dirty(fault, fault->page[i]);
	if (!old) {
		/* Walkers leave no bits in an absent entry. */
		WRITE_ONCE(*sptep, spte);
		secmmu_table_count(leaf, 1);
		return;
	}
	/* Never take away permissions that another fault has installed. */
	if (spte_covers(old, spte))
		return;
	/*
	 * An entry for another page came through a slot that is being replaced.
	 * TLBs may hold it. The zap of that slot finds an entry here, drops it
	 * and flushes, before the slot is forgotten. The dirty bit of the old entry
	 * goes to the log.
	 */
	do {
		/* A TLB that holds the old entry does not record its access again. */
		made = spte | (old & SPTE_ACCESSED);
	} while (!try_cmpxchg64(sptep, &old, made));
	if (old & SPTE_DIRTY)
		secmmu_spans_log(&fault->mirror->member.spans, fault->gfn + i);
}

/* Install small sptes, under the lock of their table; returns as install_pages(). */
static int install_small(struct secmmu_fault *fault, struct secmmu_table *leaf,
			 unsigned int got)
{
	struct hit hit;
	int err;

	err = check_fault(fault, &hit);
	if (err)
		return err;
	/* The pages before the first that an event has hit. */
	got = min_t(unsigned long, got, (hit.from - fault->target.hva) >> PAGE_SHIFT);
	for (unsigned int i = 0; i < got; i++)
		install_one(fault, leaf, i);
	secmmu_count(fault->mirror->counters, SECMMU_COUNT_FAULT_PAGES, got);
	return got;
}

/* The number of wanted pages from the fault's first to the end of its block. */
static int rest_of_block(const struct secmmu_fault *fault)
{
	return min_t(u64, fault->wanted, SECMMU_LARGE_PAGES -
					 secmmu_table_index(fault->gfn, 0));
}

/* Install a large spte, with all locks held; returns as install_pages(). */
static int install_locked(struct secmmu_fault *fault, struct secmmu_table *table,
			  struct secmmu_table *leaf)
{
	unsigned long pfn = page_to_pfn(fault->page[0]) -
			    secmmu_table_index(fault->gfn, 0);
	u64 spte = spte_make(pfn, secmmu_fault_writes(fault), fault->target.key);
	struct hit hit;
	int err;

	err = check_fault(fault, &hit);
	if (err)
		return err;
	if (hit.any)
		/* An event hit the block elsewhere: install small sptes instead. */
		return 0;
	/* As for small sptes, for the folio as a whole. */
	mark_dirty(fault, fault->page[0]);
	if (!spte_covers(secmmu_table_read(table, fault->gfn), spte))
		secmmu_table_set_large(fault->pt, table, leaf, fault->gfn, spte);
	secmmu_count(fault->mirror->counters, SECMMU_COUNT_FAULT_PAGES, 1);
	return rest_of_block(fault);
}

/*
 * Check and install are one step for events that come to the table, and for events that
 * come to the leaf table that the spte replaces: lock both.
 */
static int install_large(struct secmmu_fault *fault, struct secmmu_table *table)
{
	struct secmmu_table *leaf = secmmu_table_leaf(table, fault->gfn);
	int ret;

	if (!leaf)
		return install_locked(fault, table, NULL);
	spin_lock_nested(&leaf->lock, SINGLE_DEPTH_NESTING);
	ret = install_locked(fault, table, leaf);
	spin_unlock(&leaf->lock);
	return ret;
}

/* Has another fault installed a large spte that suffices? */
static bool large_in_place(struct secmmu_fault *fault)
{
	struct secmmu_table *table = secmmu_pgtable_walk(fault->pt, fault->gfn);
	u64 needs = spte_needs(secmmu_fault_writes(fault));

	return table->level == 1 &&
	       (secmmu_table_read(table, fault->gfn) & needs) == needs;
}

/*
 * Install one large spte, or small ones. Returns the number of pages in place from the
 * first on, or an errno; 0 if a large one is not possible.
 */
static int install_pages(struct secmmu_fault *fault, unsigned int got, bool large)
{
	struct secmmu_table *table;
	int ret;

	rcu_read_lock();
	if (!large && large_in_place(fault)) {
		rcu_read_unlock();
		return rest_of_block(fault);
	}
	table = secmmu_pgtable_link(fault->pt, fault->gfn, large, &fault->cache);
	if (!table) {
		rcu_read_unlock();
		return retry_fault(fault, SECMMU_COUNT_RETRIES_TABLE);
	}
	secmmu_gate_spin(FAULT_LINKED, fault->target.hva);
	spin_lock(&table->lock);
	if (table->dead)
		ret = retry_fault(fault, SECMMU_COUNT_RETRIES_TABLE);
	else if (large)
		ret = install_large(fault, table);
	else
		ret = install_small(fault, table, got);
	spin_unlock(&table->lock);
	rcu_read_unlock();
	return ret;
}

/**
 * secmmu_install - install the sptes of a fault
 * @fault: the fault, recorded
 * @got: number of pages that it holds references to
 *
 * Context: process; takes the locks of one or two tables; does not sleep.
 * Return: number of pages in place from the first on, above zero; -EAGAIN, counted by its
 * cause, if the fault has to start again; -ESRCH if the mm is gone.
 */
int secmmu_install(struct secmmu_fault *fault, unsigned int got)
{
	struct secmmu_pgtable *pt = fault->pt;
	int ret = 0;

	if (fault->large) {
		ret = install_pages(fault, got, true);
		if (ret > 0)
			/* A callback may have to split it, and cannot allocate. */
			secmmu_pgtable_stock(pt, &fault->cache);
	}
	if (!ret)
		ret = install_pages(fault, got, false);
	/* Give back tables linked for nothing: a zap may never come here. */
	if (ret < 0)
		secmmu_pgtable_prune(pt, fault->gfn, fault->gfn,
				     atomic64_read(&fault->mirror->tlbs.flushed), true);
	return ret;
}
