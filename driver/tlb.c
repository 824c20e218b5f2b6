// SPDX-License-Identifier: GPL-2.0
#include "tlb.h"

/* The bits that a use sets in an spte. A use that is denied, or moves no data, sets none. */
static u64 traces_of(const struct secmmu_use *use, u64 spte)
{
	if (use->touch || secmmu_use_denied(use, spte))
		return 0;
	return spte_leaves(use->write);
}

/* Find the spte and record the access in it, before it happens. */
static u64 walk_table(struct secmmu_pgtable *pt, gfn_t gfn,
		      const struct secmmu_use *use)
{
	struct secmmu_table *table = secmmu_pgtable_walk(pt, gfn);
	u64 *sptep = secmmu_table_entry(table, gfn), spte, marked;

	/* No spte, or a link that has just appeared: not present. */
	spte = READ_ONCE(*sptep);
	do {
		if ((spte & spte_needs(use->write)) != spte_needs(use->write))
			return 0;
		marked = spte | traces_of(use, spte);
	} while (marked != spte && !try_cmpxchg(sptep, &spte, marked));
	return table->level ? spte_small(marked, secmmu_table_index(gfn, 0)) :
			      marked;
}

/**
 * secmmu_tlb_translate - translate in an open window
 * @tlb: the engine's TLB
 * @asid: number of the address space
 * @pt: its page table
 * @window: the window
 * @gfn: the guest frame
 * @use: the use
 *
 * Returns also an spte whose key denies the use, without changing it: the caller has to
 * check the key.
 *
 * Context: in a window; never sleeps; no lock. The engine is locked.
 * Return: an spte that permits the access until the window closes, or 0 if a
 * fault must come first.
 */
u64 secmmu_tlb_translate(struct secmmu_tlb *tlb, unsigned int asid,
			 struct secmmu_pgtable *pt,
			 const struct secmmu_window *window, gfn_t gfn,
			 const struct secmmu_use *use)
{
	typeof(tlb->entry[0]) *entry;
	u64 place = secmmu_tlb_place(asid, gfn);
	u64 wanted = spte_needs(use->write) | spte_leaves(use->write);
	u64 spte;

	entry = &tlb->entry[gfn & (SECMMU_TLB_ENTRIES - 1)];
	if (entry->gen == window->gen &&
	    entry->age == window->age && entry->place == place &&
	    (entry->spte & wanted) == wanted)
		return entry->spte;

	spte = walk_table(pt, gfn, use);
	/* A later access cannot use an entry without the bits that an access sets. */
	if ((spte & wanted) != wanted)
		return spte;
	entry->place = place;
	entry->spte = spte;
	entry->gen = window->gen;
	entry->age = window->age;
	return spte;
}

/**
 * secmmu_tlb_forget - drop all entries of an address space
 * @tlb: the engine's TLB
 * @asid: number of the address space
 *
 * Context: never sleeps. The engine is locked.
 */
void secmmu_tlb_forget(struct secmmu_tlb *tlb, unsigned int asid)
{
	unsigned int i;

	for (i = 0; i < SECMMU_TLB_ENTRIES; i++)
		if (secmmu_tlb_asid(tlb, i) == asid)
			tlb->entry[i].gen = 0;
}
