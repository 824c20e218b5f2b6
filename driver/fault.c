// SPDX-License-Identifier: GPL-2.0
/*
 * The fault path, the only place that decides whether to try again. Nothing is
 * held across a sleep but the fault's record, which any event may mark hit
 * meanwhile; what was looked up before is checked again under the lock of the
 * leaf table, where check and install are one step against a zap. No page
 * reference outlives it.
 */
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "compat/gup.h"
#include "fault.h"
#include "host.h"
#include "test/gate.h"
#include "test/mutant.h"
#include "trace.h"

/* Pages that a read may map behind the ones asked for. */
#define FAULT_AROUND	16

/**
 * struct fault - one fault, on the stack
 * @mirror: the mirror
 * @gfn: first guest frame
 * @wanted: pages asked for
 * @pages: pages that this round handles; those behind @wanted only if the
 *	process has them mapped
 * @flags: SECMMU_FAULT_*
 * @large: the CPU maps the whole 2 MiB block of @gfn at once, and @record covers
 *	that block
 * @target: what @gfn shows
 * @record: the fault as events see it
 * @cache: tables that may have to be linked
 * @page: what GUP returned
 */
struct fault {
	struct secmmu_mirror *mirror;
	gfn_t gfn;
	u64 wanted;
	unsigned int pages;
	unsigned int flags;
	bool large;
	struct secmmu_target target;
	struct secmmu_inflight record;
	struct secmmu_table_cache cache;
	struct page *page[SECMMU_FAULT_BATCH];
};

/* What events have hit, as of the final check: anything, and from where on. */
struct hit {
	bool any;
	unsigned long from;
};

static int retry(struct fault *fault, enum secmmu_counter cause)
{
	secmmu_count(fault->mirror->counters, cause, 1);
	trace_secmmu_retry(fault->mirror, fault->gfn, cause);
	return -EAGAIN;
}

static bool writes(const struct fault *fault)
{
	return fault->flags & SECMMU_FAULT_WRITE;
}

/* Test builds: do sptes hold references? */
static bool holds(const struct fault *fault)
{
	return secmmu_holds(&fault->mirror->tlbs.holder);
}

/* Look the target up; nothing is held when this returns. */
static int look_up(struct fault *fault)
{
	struct secmmu_target *target = &fault->target;
	u64 pages = fault->wanted;
	int err;

	err = secmmu_slot_find(&fault->mirror->member, fault->gfn, target);
	if (err)
		return err;
	if (writes(fault) && (target->flags & SECMMU_SLOT_READONLY))
		return -EACCES;
	if ((fault->flags & SECMMU_FAULT_AROUND) && !writes(fault))
		pages = max_t(u64, pages, FAULT_AROUND);
	/* One slot, one table, one stack frame. */
	pages = min3(pages, target->pages, (u64)SECMMU_FAULT_BATCH);
	fault->pages = min(pages, secmmu_table_last(fault->gfn, 1) -
				  fault->gfn + 1);
	return 0;
}

/* Set the tables aside that are missing; more may go. */
static int prepare_tables(struct fault *fault)
{
	unsigned int missing;

	rcu_read_lock();
	missing = secmmu_pgtable_walk(&fault->mirror->pt, fault->gfn)->level;
	rcu_read_unlock();
	return secmmu_pgtable_fill(&fault->cache, missing);
}

/* Wait for events, then record the fault, of fewer pages if they cover some. */
static int record(struct fault *fault)
{
	unsigned long start = fault->target.hva;
	int err;

	fault->large = false;
	err = secmmu_inflight_begin(&fault->mirror->chain->records,
				    &fault->record, start,
				    start + fault->pages * PAGE_SIZE - 1);
	if (fault->record.waited_ns) {
		secmmu_count(fault->mirror->counters, SECMMU_COUNT_WAITS, 1);
		secmmu_count(fault->mirror->counters, SECMMU_COUNT_WAIT_NS,
			     fault->record.waited_ns);
	}
	if (err)
		return err;
	fault->pages = (fault->record.range.last - start + 1) >> PAGE_SHIFT;
	return 0;
}

/* Does the block around the fault lie in one slot, alike in both spaces? */
static bool block_fits(const struct fault *fault)
{
	const struct secmmu_target *target = &fault->target;
	unsigned int before = secmmu_table_index(fault->gfn, 0);

	return !(target->flags & SECMMU_SLOT_LOG_DIRTY) && !holds(fault) &&
	       before == (target->hva >> PAGE_SHIFT) % SECMMU_LARGE_PAGES &&
	       before <= target->before &&
	       SECMMU_LARGE_PAGES - before <= target->pages;
}

/*
 * Is there a huge page to be mapped as one? What the CPU's table says counts
 * once the fault is recorded for all of it, so ask again then.
 */
static void look_for_large(struct fault *fault, struct mm_struct *mm)
{
	unsigned long hva = fault->target.hva;
	unsigned long start = ALIGN_DOWN(hva, SECMMU_LARGE_SIZE);

	fault->large = block_fits(fault) &&
		secmmu_host_large(mm, hva, fault->page[0], writes(fault)) &&
		secmmu_inflight_widen(&fault->mirror->chain->records,
				      &fault->record, start,
				      start + SECMMU_LARGE_SIZE - 1) &&
		secmmu_host_large(mm, hva, fault->page[0], writes(fault));
}

/* GUP under mmap_lock: what was asked for, then what is mapped behind it. */
static long get_pages_locked(struct fault *fault, struct mm_struct *mm,
			     int *locked)
{
	unsigned long hva = fault->target.hva;
	unsigned int wanted = min_t(u64, fault->wanted, fault->pages);
	unsigned int flags = SECMMU_FOLL_HONOR_NUMA_FAULT |
			     (writes(fault) ? FOLL_WRITE : 0);
	long got, more;

	got = secmmu_get_user_pages_remote(mm, hva, wanted, flags |
					   SECMMU_FOLL_INTERRUPTIBLE,
					   fault->page, locked);
	if (got < wanted || wanted == fault->pages || !*locked)
		return got;
	more = secmmu_get_user_pages_remote(mm, hva + wanted * PAGE_SIZE,
					    fault->pages - wanted,
					    flags | FOLL_NOFAULT,
					    fault->page + wanted, NULL);
	return more > 0 ? got + more : got;
}

/* Take references to the pages. Returns their number, above zero, or an errno. */
static int get_pages(struct fault *fault)
{
	struct mm_struct *mm = fault->mirror->chain->mn.mm;
	int locked = 1;
	long got;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (mmap_read_lock_killable(mm)) {
		mmput(mm);
		return -EINTR;
	}
	got = get_pages_locked(fault, mm, &locked);
	if (got > 0 && locked)
		look_for_large(fault, mm);
	if (locked)
		mmap_read_unlock(mm);
	/* May be the last user and run the release callback. */
	mmput(mm);

	if (got > 0)
		return got;
	return got == -ENOMEM || got == -EINTR ? got : -EFAULT;
}

/*
 * Is the target still what was looked up, though some slot went away? If so, be
 * content with the new look.
 */
static bool same_target(struct fault *fault)
{
	struct secmmu_target now;

	if (secmmu_slot_find(&fault->mirror->member, fault->gfn, &now) ||
	    now.hva != fault->target.hva || now.pages < fault->target.pages ||
	    now.before < fault->target.before ||
	    now.flags != fault->target.flags)
		return false;
	fault->target = now;
	return true;
}

/* May the fault install? Under the lock of the table. */
static int check(struct fault *fault, struct hit *hit)
{
	struct secmmu_member *member = &fault->mirror->member;
	struct secmmu_records *records = &fault->mirror->chain->records;
	struct secmmu_inflight *record = &fault->record;
	unsigned long hva = fault->target.hva;
	bool moved, foreign, released;

	/*
	 * The table was linked before this lock is taken. An event that does not
	 * see the link has left its mark under the same lock before.
	 */
	do {
		spin_lock(&records->lock);
		moved = fault->target.span_gen != member->span_gen;
		released = records->released;
		foreign = record->foreign;
		hit->any = record->hit;
		hit->from = record->hit_from;
		spin_unlock(&records->lock);
	} while (moved && same_target(fault));

	if (released)
		return -ESRCH;
	if (moved)
		return retry(fault, SECMMU_COUNT_RETRIES_SLOT);
	secmmu_gate_spin(FAULT_CHECKED, hva);
	/* If only other pages were hit, the first ones can go in. */
	if (hit->from <= hva + PAGE_SIZE - 1)
		return retry(fault, foreign ? SECMMU_COUNT_RETRIES_EVENT :
					      SECMMU_COUNT_RETRIES_SELF);
	return 0;
}

static void install_one(struct fault *fault, struct secmmu_table *leaf,
			unsigned int i)
{
	u64 *sptep = secmmu_table_entry(leaf, fault->gfn + i);
	u64 spte = spte_make(page_to_pfn(fault->page[i]), writes(fault));

	/*
	 * The event check has just said that the CPU maps this page, writable if
	 * asked for, and that it cannot stop before this lock is released: the
	 * page may be dirtied as under the CPU's own page-table lock.
	 */
	if (writes(fault))
		set_page_dirty(fault->page[i]);

	/* Never take away what another fault has put in. */
	if (spte_covers(READ_ONCE(*sptep), spte))
		return;
	if (holds(fault)) {
		/* The slot that is being replaced lets its page go itself. */
		if (*sptep && spte_pfn(*sptep) != spte_pfn(spte))
			return;
		if (!*sptep)
			get_page(fault->page[i]);
	}
	/*
	 * An entry for another page came through a slot that is being replaced.
	 * TLBs may hold it; that slot's own zap finds an entry here, drops it
	 * and flushes, before the slot is forgotten. Read-only entries are not
	 * dirty, so no upgrade loses that.
	 */
	if (*sptep)
		/* TLBs may have recorded accesses in what goes. */
		spte |= SPTE_ACCESSED;
	if (!xchg(sptep, spte))
		leaf->nr++;
}

/* Small sptes; otherwise as install(). */
static int install_small(struct fault *fault, struct secmmu_table *leaf,
			 unsigned int got)
{
	unsigned int i;
	struct hit hit;
	int err;

	err = check(fault, &hit);
	if (err)
		return err;
	for (i = 0; i < got; i++) {
		unsigned long hva = fault->target.hva + i * PAGE_SIZE;

		if (hit.from <= hva + PAGE_SIZE - 1)
			break;
		install_one(fault, leaf, i);
	}
	secmmu_count(fault->mirror->counters, SECMMU_COUNT_FAULT_PAGES, i);
	return i;
}

/* Pages from the fault's first to the end of its block, as far as wanted. */
static int rest_of_block(const struct fault *fault)
{
	return min_t(u64, fault->wanted, SECMMU_LARGE_PAGES -
					 secmmu_table_index(fault->gfn, 0));
}

/* A large spte, with all locks held. */
static int install_locked(struct fault *fault, struct secmmu_table *table,
			  struct secmmu_table *leaf)
{
	unsigned long pfn = page_to_pfn(fault->page[0]) -
			    secmmu_table_index(fault->gfn, 0);
	u64 spte = spte_make(pfn, writes(fault));
	struct hit hit;
	int err;

	err = check(fault, &hit);
	if (err)
		return err;
	if (hit.any) {
		/* An event elsewhere in the block: be content with less. */
		fault->large = false;
		return -EAGAIN;
	}
	/* As for small ones, for the folio as a whole. */
	if (writes(fault))
		set_page_dirty(fault->page[0]);
	if (!spte_covers(READ_ONCE(*secmmu_table_entry(table, fault->gfn)),
			 spte))
		secmmu_table_set_large(&fault->mirror->pt, table, leaf,
				       fault->gfn, spte);
	secmmu_count(fault->mirror->counters, SECMMU_COUNT_FAULT_PAGES, 1);
	return rest_of_block(fault);
}

/*
 * Check and install are one step for events that come to the table, and for those
 * that come to the leaf table whose place the spte takes: both are locked.
 */
static int install_large(struct fault *fault, struct secmmu_table *table)
{
	struct secmmu_table *leaf = secmmu_table_leaf(table, fault->gfn);
	int ret;

	if (!leaf)
		return install_locked(fault, table, NULL);
	spin_lock_nested(&leaf->lock, SINGLE_DEPTH_NESTING);
	ret = install_locked(fault, table, leaf);
	spin_unlock(&leaf->lock);
	return ret;
}

/* Has somebody else installed a large spte that will do? */
static bool large_in_place(struct fault *fault)
{
	struct secmmu_table *table = secmmu_pgtable_walk(&fault->mirror->pt,
							 fault->gfn);
	u64 needs = spte_needs(writes(fault));

	return table->level == 1 &&
	       (READ_ONCE(*secmmu_table_entry(table, fault->gfn)) & needs) ==
	       needs;
}

/*
 * Returns the number of pages in place from the first on, or an errno; -EAGAIN
 * without @large if the same pages may go in one by one.
 */
static int install(struct fault *fault, unsigned int got)
{
	struct secmmu_mirror *mirror = fault->mirror;
	struct secmmu_table *table;
	int ret;

	rcu_read_lock();
	if (!fault->large && large_in_place(fault)) {
		rcu_read_unlock();
		return rest_of_block(fault);
	}
	table = secmmu_pgtable_link(&mirror->pt, fault->gfn, fault->large,
				    &fault->cache);
	if (!table) {
		rcu_read_unlock();
		return retry(fault, SECMMU_COUNT_RETRIES_TABLE);
	}
	secmmu_gate_spin(FAULT_LINKED, fault->target.hva);
	spin_lock(&table->lock);
	secmmu_table_used(table);
	if (table->dead)
		ret = retry(fault, SECMMU_COUNT_RETRIES_TABLE);
	else if (fault->large)
		ret = install_large(fault, table);
	else
		ret = install_small(fault, table, got);
	spin_unlock(&table->lock);
	rcu_read_unlock();
	return ret;
}

/* Install what there is, as one if it can be. */
static int install_best(struct fault *fault, unsigned int got)
{
	bool large = fault->large;
	int ret;

	ret = install(fault, got);
	if (large && !fault->large)
		ret = install(fault, got);
	if (large && ret > 0)
		/* It may have to be split where nothing can be allocated. */
		secmmu_pgtable_stock(&fault->mirror->pt, &fault->cache);
	/* Linked for nothing, and no zap may ever come by. */
	if (ret < 0)
		secmmu_pgtable_prune(&fault->mirror->pt, fault->gfn, fault->gfn,
				     atomic64_read(&fault->mirror->tlbs.flushed));
	return ret;
}

/* One round. Returns the entries in place, -EAGAIN to try again, or an errno. */
static int attempt(struct fault *fault)
{
	struct secmmu_mirror *mirror = fault->mirror;
	int i, got, ret;

	ret = look_up(fault);
	if (ret)
		return ret;
	ret = prepare_tables(fault);
	if (ret)
		return ret;
	secmmu_gate(FAULT_LOOKED_UP, fault->target.hva);
	ret = record(fault);
	if (ret)
		return ret;
	secmmu_gate(FAULT_RECORDED, fault->target.hva);
	got = get_pages(fault);
	secmmu_gate(FAULT_GOT, fault->target.hva);
	ret = got;
	if (got > 0)
		ret = install_best(fault, got);
	secmmu_gate(FAULT_INSTALLED, fault->target.hva);
	secmmu_inflight_end(&mirror->chain->records, &fault->record);
	for (i = 0; i < got; i++)
		if (!secmmu_mutant(IGNORE_INVALIDATE))
			put_page(fault->page[i]);
	return ret;
}

/**
 * secmmu_fault - install the sptes of a few pages
 * @mirror: the mirror
 * @gfn: first guest frame
 * @pages: pages wanted, at least one
 * @flags: SECMMU_FAULT_WRITE: writable ones; breaks copy-on-write as a write by
 *	the process would. SECMMU_FAULT_AROUND: a read may map more.
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: number of entries in place from @gfn on, at least one, though an event
 * may drop them again at any time; or -ENXIO, -EACCES, -EFAULT, -ESRCH, -EINTR,
 * -ENOMEM.
 */
int secmmu_fault(struct secmmu_mirror *mirror, gfn_t gfn, u64 pages,
		 unsigned int flags)
{
	struct fault fault = {
		.mirror = mirror,
		.gfn = gfn,
		.wanted = pages,
		.flags = flags,
	};
	int ret;

	while ((ret = attempt(&fault)) == -EAGAIN)
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
	secmmu_pgtable_drain(&fault.cache);
	secmmu_count(mirror->counters, SECMMU_COUNT_FAULTS, 1);
	trace_secmmu_fault(mirror, gfn, writes(&fault), ret);
	return ret;
}

/**
 * secmmu_prefault - install the sptes of a range
 * @mirror: the mirror
 * @gfn: first guest frame; moved to where to go on
 * @pages: pages, at least one; reduced to what is left
 * @flags: SECMMU_FAULT_WRITE or zero
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: 0 if it got anywhere, or as secmmu_fault() if not.
 */
int secmmu_prefault(struct secmmu_mirror *mirror, gfn_t *gfn, u64 *pages,
		    unsigned int flags)
{
	bool moved = false;
	int ret = 0;

	while (*pages) {
		ret = secmmu_fault(mirror, *gfn, *pages, flags);
		if (ret < 0)
			break;
		moved = true;
		*gfn += ret;
		*pages -= ret;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return moved ? 0 : ret;
}
