// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/uaccess.h>

#include "dirty.h"
#include "test/gate.h"
#include "test/inject.h"
#include "test/mutant.h"

/*
 * Who asks for the log copies the pages that it names, so every later write must
 * show in a later log. Two kinds of writers could slip through: windows and TLB
 * entries that found the dirty bit set, and so do not set it again
 *
 *	- in an spte that is still there: its bit is cleared here;
 *	- in an spte that an event has dropped, but not yet flushed: its bit is in
 *	  the bitmap already. That is why the bitmap is emptied first, and why
 *	  tables with a pending flush count afterwards: whoever set a bit we took
 *	  holds the lock of the table until it has noted that.
 *
 * In either case a flush comes before the log is given out.
 */

/* Empty the bitmap into @log. */
static void take_bitmap(unsigned long *dirty, unsigned long *log, u64 words)
{
	u64 i;

	for (i = 0; i < words; i++)
		if (READ_ONCE(dirty[i]))
			log[i] = xchg(&dirty[i], 0);
}

static void give_back(unsigned long *dirty, const unsigned long *log, u64 pages)
{
	u64 bit;

	for (bit = 0; bit < pages; bit++)
		if (test_bit(bit, log))
			set_bit(bit, dirty);
}

/* Move the dirty bits of one table to @log from @bit on. Is a flush due? */
static bool take_leaf(struct secmmu_slots *slots, struct secmmu_table *leaf,
		      gfn_t first, gfn_t last, unsigned long *log, u64 bit)
{
	bool due;
	gfn_t gfn;

	spin_lock(&leaf->lock);
	due = leaf->zap_gen >= atomic64_read_acquire(&slots->tlbs->flushed);
	for (gfn = first; gfn <= last && leaf->nr; gfn++) {
		u64 *sptep = secmmu_table_entry(leaf, gfn);

		if (!(READ_ONCE(*sptep) & SPTE_DIRTY))
			continue;
		clear_bit(SPTE_DIRTY_BIT, (unsigned long *)sptep);
		__set_bit(bit + gfn - first, log);
		due = true;
	}
	spin_unlock(&leaf->lock);
	return due;
}

/* The same for all sptes of a range; bit 0 of @log stands for @first. */
static bool take_sptes(struct secmmu_slots *slots, struct secmmu_pgtable *pt,
		       gfn_t first, gfn_t last, unsigned long *log)
{
	gfn_t gfn = first;
	bool due = false;

	while (gfn <= last) {
		struct secmmu_table *table;

		rcu_read_lock();
		table = secmmu_pgtable_next(pt, &gfn, last);
		if (table) {
			gfn_t end = min(last, secmmu_table_last(gfn, 1));

			/* Slots with a log have no large sptes. */
			if (!table->level)
				due |= take_leaf(slots, table, gfn, end, log,
						 gfn - first);
			gfn = end + 1;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return due;
}

/* ... in all domains that may have some. */
static bool take_roots(struct secmmu_slots *slots, const struct secmmu_span *span,
		       gfn_t first, gfn_t last, unsigned long *log)
{
	bool due = false;
	unsigned int i;

	for_each_set_bit(i, &span->domains,
			 secmmu_mutant(LOG_FEW_ROOTS) ? 4 : SECMMU_MAX_DOMAINS) {
		struct secmmu_pgtable *pt = secmmu_root(slots->roots, i);

		if (pt)
			due |= take_sptes(slots, pt, first, last, log);
	}
	return due;
}

static int log_check(const struct secmmu_span *span,
		     const struct secmmu_get_dirty_log *arg)
{
	u64 pages = span->by_gfn.last - span->by_gfn.start + 1;

	if (!span->dirty || !arg->nr_pages || arg->first_page >= pages ||
	    arg->nr_pages > pages - arg->first_page)
		return -EINVAL;
	if (arg->first_page % BITS_PER_LONG)
		return -EINVAL;
	if (arg->nr_pages % BITS_PER_LONG &&
	    arg->first_page + arg->nr_pages != pages)
		return -EINVAL;
	return 0;
}

/**
 * secmmu_dirty_log - get and clear the dirty log of a slot
 * @slots: the slots of the mirror
 * @arg: as the user gave it
 *
 * Context: may sleep; no locks.
 * Return: 0; or with nothing forgotten -ENXIO if there is no such slot, -EINVAL,
 * -ENOMEM, -EFAULT.
 */
int secmmu_dirty_log(struct secmmu_slots *slots,
		     const struct secmmu_get_dirty_log *arg)
{
	u64 words = DIV_ROUND_UP_ULL(arg->nr_pages, BITS_PER_LONG);
	unsigned long *log, *dirty;
	struct secmmu_slot *slot;
	gfn_t first;
	int err;

	mutex_lock(&slots->lock);
	slot = xa_load(&slots->by_id, arg->slot);
	err = slot ? log_check(&slot->span, arg) : -ENXIO;
	if (err)
		goto unlock;
	err = -ENOMEM;
	log = secmmu_may_fail(kvcalloc(words, sizeof(*log),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN), NULL);
	if (!log)
		goto unlock;

	dirty = slot->span.dirty + arg->first_page / BITS_PER_LONG;
	first = slot->span.by_gfn.start + arg->first_page;
	take_bitmap(dirty, log, words);
	secmmu_gate(DIRTY_LOG, 0);
	if (take_roots(slots, &slot->span, first, first + arg->nr_pages - 1, log) &&
	    !secmmu_mutant(LOG_UNFLUSHED))
		secmmu_flush(slots->tlbs, 0);
	err = 0;
	if (secmmu_may_fault(copy_to_user(u64_to_user_ptr(arg->bitmap), log,
					  words * sizeof(*log)), 1)) {
		if (!secmmu_mutant(LOG_LOST))
			give_back(dirty, log, arg->nr_pages);
		err = -EFAULT;
	}
	kvfree(log);
unlock:
	mutex_unlock(&slots->lock);
	return err;
}
