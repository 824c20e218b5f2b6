// SPDX-License-Identifier: GPL-2.0
#include "age.h"

static bool age_leaf(struct secmmu_table *leaf, gfn_t first, gfn_t last,
		     bool clear)
{
	bool young = false;
	gfn_t gfn;

	for (gfn = first; gfn <= last; gfn++) {
		u64 *sptep = &leaf->spte[secmmu_table_index(gfn, 0)];

		if (!(READ_ONCE(*sptep) & SPTE_ACCESSED))
			continue;
		if (!clear)
			return true;
		/* The entry may be dropped meanwhile: then this clears nothing. */
		young |= test_and_clear_bit(SPTE_ACCESSED_BIT,
					    (unsigned long *)sptep);
	}
	return young;
}

/**
 * secmmu_age - were pages of a range accessed?
 * @pt: the page table
 * @first: first gfn
 * @last: last gfn
 * @clear: also forget it; the caller then moves the age generation
 *
 * Context: never sleeps; takes no lock.
 * Return: true if a page was accessed since the bits were cleared last.
 */
bool secmmu_age(struct secmmu_pgtable *pt, gfn_t first, gfn_t last, bool clear)
{
	bool young = false;

	while (first <= last && (clear || !young)) {
		struct secmmu_table *leaf;

		rcu_read_lock();
		leaf = secmmu_pgtable_next(pt, &first, last);
		if (leaf) {
			gfn_t leaf_last = min(last, secmmu_table_last(first, 1));

			young |= age_leaf(leaf, first, leaf_last, clear);
			first = leaf_last + 1;
		}
		rcu_read_unlock();
	}
	return young;
}
