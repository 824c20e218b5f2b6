/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software TLB of an engine: gfn -> spte, direct mapped.
 *
 * An entry counts in windows of the generation it was filled under, no other. It
 * grants what it says, no more: an access that the entry does not permit, or has
 * not recorded as accessed or dirty, walks the page table again.
 */
#ifndef SECMMU_TLB_H
#define SECMMU_TLB_H

#include "pgtable.h"

struct secmmu_tlb {
	struct {
		gfn_t gfn;
		u64 spte;
		u64 gen;
	} entry[SECMMU_TLB_ENTRIES];
};

u64 secmmu_tlb_translate(struct secmmu_tlb *tlb, struct secmmu_pgtable *pt,
			 gfn_t gfn, u64 gen, bool write);

#endif
