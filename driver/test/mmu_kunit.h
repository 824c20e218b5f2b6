/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What unit tests try things on: a secondary MMU of no mm, that is, a page table
 * with the TLBs' side and the counters of a mirror. Its sptes name pages that nobody
 * touches. It goes away with the test.
 */
#ifndef SECMMU_TEST_MMU_KUNIT_H
#define SECMMU_TEST_MMU_KUNIT_H

#include <kunit/test.h>

#include "flush.h"

/**
 * struct secmmu_mmu_kunit - a secondary MMU
 * @pt: the page table
 * @tlbs: the TLBs' side
 * @spans: none, unless a test puts some in
 * @registry: the lock of @seq
 * @seq: the seqcount of @spans
 * @counters: what happened
 */
struct secmmu_mmu_kunit {
	struct secmmu_pgtable pt;
	struct secmmu_tlbs tlbs;
	struct secmmu_spans spans;
	spinlock_t registry;
	seqcount_spinlock_t seq;
	struct secmmu_counters __percpu *counters;
};

struct secmmu_mmu_kunit *secmmu_mmu_kunit(struct kunit *test, unsigned int batch);
void secmmu_kunit_map(struct kunit *test, struct secmmu_mmu_kunit *mmu, gfn_t gfn,
		      u64 spte);
void secmmu_kunit_map_large(struct kunit *test, struct secmmu_mmu_kunit *mmu,
			    gfn_t gfn, u64 spte);
void secmmu_kunit_stock(struct kunit *test, struct secmmu_mmu_kunit *mmu,
			unsigned int nr);
u64 secmmu_kunit_spte(struct secmmu_mmu_kunit *mmu, gfn_t gfn);
u64 secmmu_kunit_drop(struct secmmu_mmu_kunit *mmu, gfn_t gfn, u64 zap_gen);

static inline u64 secmmu_kunit_counted(struct secmmu_mmu_kunit *mmu,
				       enum secmmu_counter which)
{
	return secmmu_counter_sum(mmu->counters, which);
}

static inline long secmmu_kunit_tables(struct secmmu_mmu_kunit *mmu)
{
	return atomic_long_read(&mmu->pt.nr_tables);
}

static inline long secmmu_kunit_large(struct secmmu_mmu_kunit *mmu)
{
	return atomic_long_read(&mmu->pt.nr_large);
}

#endif
