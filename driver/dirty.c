// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/uaccess.h>

#include "dirty.h"

/* Words of the log copied at a time; they live on the stack. */
#define BATCH	32

/* Move the dirty bits of sptes to the bitmap. Returns their number. */
static u64 harvest(struct secmmu_slots *slots, struct secmmu_span *span,
		   gfn_t first, gfn_t last)
{
	u64 moved = 0;

	while (first <= last) {
		struct secmmu_table *leaf;
		gfn_t leaf_last;

		rcu_read_lock();
		leaf = secmmu_pgtable_next(slots->pt, &first, last);
		leaf_last = min(last, secmmu_table_last(first, 1));
		for (; leaf && first <= leaf_last; first++) {
			u64 *sptep = &leaf->spte[secmmu_table_index(first, 0)];

			if (!(READ_ONCE(*sptep) & SPTE_DIRTY))
				continue;
			/* If it is being dropped, whoever drops it moves the bit. */
			if (!test_and_clear_bit(SPTE_DIRTY_BIT,
						(unsigned long *)sptep))
				continue;
			set_bit(first - span->by_gfn.start, span->dirty);
			moved++;
		}
		rcu_read_unlock();
		cond_resched();
	}
	return moved;
}

static void give_back(unsigned long *to, const unsigned long *from,
		      unsigned int words)
{
	unsigned int bit;

	for_each_set_bit(bit, from, words * BITS_PER_LONG)
		set_bit(bit, to);
}

static int copy_log(unsigned long *dirty, u64 words, u64 __user *user)
{
	unsigned long batch[BATCH];
	unsigned int i, n;

	for (; words; words -= n, dirty += n, user += n) {
		n = min_t(u64, words, BATCH);
		for (i = 0; i < n; i++)
			batch[i] = xchg(&dirty[i], 0);
		if (copy_to_user(user, batch, n * sizeof(*batch))) {
			give_back(dirty, batch, n);
			return -EFAULT;
		}
	}
	return 0;
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
 * Return: 0; -ENXIO if there is no such slot; -EINVAL; -EFAULT, then pages not
 * yet copied stay in the log, and so do those of the batch that failed.
 */
int secmmu_dirty_log(struct secmmu_slots *slots,
		     const struct secmmu_get_dirty_log *arg)
{
	struct secmmu_slot *slot;
	u64 moved;
	gfn_t first;
	int err;

	mutex_lock(&slots->lock);
	slot = xa_load(&slots->by_id, arg->slot);
	err = slot ? log_check(&slot->span, arg) : -ENXIO;
	if (err)
		goto unlock;
	first = slot->span.by_gfn.start + arg->first_page;
	moved = harvest(slots, &slot->span, first, first + arg->nr_pages - 1);
	/*
	 * Windows that are open, and TLB entries, may write without setting the
	 * bit again. Wait for the ones and void the others, before the caller
	 * copies the pages.
	 */
	if (moved)
		secmmu_flush(slots->tlbs, moved);
	err = copy_log(slot->span.dirty + arg->first_page / BITS_PER_LONG,
		       DIV_ROUND_UP(arg->nr_pages, BITS_PER_LONG),
		       u64_to_user_ptr(arg->bitmap));
unlock:
	mutex_unlock(&slots->lock);
	return err;
}
