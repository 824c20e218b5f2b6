// SPDX-License-Identifier: GPL-2.0
#include "test/mutant.h"
#include "tlb.h"

/* Find the spte and record the access in it, before it happens. */
static u64 walk(struct secmmu_pgtable *pt, gfn_t gfn, bool write)
{
	struct secmmu_table *table = secmmu_pgtable_walk(pt, gfn);
	u64 *sptep = secmmu_table_entry(table, gfn), spte, marked;

	/* No spte, or a link that has just appeared: not present. */
	spte = READ_ONCE(*sptep);
	do {
		if ((spte & spte_needs(write)) != spte_needs(write))
			return 0;
		marked = spte | spte_leaves(write);
	} while (marked != spte && !try_cmpxchg(sptep, &spte, marked));
	return table->level ? spte_small(marked, secmmu_table_index(gfn, 0)) :
			      marked;
}

/**
 * secmmu_tlb_translate - translate in an open window
 * @tlb: the engine's TLB
 * @pt: the mirror's page table
 * @window: the window
 * @gfn: the guest frame
 * @write: the access writes
 *
 * Context: in a window; never sleeps; no lock. The engine is locked.
 * Return: an spte that permits the access until the window closes, or 0 if a
 * fault must come first.
 */
u64 secmmu_tlb_translate(struct secmmu_tlb *tlb, struct secmmu_pgtable *pt,
			 const struct secmmu_window *window, gfn_t gfn,
			 bool write)
{
	typeof(tlb->entry[0]) *entry;
	u64 wanted = spte_needs(write) | spte_leaves(write);
	u64 spte;

	entry = &tlb->entry[gfn & (SECMMU_TLB_ENTRIES - 1)];
	if (entry->gen == window->gen &&
	    (entry->age == window->age || secmmu_mutant(AGE_IGNORED)) &&
	    entry->gfn == gfn && (entry->spte & wanted) == wanted)
		return entry->spte;

	spte = walk(pt, gfn, write);
	if (!spte)
		return 0;
	entry->gfn = gfn;
	entry->spte = spte;
	entry->gen = window->gen;
	entry->age = window->age;
	return spte;
}
