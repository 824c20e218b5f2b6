// SPDX-License-Identifier: GPL-2.0
#include "age.h"

/*
 * Age the sptes of one table, from *@gfn to @last; above the leaves, up to the next link.
 * Moves *@gfn to the first frame that is left.
 */
static bool age_table(struct secmmu_table *table, gfn_t *gfn, gfn_t last,
		      bool clear)
{
	const u64 accessed = SPTE_PRESENT | SPTE_ACCESSED;
	bool young = false;

	last = min(last, secmmu_table_last(*gfn, table->level + 1));
	for (; *gfn <= last; *gfn = secmmu_table_last(*gfn, table->level) + 1) {
		u64 *sptep = secmmu_table_entry(table, *gfn);
		u64 spte = READ_ONCE(*sptep);

		if (table->level && secmmu_entry_links(spte))
			break;
		if ((spte & accessed) != accessed)
			continue;
		/*
		 * A zap may drop or split the spte meanwhile. Then this clears
		 * nothing, because neither zero nor a link has this bit.
		 */
		young |= !clear || test_and_clear_bit(SPTE_ACCESSED_BIT,
						      (unsigned long *)sptep);
	}
	return young;
}

/**
 * secmmu_age - test whether pages of a range were accessed
 * @pt: the page table
 * @first: first gfn
 * @last: last gfn
 * @clear: also clear the accessed bits; the caller then raises the age generation
 *
 * Context: never sleeps; takes no lock.
 * Return: true if a page was accessed since the bits were last cleared.
 */
bool secmmu_age(struct secmmu_pgtable *pt, gfn_t first, gfn_t last, bool clear)
{
	bool young = false;

	while (first <= last && (clear || !young)) {
		struct secmmu_table *table;

		rcu_read_lock();
		table = secmmu_pgtable_next(pt, &first, last);
		if (table)
			young |= age_table(table, &first, last, clear);
		rcu_read_unlock();
	}
	return young;
}
