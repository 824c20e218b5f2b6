/* SPDX-License-Identifier: GPL-2.0 */
/* Slots: the spans of a mirror as the user names them. */
#ifndef SECMMU_SLOT_H
#define SECMMU_SLOT_H

#include <linux/mutex.h>
#include <linux/xarray.h>

#include "domain.h"

/**
 * struct secmmu_slot - one slot
 * @span: the ranges
 * @flags: SECMMU_SLOT_*
 * @key: its protection key
 * @rcu: defers the freeing
 */
struct secmmu_slot {
	struct secmmu_span span;
	u32 flags;
	u32 key;
	struct rcu_head rcu;
};

/**
 * struct secmmu_slots - all slots of a mirror
 * @lock: the configuration lock: serialises changes; taken before mmap_lock and all
 *	spinlocks, always killably, and never held over user memory
 * @by_id: the slots by their number; under @lock
 * @member: the mirror's seat in the chain, holder of the spans
 * @tlbs: the mirror's TLBs
 * @roots: the mirror's page tables
 */
struct secmmu_slots {
	struct mutex lock;
	struct xarray by_id;
	struct secmmu_member *member;
	struct secmmu_tlbs *tlbs;
	struct secmmu_roots *roots;
};

/**
 * struct secmmu_target - the slot of a gfn, at the time of the look-up
 * @hva: host address
 * @before: pages from the start of the slot to there
 * @pages: pages from there to the end of the slot
 * @flags: SECMMU_SLOT_* of the slot
 * @key: its protection key
 * @domains: those that show it, one bit each
 * @span_gen: if &secmmu_member.span_gen has grown since, all this may be wrong
 */
struct secmmu_target {
	unsigned long hva;
	u64 before;
	u64 pages;
	u32 flags;
	u32 key;
	unsigned long domains;
	u64 span_gen;
};

void secmmu_slots_init(struct secmmu_slots *slots, struct secmmu_member *member,
		       struct secmmu_tlbs *tlbs, struct secmmu_roots *roots);
void secmmu_slots_destroy(struct secmmu_slots *slots);
int secmmu_slot_set(struct secmmu_slots *slots,
		    const struct secmmu_set_slot *arg);
int secmmu_slot_find(struct secmmu_member *member, gfn_t gfn,
		     struct secmmu_target *target);
bool secmmu_target_current(struct secmmu_member *member, gfn_t gfn,
			   struct secmmu_target *target);

#endif
