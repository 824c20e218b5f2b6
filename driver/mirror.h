/* SPDX-License-Identifier: GPL-2.0 */
/* A mirror: one mm seen through slots, page table and TLBs of its own. */
#ifndef SECMMU_MIRROR_H
#define SECMMU_MIRROR_H

#include <linux/refcount.h>

#include "key.h"
#include "refill.h"
#include "slot.h"

/**
 * struct secmmu_mirror - a mirror
 * @refs: descriptors: the mirror's own, and those of its engines
 * @chain: the chain of the mm; pins the mm_struct, not the address space
 * @creator: the mm that may configure the mirror; pinned likewise
 * @member: the seat in the chain
 * @slots: the slots, with the configuration lock
 * @keys: the keys that are allocated
 * @pt: the page table of domain 0
 * @roots: the page tables of all domains
 * @tlbs: the engines' TLBs
 * @id: its number, which no other mirror ever has
 * @untag: the mask of the bits of a gpa that count; changes under the loaded lock
 * @tags_frozen: @untag changes no more; under the loaded lock
 * @loaded: engines that have it loaded, see space.h
 * @refill: blocks that come back after an event
 * @counters: its counters
 * @debugfs: its folder in debugfs, or NULL
 * @events_before: events of the mm before the mirror was created
 * @unpaired_before: unpaired ends of the mm before that
 * @replays_before: replays of the chain before that
 * @rcu: defers the freeing
 */
struct secmmu_mirror {
	refcount_t refs;
	struct secmmu_chain *chain;
	struct mm_struct *creator;
	struct secmmu_member member;
	struct secmmu_slots slots;
	struct secmmu_keys keys;
	struct secmmu_pgtable pt;
	struct secmmu_roots roots;
	struct secmmu_tlbs tlbs;
	u64 id;
	u64 untag;
	bool tags_frozen;
	struct list_head loaded;
	struct secmmu_refill refill;
	struct secmmu_counters __percpu *counters;
	struct dentry *debugfs;
	u64 events_before;
	u64 unpaired_before;
	u64 replays_before;
	struct rcu_head rcu;
};

extern spinlock_t secmmu_loaded_lock;

struct secmmu_mirror *secmmu_mirror_create(struct mm_struct *mm,
					   unsigned int batch);
void secmmu_mirror_get(struct secmmu_mirror *mirror);
void secmmu_mirror_put(struct secmmu_mirror *mirror);
bool secmmu_mirror_owned(struct secmmu_mirror *mirror);
void secmmu_mirror_stats(struct secmmu_mirror *mirror,
			 struct secmmu_stats *stats);

#endif
