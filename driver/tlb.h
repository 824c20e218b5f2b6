/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software TLB of an engine: address space and gfn -> spte, direct mapped. An
 * engine has several address spaces loaded, under small numbers (ASIDs).
 *
 * An entry counts only in windows of the TLB and age generations under which it was
 * filled. An access that the entry does not permit, or whose accessed or dirty bit it does
 * not have, walks the page table again.
 */
#ifndef SECMMU_TLB_H
#define SECMMU_TLB_H

#include "flush.h"
#include "key.h"

/**
 * struct secmmu_tlb - the TLB
 * @entry: the entries
 * @entry.place: address space and gfn in one word, see secmmu_tlb_place()
 * @entry.spte: the translation
 * @entry.gen: TLB generation of the mirror when it was filled; 0: no entry
 * @entry.age: age generation
 */
struct secmmu_tlb {
	struct {
		u64 place;
		u64 spte;
		u64 gen;
		u64 age;
	} entry[SECMMU_TLB_ENTRIES];
};

/**
 * struct secmmu_use - the use of a translation
 * @write: write, rather than read
 * @touch: neither: only have the page mapped
 * @rights: the accesses that keys deny
 */
struct secmmu_use {
	bool write;
	bool touch;
	u32 rights;
};

/* Does the key of an spte deny the use? */
static inline bool secmmu_use_denied(const struct secmmu_use *use, u64 spte)
{
	return secmmu_key_denies(use->rights, spte_key(spte), use->write);
}

static inline u64 secmmu_tlb_place(unsigned int asid, gfn_t gfn)
{
	return gfn | (u64)asid << SECMMU_GFN_BITS;
}

static inline unsigned int secmmu_tlb_asid(const struct secmmu_tlb *tlb,
					   unsigned int i)
{
	return tlb->entry[i].place >> SECMMU_GFN_BITS;
}

void secmmu_tlb_forget(struct secmmu_tlb *tlb, unsigned int asid);
u64 secmmu_tlb_translate(struct secmmu_tlb *tlb, unsigned int asid,
			 struct secmmu_pgtable *pt,
			 const struct secmmu_window *window, gfn_t gfn,
			 const struct secmmu_use *use);

#endif
