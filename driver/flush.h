/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushing removes dropped sptes from the engines' TLBs.
 *
 * A mirror has one TLB generation. An engine's TLB entry counts only in windows that read
 * the generation under which it was filled. So a flush raises the generation, then waits
 * for every window that may have read the old one. These windows are on the CPUs of the
 * mask. A CPU answers an interrupt when its window has closed.
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
 * A pairs with B. If F2 misses W1, then W2 sees F1: every TLB entry filled before is void,
 * and the walk that replaces it sees the spte dropped. If F2 sees W1, the CPU does not
 * answer the interrupt before the window has closed.
 */
#ifndef SECMMU_FLUSH_H
#define SECMMU_FLUSH_H

#include <linux/cpumask.h>

#include "pgtable.h"
#include "span.h"
#include "stats.h"

/**
 * struct secmmu_tlbs - all engine TLBs of a mirror, as a flush sees them
 * @gen: the TLB generation; starts at 1, only grows
 * @flushed: the latest generation whose flush is complete: no engine uses an spte
 *	dropped under an earlier one
 * @age: the age generation; grows when accessed bits were cleared, so that
 *	engines set them again on the next access
 * @mask: CPUs on which a window is open
 * @batch: dropped sptes that make a flush due; UINT_MAX for the range policy
 * @counters: the mirror's counters
 */
struct secmmu_tlbs {
	atomic64_t gen;
	atomic64_t flushed;
	atomic64_t age;
	cpumask_var_t mask;
	unsigned int batch;
	struct secmmu_counters __percpu *counters;
};

/**
 * struct secmmu_window - an open window, on the engine's stack
 * @flags: interrupt state before
 * @gen: TLB generation: older TLB entries are void
 * @age: age generation: older TLB entries have not recorded their access
 */
struct secmmu_window {
	unsigned long flags;
	u64 gen;
	u64 age;
};

/**
 * struct secmmu_gather - the state of one invalidation
 * @tlbs: the TLBs to flush
 * @zapped: sptes dropped, in all
 * @pending: sptes dropped since the last flush
 * @batch: number of @pending that makes a flush due
 * @assist: since its last flush it has met a table for which another invalidation has
 *	not flushed yet
 * @dirty: a dropped spte was dirty, since whoever asks has cleared it
 * @spans: the mirror's; their logs get the dirty bits
 * @may_sleep: yield the processor between tables
 * @empty: hulls of the tables left empty, one for each range zapped; if there
 *	are too many ranges, the last hull of a page table covers several
 * @nr_empty: number of hulls
 */
struct secmmu_gather {
	struct secmmu_tlbs *tlbs;
	u64 zapped;
	unsigned int pending;
	unsigned int batch;
	bool assist;
	bool dirty;
	struct secmmu_spans *spans;
	bool may_sleep;
	struct {
		struct secmmu_pgtable *pt;
		gfn_t first;
		gfn_t last;
	} empty[SECMMU_WALK_BATCH + SECMMU_MAX_DOMAINS];
	unsigned int nr_empty;
};

int secmmu_tlbs_init(struct secmmu_tlbs *tlbs, unsigned int batch,
		     struct secmmu_counters __percpu *counters);
void secmmu_tlbs_destroy(struct secmmu_tlbs *tlbs);

void secmmu_gather_begin(struct secmmu_gather *gather, struct secmmu_tlbs *tlbs,
			 struct secmmu_spans *spans, bool may_sleep);
void secmmu_gather_zap(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
		       gfn_t first, gfn_t last);
void secmmu_gather_finish(struct secmmu_gather *gather);
void secmmu_flush(struct secmmu_tlbs *tlbs, u64 entries);
void secmmu_tlbs_wait(struct secmmu_tlbs *tlbs);

/**
 * secmmu_window_open - enter the section in which translations may be used
 * @tlbs: the mirror's TLBs
 * @window: filled in
 *
 * Until the window closes, interrupts are off: no lock, no user memory, no more
 * than one page of data.
 *
 * Context: interrupts on before; not nested.
 */
static inline void secmmu_window_open(struct secmmu_tlbs *tlbs,
				      struct secmmu_window *window)
{
	local_irq_save(window->flags);
	cpumask_set_cpu(smp_processor_id(), tlbs->mask);
	/* (A): mark before reading; pairs with (B) in secmmu_flush(). */
	smp_mb__after_atomic();
	secmmu_gate_spin(WINDOW_MARKED, 0);
	window->gen = atomic64_read_acquire(&tlbs->gen);
	window->age = atomic64_read(&tlbs->age);
}

/**
 * secmmu_window_close - leave the section
 * @tlbs: the mirror's TLBs
 * @window: from secmmu_window_open()
 */
static inline void secmmu_window_close(struct secmmu_tlbs *tlbs,
				       struct secmmu_window *window)
{
	/*
	 * All use of translations comes before the CPU leaves the mask; pairs
	 * with the last barrier of secmmu_flush().
	 */
	smp_mb__before_atomic();
	cpumask_clear_cpu(smp_processor_id(), tlbs->mask);
	local_irq_restore(window->flags);
}

#endif
