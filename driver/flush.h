/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushing: how dropped sptes disappear from the engines' TLBs.
 *
 * A mirror has one TLB generation. An engine's TLB entry counts only in windows
 * that read the generation it was filled under, so a flush is: raise the
 * generation, then wait for every window that may have read the old one. Those
 * are on the CPUs of the mask, and an interrupt answered is a window closed.
 *
 *	engine (window opens)			invalidator
 *	---------------------			-----------
 *	interrupts off				drop the spte
 *	[W1] set own CPU in mask		[F1] raise generation
 *	     full barrier (A)			     full barrier (B)
 *	[W2] read generation			[F2] read mask
 *	     acquire
 *	     read sptes, move data		interrupt the CPUs found, wait
 *	clear own CPU from mask
 *	interrupts on
 *
 * A pairs with B. If F2 misses W1, then W2 sees F1, hence every TLB entry filled
 * before is void, and the walk that replaces it sees the spte dropped. If F2
 * sees W1, the interrupt is not answered before the window has closed.
 */
#ifndef SECMMU_FLUSH_H
#define SECMMU_FLUSH_H

#include <linux/cpumask.h>

#include "pgtable.h"
#include "stats.h"

/**
 * struct secmmu_tlbs - all engine TLBs of a mirror, as a flush sees them
 * @gen: the TLB generation; starts at 1, only grows
 * @flushed: the latest generation whose flush is complete: everything dropped
 *	under an earlier generation is out of use
 * @mask: CPUs on which a window is open
 * @batch: dropped sptes that make a flush due; UINT_MAX for the range policy
 * @counters: the mirror's counters
 */
struct secmmu_tlbs {
	atomic64_t gen;
	atomic64_t flushed;
	cpumask_var_t mask;
	unsigned int batch;
	struct secmmu_counters __percpu *counters;
};

/**
 * struct secmmu_gather - what one invalidation has dropped so far
 * @tlbs: the TLBs to flush
 * @pt: the page table
 * @zapped: sptes dropped, in all
 * @pending: sptes dropped since the last flush
 * @assist: a table with another invalidation's pending flush was met since the
 *	last flush
 * @empty_first: hull of the tables left empty: first gfn
 * @empty_last: ... last gfn; below @empty_first if there is none
 */
struct secmmu_gather {
	struct secmmu_tlbs *tlbs;
	struct secmmu_pgtable *pt;
	u64 zapped;
	unsigned int pending;
	bool assist;
	gfn_t empty_first;
	gfn_t empty_last;
};

int secmmu_tlbs_init(struct secmmu_tlbs *tlbs, unsigned int batch,
		     struct secmmu_counters __percpu *counters);
void secmmu_tlbs_destroy(struct secmmu_tlbs *tlbs);

void secmmu_gather_begin(struct secmmu_gather *gather, struct secmmu_tlbs *tlbs,
			 struct secmmu_pgtable *pt);
void secmmu_gather_zap(struct secmmu_gather *gather, gfn_t first, gfn_t last);
void secmmu_gather_finish(struct secmmu_gather *gather);

/**
 * secmmu_window_open - enter the section in which translations may be used
 * @tlbs: the mirror's TLBs
 * @flags: for secmmu_window_close()
 *
 * Until the window closes, interrupts are off: no lock, no user memory, no more
 * than one page of data.
 *
 * Context: interrupts on before; not nested.
 * Return: the TLB generation of the window.
 */
static inline u64 secmmu_window_open(struct secmmu_tlbs *tlbs,
				     unsigned long *flags)
{
	local_irq_save(*flags);
	cpumask_set_cpu(smp_processor_id(), tlbs->mask);
	/* (A): mark before reading; pairs with (B) in flush(). */
	smp_mb__after_atomic();
	return atomic64_read_acquire(&tlbs->gen);
}

/**
 * secmmu_window_close - leave it
 * @tlbs: the mirror's TLBs
 * @flags: from secmmu_window_open()
 */
static inline void secmmu_window_close(struct secmmu_tlbs *tlbs,
				       unsigned long flags)
{
	/* All use of translations comes before the CPU leaves the mask. */
	smp_mb__before_atomic();
	cpumask_clear_cpu(smp_processor_id(), tlbs->mask);
	local_irq_restore(flags);
}

#endif
