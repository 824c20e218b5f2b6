// SPDX-License-Identifier: GPL-2.0
#include <linux/kcsan-checks.h>
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

/* Runs with interrupts off on a CPU that was in the mask: its window has closed. */
static void window_closed(void *info)
{
	struct secmmu_tlbs *tlbs = info;

	secmmu_count(tlbs->counters, SECMMU_COUNT_INTERRUPTS, 1);
}

/**
 * secmmu_tlbs_wait - wait for all windows that are open
 * @tlbs: the TLBs
 *
 * Windows that this does not wait for see all stores that the caller has made before a
 * full barrier.
 *
 * Context: as secmmu_flush().
 */
void secmmu_tlbs_wait(struct secmmu_tlbs *tlbs)
{
	/*
	 * This CPU cannot be in the mask: nothing interrupts its windows. A CPU
	 * that enters the mask during the read sees the caller's stores, and one
	 * that leaves has closed its window. So the core may read a word of the
	 * mask any number of times, and in pieces. It does so with plain accesses,
	 * as for mm_cpumask(): exempt them from KCSAN.
	 */
	preempt_disable();
	kcsan_disable_current();
	if (!cpumask_empty(tlbs->mask))
		smp_call_function_many(tlbs->mask, window_closed, tlbs, true);
	kcsan_enable_current();
	preempt_enable();
	/* For CPUs seen outside the mask; pairs with secmmu_window_close(). */
	smp_mb();
}

/**
 * secmmu_flush - void all TLB entries and wait for windows that use them
 * @tlbs: the TLBs
 * @entries: number of sptes dropped, for the trace
 *
 * After this returns, no engine reads or writes through an spte as it was
 * before the call.
 *
 * Context: any context in which the core invalidates: interrupts are on, spinlocks may be
 * held; waits no longer than one window lasts.
 */
void secmmu_flush(struct secmmu_tlbs *tlbs, u64 entries)
{
	/* (B): a full barrier; pairs with (A) in secmmu_window_open(). */
	s64 gen = atomic64_inc_return(&tlbs->gen);
	s64 flushed;

	secmmu_gate_spin(FLUSH_RAISED, 0);
	secmmu_tlbs_wait(tlbs);
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
 * @spans: the mirror's
 * @may_sleep: yield the processor between tables. Without it the invalidation flushes
 *	only once, whatever the policy, because each flush waits for windows.
 */
void secmmu_gather_begin(struct secmmu_gather *gather, struct secmmu_tlbs *tlbs,
			 struct secmmu_spans *spans, bool may_sleep)
{
	gather->tlbs = tlbs;
	gather->zapped = 0;
	gather->pending = 0;
	gather->batch = may_sleep ? tlbs->batch : UINT_MAX;
	gather->assist = false;
	gather->dirty = false;
	gather->spans = spans;
	gather->may_sleep = may_sleep;
	/* The hulls themselves are written before they are read. */
	gather->nr_empty = 0;
}

/*
 * Another invalidation may have dropped entries here and not flushed yet, so an engine may
 * still use them. The caller of that one waits for its flush; ours must not return before
 * such a flush either.
 */
static void look_for_pending(struct secmmu_gather *gather,
			     struct secmmu_table *table)
{
	lockdep_assert_held(&table->lock);
	if (table->zap_gen >= atomic64_read_acquire(&gather->tlbs->flushed))
		gather->assist = true;
}

/*
 * Log the pages of a dropped spte that was dirty. Faults install no large spte through a
 * slot with a log, but one of an old slot is still there when a slot with a log takes its
 * place.
 */
static void log_pages(struct secmmu_gather *gather, const struct secmmu_table *table,
		      gfn_t gfn)
{
	gfn_t last = secmmu_table_last(gfn, table->level);
	gfn_t page = last - BIT_ULL(table->level * SECMMU_TABLE_SHIFT) + 1;

	gather->dirty = true;
	for (; page <= last; page++)
		secmmu_spans_log(gather->spans, page);
}

static void drop_spte(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
		      struct secmmu_table *table, gfn_t gfn)
{
	u64 spte = secmmu_table_drop(pt, table, gfn);

	if (spte & SPTE_DIRTY)
		log_pages(gather, table, gfn);
	/*
	 * After the exchange, which is a full barrier. Windows of a later
	 * generation see the spte dropped, on any machine where a store is seen
	 * by all others at once; Kconfig admits no other.
	 */
	table->zap_gen = atomic64_read(&gather->tlbs->gen);
	gather->zapped++;
	gather->pending++;
}

static bool flush_is_due(const struct secmmu_gather *gather)
{
	return gather->pending == gather->batch;
}

/*
 * Drop the sptes of [first, last], all in @leaf, until a flush is due. Returns the first
 * gfn left.
 */
static gfn_t zap_leaf(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
		      struct secmmu_table *leaf, gfn_t first, gfn_t last)
{
	gfn_t gfn = first;

	spin_lock(&leaf->lock);
	if (leaf->dead) {
		/* Look again: a large spte may have taken its place. */
		spin_unlock(&leaf->lock);
		return first;
	}
	look_for_pending(gather, leaf);
	for (; gfn <= last && leaf->nr && !flush_is_due(gather); gfn++)
		if (secmmu_table_read(leaf, gfn))
			drop_spte(gather, pt, leaf, gfn);
	if (!leaf->nr)
		gfn = last + 1;
	spin_unlock(&leaf->lock);
	return gfn;
}

static bool split_counted(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
			  struct secmmu_table *table, gfn_t gfn)
{
	bool done = secmmu_table_split(pt, table, gfn);

	secmmu_count(gather->tlbs->counters,
		     done ? SECMMU_COUNT_SPLITS : SECMMU_COUNT_UNSPLIT, 1);
	return done;
}

/*
 * Drop the large sptes of [first, last], up to the next leaf table. Pages outside of the
 * range stay mapped by a leaf table, if there is a spare one.
 */
static gfn_t zap_large(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
		       struct secmmu_table *table, gfn_t first, gfn_t last)
{
	gfn_t gfn = first;

	/* A dead table is empty; its successor was linked after the event was recorded. */
	spin_lock(&table->lock);
	look_for_pending(gather, table);
	while (gfn <= last && !flush_is_due(gather)) {
		u64 entry = secmmu_table_read(table, gfn);
		gfn_t end = secmmu_table_last(gfn, 1);
		bool whole = secmmu_table_index(gfn, 0) == 0 && end <= last;

		if (secmmu_entry_links(entry))
			break;
		if (entry && !whole && split_counted(gather, pt, table, gfn))
			break;
		if (entry)
			drop_spte(gather, pt, table, gfn);
		gfn = end + 1;
	}
	spin_unlock(&table->lock);
	return gfn;
}

/* Note that tables of [first, last] are empty, to prune there after the flush. */
static void note_empty(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
		       gfn_t first, gfn_t last)
{
	unsigned int i = gather->nr_empty;
	bool room = i < SECMMU_WALK_BATCH;

	while (!room && i && gather->empty[i - 1].pt != pt)
		i--;
	if (room || !i) {
		/* Each page table has at least one. */
		i = gather->nr_empty++;
		gather->empty[i].pt = pt;
		gather->empty[i].first = first;
		gather->empty[i].last = last;
		return;
	}
	i--;
	gather->empty[i].first = min(gather->empty[i].first, first);
	gather->empty[i].last = max(gather->empty[i].last, last);
}

/**
 * secmmu_gather_zap - drop the sptes of a range
 * @gather: the invalidation
 * @pt: the page table
 * @first: first gfn of the range
 * @last: last gfn of the range
 *
 * Flushes when the policy says so; secmmu_gather_finish() flushes the rest. All sptes that
 * were in the range when the call began are gone when it ends. The caller sees to it that
 * no fault installs others meanwhile.
 *
 * Context: interrupts on; waits for windows only, never allocates or fails; yields the
 * processor if the gather may. Takes the locks of the tables, one at a time and for no
 * longer than one table or one batch.
 */
void secmmu_gather_zap(struct secmmu_gather *gather, struct secmmu_pgtable *pt,
		       gfn_t first, gfn_t last)
{
	gfn_t empty_first = last, empty_last = first;
	bool any_empty = false;

	while (first <= last) {
		struct secmmu_table *table;

		rcu_read_lock();
		table = secmmu_pgtable_next(pt, &first, last);
		if (table) {
			gfn_t from = first;
			gfn_t end = min(last, secmmu_table_last(from,
							table->level + 1));

			first = table->level ?
				zap_large(gather, pt, table, from, end) :
				zap_leaf(gather, pt, table, from, end);
			if (!READ_ONCE(table->nr)) {
				any_empty = true;
				empty_first = min(empty_first, from);
				empty_last = from;
			}
		}
		rcu_read_unlock();

		if (flush_is_due(gather))
			gather_flush(gather);
		if (gather->may_sleep)
			cond_resched();
	}
	if (any_empty)
		note_empty(gather, pt, empty_first, empty_last);
}

/**
 * secmmu_gather_finish - flush if necessary, then give back empty tables
 * @gather: the invalidation
 *
 * After this returns no engine uses an spte that secmmu_gather_zap() has dropped or found
 * absent, even if another invalidation dropped it.
 *
 * Context: interrupts on; waits for windows only, never allocates or fails; yields the
 * processor if the gather may.
 */
void secmmu_gather_finish(struct secmmu_gather *gather)
{
	struct secmmu_tlbs *tlbs = gather->tlbs;
	unsigned int i;

	if (gather->pending)
		secmmu_gate_spin(ZAPPED, 0);
	if (gather->pending || gather->assist)
		gather_flush(gather);
	for (i = 0; i < gather->nr_empty; i++)
		secmmu_pgtable_prune(gather->empty[i].pt, gather->empty[i].first,
				     gather->empty[i].last,
				     atomic64_read(&tlbs->flushed),
				     gather->may_sleep);
	secmmu_count(tlbs->counters, SECMMU_COUNT_ZAPPED, gather->zapped);
}
