/* SPDX-License-Identifier: GPL-2.0 */
/* A mirror: one mm seen through slots, page table and TLBs of its own. */
#ifndef SECMMU_MIRROR_H
#define SECMMU_MIRROR_H

#include <linux/refcount.h>

#include "slot.h"
#include "test/oracle.h"

/**
 * struct secmmu_mirror - a mirror
 * @refs: descriptors: the mirror's own, and those of its engines
 * @chain: the chain of the mm; pins the mm_struct, not the address space
 * @creator: the mm that may configure the mirror; pinned likewise
 * @member: the seat in the chain
 * @slots: the slots, with the configuration lock
 * @pt: the page table
 * @tlbs: the engines' TLBs
 * @counters: what happened
 * @debugfs: its folder there, or NULL
 * @events_before: events of the mm when the mirror was made
 * @unpaired_before: ... unpaired ends
 * @replays_before: ... replays
 * @oracle: test builds: what judges the mirror
 */
struct secmmu_mirror {
	refcount_t refs;
	struct secmmu_chain *chain;
	struct mm_struct *creator;
	struct secmmu_member member;
	struct secmmu_slots slots;
	struct secmmu_pgtable pt;
	struct secmmu_tlbs tlbs;
	struct secmmu_counters __percpu *counters;
	struct dentry *debugfs;
	u64 events_before;
	u64 unpaired_before;
	u64 replays_before;
	struct secmmu_oracle oracle;
};

struct secmmu_mirror *secmmu_mirror_create(struct mm_struct *mm,
					   unsigned int batch, bool hold);
void secmmu_mirror_get(struct secmmu_mirror *mirror);
void secmmu_mirror_put(struct secmmu_mirror *mirror);
bool secmmu_mirror_owned(struct secmmu_mirror *mirror);
void secmmu_mirror_stats(struct secmmu_mirror *mirror,
			 struct secmmu_stats *stats);

#endif
