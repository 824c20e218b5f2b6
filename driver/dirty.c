// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/uaccess.h>

#include "dirty.h"

/*
 * The log must name every page that was written before the call. A zap moves the bit of an
 * spte to the log, under the lock of the table. So the call looks at the sptes first, and
 * empties the log then: it finds a bit in the one place or in the other.
 *
 * The caller copies the pages that the log names, so every later write must show in a
 * later log. Windows and TLB entries that found the dirty bit set do not set it again. They
 * may use
 *
 *	- an spte that is still there: the call clears its dirty bit;
 *	- an spte that a zap has dropped and not flushed yet: its dirty bit is in the log.
 *
 * So the call flushes if it has found any bit, before it returns the log.
 */

/* Move the dirty bits of one table to @log from @bit on. Returns whether there was one. */
static bool take_leaf(struct secmmu_table *leaf, gfn_t first, gfn_t last,
		      unsigned long *log, u64 bit)
{
	bool any = false;
	gfn_t gfn;

	spin_lock(&leaf->lock);
	for (gfn = first; gfn <= last && leaf->nr; gfn++) {
		u64 *sptep = secmmu_table_entry(leaf, gfn);

		if (!(READ_ONCE(*sptep) & SPTE_DIRTY))
			continue;
		clear_bit(SPTE_DIRTY_BIT, (unsigned long *)sptep);
		__set_bit(bit + gfn - first, log);
		any = true;
	}
	spin_unlock(&leaf->lock);
	return any;
}

/* Move the dirty bits of a range to @log, whose bit 0 stands for @first. */
static bool take_sptes(struct secmmu_pgtable *pt, gfn_t first, gfn_t last,
		       unsigned long *log)
{
	gfn_t gfn = first;
	bool any = false;

	while (gfn <= last) {
		struct secmmu_table *table;

		rcu_read_lock();
		table = secmmu_pgtable_next(pt, &gfn, last);
		if (table) {
			gfn_t end = min(last, secmmu_table_last(gfn, 1));

			/* Slots with a log have no large sptes. */
			if (!table->level)
				any |= take_leaf(table, gfn, end, log, gfn - first);
			gfn = end + 1;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return any;
}

/* Move those of all domains that show the span. */
static bool take_roots(struct secmmu_slots *slots, const struct secmmu_span *span,
		       gfn_t first, gfn_t last, unsigned long *log)
{
	bool any = false;
	unsigned int i;

	for_each_set_bit(i, &span->domains, SECMMU_MAX_DOMAINS) {
		struct secmmu_pgtable *pt = secmmu_root(slots->roots, i);

		if (pt)
			any |= take_sptes(pt, first, last, log);
	}
	return any;
}

static u64 words_of(const struct secmmu_get_dirty_log *arg)
{
	return DIV_ROUND_UP_ULL(arg->nr_pages, BITS_PER_LONG);
}

static int log_check(const struct secmmu_span *span,
		     const struct secmmu_get_dirty_log *arg)
{
	u64 pages = span->by_gfn.last - span->by_gfn.start + 1;

	if (!span->log || !arg->nr_pages || arg->first_page >= pages ||
	    arg->nr_pages > pages - arg->first_page)
		return -EINVAL;
	if (arg->first_page % BITS_PER_LONG)
		return -EINVAL;
	if (arg->nr_pages % BITS_PER_LONG &&
	    arg->first_page + arg->nr_pages != pages)
		return -EINVAL;
	return 0;
}

/* Move the bits of the log and of the sptes to @bits. The configuration is locked. */
static void collect_dirty(struct secmmu_slots *slots, const struct secmmu_span *span,
			  const struct secmmu_get_dirty_log *arg, unsigned long *bits)
{
	gfn_t first = span->by_gfn.start + arg->first_page;
	gfn_t last = first + arg->nr_pages - 1;
	u64 word = arg->first_page / BITS_PER_LONG;
	bool due;

	due = take_roots(slots, span, first, last, bits);
	secmmu_gate(DIRTY_LOG, 0);
	/*
	 * A table that is not there was emptied into the log before it was pruned: first the
	 * table, then the log. Pairs with the table's lock, which drop_spte() and
	 * prune_tables() hold one after the other.
	 */
	smp_rmb();
	due |= secmmu_log_take(span->log, word, bits, words_of(arg));
	if (due)
		secmmu_flush(slots->tlbs, 0);
}

/*
 * Move the bits of the slot that the user names. User memory is not touched under the lock:
 * it may be slow, or wait for the caller itself. Returns the log, with a reference, so
 * that the bits can go back to it; or an error pointer.
 */
static struct secmmu_log *collect_locked(struct secmmu_slots *slots,
					 const struct secmmu_get_dirty_log *arg,
					 unsigned long **bits)
{
	struct secmmu_slot *slot;
	struct secmmu_log *log;
	int err;

	if (mutex_lock_killable(&slots->lock))
		return ERR_PTR(-EINTR);
	slot = xa_load(&slots->by_id, arg->slot);
	err = slot ? log_check(&slot->span, arg) : -ENXIO;
	if (err)
		goto unlock;
	err = -ENOMEM;
	*bits = kvcalloc(words_of(arg), sizeof(**bits), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!*bits)
		goto unlock;
	collect_dirty(slots, &slot->span, arg, *bits);
	log = secmmu_log_get(slot->span.log);
	err = 0;
unlock:
	mutex_unlock(&slots->lock);
	return err ? ERR_PTR(err) : log;
}

/**
 * secmmu_dirty_log - get and clear the dirty log of a slot
 * @slots: the slots of the mirror
 * @arg: as the user gave it
 *
 * Context: may sleep; no locks.
 * Return: 0; or, with no bit cleared, -ENXIO if there is no such slot, -EINVAL, -ENOMEM,
 * -EINTR, -EFAULT.
 */
int secmmu_dirty_log(struct secmmu_slots *slots,
		     const struct secmmu_get_dirty_log *arg)
{
	u64 words = words_of(arg);
	struct secmmu_log *log;
	unsigned long *bits;
	int err = 0;

	log = collect_locked(slots, arg, &bits);
	if (IS_ERR(log))
		return PTR_ERR(log);
	if (copy_to_user(u64_to_user_ptr(arg->bitmap), bits, words * sizeof(*bits))) {
		/* If the slot has gone meanwhile, no call can ask for this log any more. */
		secmmu_log_give_back(log, arg->first_page / BITS_PER_LONG, bits,
				     words);
		err = -EFAULT;
	}
	secmmu_log_put(log);
	kvfree(bits);
	return err;
}
