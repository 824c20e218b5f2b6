/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software TLB of an engine: gfn -> spte, direct mapped.
 *
 * An entry counts in windows of the TLB and age generations it was filled under,
 * no others. It grants what it says, no more: an access that the entry does not
 * permit, or has not recorded as accessed or dirty, walks the page table again.
 */
#ifndef SECMMU_TLB_H
#define SECMMU_TLB_H

#include "flush.h"

struct secmmu_tlb {
	struct {
		gfn_t gfn;
		u64 spte;
		u64 gen;
		u64 age;
	} entry[SECMMU_TLB_ENTRIES];
};

u64 secmmu_tlb_translate(struct secmmu_tlb *tlb, struct secmmu_pgtable *pt,
			 const struct secmmu_window *window, gfn_t gfn,
			 bool write);

#endif
