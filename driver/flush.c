// SPDX-License-Identifier: GPL-2.0
#include <linux/smp.h>

#include "flush.h"
#include "trace.h"

/**
 * secmmu_tlbs_init - set up the flush state of a mirror
 * @tlbs: the state
 * @batch: dropped sptes that make a flush due
 * @counters: the mirror's counters
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int secmmu_tlbs_init(struct secmmu_tlbs *tlbs, unsigned int batch,
		     struct secmmu_counters __percpu *counters)
{
	if (!zalloc_cpumask_var(&tlbs->mask, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	atomic64_set(&tlbs->gen, 1);
	atomic64_set(&tlbs->flushed, 1);
	atomic64_set(&tlbs->age, 1);
	tlbs->batch = batch;
	tlbs->counters = counters;
	return 0;
}

/**
 * secmmu_tlbs_destroy - undo secmmu_tlbs_init()
 * @tlbs: the state; no window can open any more
 */
void secmmu_tlbs_destroy(struct secmmu_tlbs *tlbs)
{
	free_cpumask_var(tlbs->mask);
}

/* Runs with interrupts off on a CPU that was in the mask: its window closed. */
static void window_closed(void *info)
{
	struct secmmu_tlbs *tlbs = info;

	secmmu_count(tlbs->counters, SECMMU_COUNT_INTERRUPTS, 1);
}

/**
 * secmmu_flush - void all TLB entries and wait for windows that use them
 * @tlbs: the TLBs
 * @entries: number of sptes dropped, for the trace
 *
 * After this returns, no engine reads or writes through an spte as it was
 * before the call.
 *
 * Context: wherever the core invalidates: interrupts are on, spinlocks may be
 * held; waits no longer than one window lasts.
 */
void secmmu_flush(struct secmmu_tlbs *tlbs, u64 entries)
{
	/* (B): a full barrier; pairs with (A) in secmmu_window_open(). */
	s64 gen = atomic64_inc_return(&tlbs->gen);
	s64 flushed;

	/*
	 * This CPU cannot be in the mask: its windows do not get interrupted.
	 * A CPU that enters the mask while it is read has seen the generation.
	 */
	preempt_disable();
	smp_call_function_many(tlbs->mask, window_closed, tlbs, true);
	preempt_enable();
	/* A CPU seen outside the mask: pairs with secmmu_window_close(). */
	smp_mb();

	flushed = atomic64_read(&tlbs->flushed);
	while (flushed < gen &&
	       !atomic64_try_cmpxchg(&tlbs->flushed, &flushed, gen))
		;
	secmmu_count(tlbs->counters, SECMMU_COUNT_FLUSHES, 1);
	trace_secmmu_flush(tlbs, gen, entries);
}

static void gather_flush(struct secmmu_gather *gather)
{
	secmmu_flush(gather->tlbs, gather->pending);
	if (!gather->pending)
		secmmu_count(gather->tlbs->counters, SECMMU_COUNT_ASSISTS, 1);
	gather->pending = 0;
	gather->assist = false;
}

/**
 * secmmu_gather_begin - start an invalidation
 * @gather: on the caller's stack
 * @tlbs: the TLBs to flush
 * @pt: the page table
 */
void secmmu_gather_begin(struct secmmu_gather *gather, struct secmmu_tlbs *tlbs,
			 struct secmmu_pgtable *pt)
{
	*gather = (struct secmmu_gather) {
		.tlbs = tlbs,
		.pt = pt,
	};
}

/*
 * Drop the sptes of [first, last], all in @leaf, until a flush is due. Returns
 * the gfn to go on with; @empty is set if nothing is left in the table.
 */
static gfn_t zap_leaf(struct secmmu_gather *gather, struct secmmu_table *leaf,
		      gfn_t first, gfn_t last, bool *empty)
{
	struct secmmu_tlbs *tlbs = gather->tlbs;
	unsigned int dropped = 0;
	gfn_t gfn = first;

	spin_lock(&leaf->lock);
	/*
	 * Whoever dropped entries here and has not flushed them yet may still
	 * have them in use in an engine. Its caller waits for its own flush;
	 * ours must not return before such a flush either.
	 */
	if (leaf->zap_gen >= atomic64_read_acquire(&tlbs->flushed))
		gather->assist = true;

	for (; gfn <= last && leaf->nr; gfn++) {
		u64 *sptep = &leaf->spte[secmmu_table_index(gfn, 0)], spte;

		if (!READ_ONCE(*sptep))
			continue;
		/* Lockless walkers add accessed and dirty: exchange. */
		spte = xchg(sptep, 0);
		if (gather->dirty && (spte & SPTE_DIRTY))
			set_bit(gfn - gather->dirty_first, gather->dirty);
		leaf->nr--;
		dropped++;
		if (++gather->pending == tlbs->batch) {
			gfn++;
			break;
		}
	}
	*empty = !leaf->nr;
	if (*empty)
		gfn = last + 1;
	if (dropped)
		/*
		 * After the exchanges, which are full barriers. Windows of a
		 * later generation see the sptes dropped, on any machine where
		 * a store is seen by all others at once; Kconfig admits no
		 * other.
		 */
		leaf->zap_gen = atomic64_read(&tlbs->gen);
	spin_unlock(&leaf->lock);

	gather->zapped += dropped;
	return gfn;
}

/* Tables of [first, last] were left empty: prune there after the flush. */
static void note_empty(struct secmmu_gather *gather, gfn_t first, gfn_t last)
{
	unsigned int i = gather->nr_empty;

	if (i < ARRAY_SIZE(gather->empty)) {
		gather->empty[i].first = first;
		gather->empty[i].last = last;
		gather->nr_empty++;
		return;
	}
	i--;
	gather->empty[i].first = min(gather->empty[i].first, first);
	gather->empty[i].last = max(gather->empty[i].last, last);
}

/**
 * secmmu_gather_zap - drop the sptes of a range
 * @gather: the invalidation
 * @first: first gfn of the range
 * @last: last gfn of the range
 *
 * Flushes on the way when the policy says so; the rest is left to
 * secmmu_gather_finish(). What was in the range when the call began is gone when
 * it ends; that nothing else comes in meanwhile is the caller's affair.
 *
 * Context: interrupts on; never allocates or fails, nor sleeps unless the gather
 * may. Takes the locks of the leaf tables, one at a time and for no longer than
 * one table or one batch.
 */
void secmmu_gather_zap(struct secmmu_gather *gather, gfn_t first, gfn_t last)
{
	gfn_t empty_first = last, empty_last = first;
	bool empty, any_empty = false;

	while (first <= last) {
		struct secmmu_table *leaf;

		rcu_read_lock();
		leaf = secmmu_pgtable_next(gather->pt, &first, last);
		if (leaf) {
			gfn_t from = first;

			first = zap_leaf(gather, leaf, from,
					 min(last, secmmu_table_last(from, 1)),
					 &empty);
			if (empty) {
				any_empty = true;
				empty_first = min(empty_first, from);
				empty_last = from;
			}
		}
		rcu_read_unlock();

		if (gather->pending == gather->tlbs->batch)
			gather_flush(gather);
		if (gather->may_sleep)
			cond_resched();
	}
	if (any_empty)
		note_empty(gather, empty_first, empty_last);
}

/**
 * secmmu_gather_finish - flush what is due, then give back empty tables
 * @gather: the invalidation
 *
 * After this returns no engine uses an spte that was absent or dropped when
 * secmmu_gather_zap() passed it, whoever dropped it.
 *
 * Context: interrupts on; never sleeps, allocates or fails.
 */
void secmmu_gather_finish(struct secmmu_gather *gather)
{
	struct secmmu_tlbs *tlbs = gather->tlbs;
	unsigned int i;

	if (gather->pending || gather->assist)
		gather_flush(gather);
	for (i = 0; i < gather->nr_empty; i++)
		secmmu_pgtable_prune(gather->pt, gather->empty[i].first,
				     gather->empty[i].last,
				     atomic64_read(&tlbs->flushed));
	secmmu_count(tlbs->counters, SECMMU_COUNT_ZAPPED, gather->zapped);
}
