// SPDX-License-Identifier: GPL-2.0
/*
 * The fault path, and the only retry loop of the driver. Nothing is held across
 * a sleep but the fault's record, which any event may mark hit meanwhile; what
 * was looked up before is checked again under the lock of the leaf table, where
 * check and install are one step against a zap. No page reference outlives it.
 */
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "compat/gup.h"
#include "fault.h"
#include "test/mutant.h"
#include "trace.h"

/**
 * struct fault - one fault, on the stack
 * @mirror: the mirror
 * @gfn: first guest frame
 * @pages: pages wanted, then pages that one round handles
 * @write: for writing
 * @target: what @gfn shows
 * @record: the fault as events see it
 * @cache: tables that may have to be linked
 * @page: what GUP returned
 */
struct fault {
	struct secmmu_mirror *mirror;
	gfn_t gfn;
	unsigned int pages;
	bool write;
	struct secmmu_target target;
	struct secmmu_inflight record;
	struct secmmu_table_cache cache;
	struct page *page[SECMMU_FAULT_BATCH];
};

static int retry(struct fault *fault, enum secmmu_counter cause,
		 const char *name)
{
	secmmu_count(fault->mirror->counters, cause, 1);
	trace_secmmu_retry(fault->mirror, fault->gfn, name);
	return -EAGAIN;
}

/* Look the target up; nothing is held when this returns. */
static int look_up(struct fault *fault, u64 wanted)
{
	struct secmmu_target *target = &fault->target;
	int err;

	err = secmmu_slot_find(&fault->mirror->member, fault->gfn, target);
	if (err)
		return err;
	if (fault->write && (target->flags & SECMMU_SLOT_READONLY))
		return -EACCES;
	/* One slot, one table, one stack frame. */
	wanted = min3(wanted, target->pages, (u64)SECMMU_FAULT_BATCH);
	fault->pages = min(wanted,
			   secmmu_table_last(fault->gfn, 1) - fault->gfn + 1);
	return 0;
}

/* Take references to the pages. Returns their number, above zero, or an errno. */
static int get_pages(struct fault *fault)
{
	struct mm_struct *mm = fault->mirror->chain->mn.mm;
	unsigned int flags = SECMMU_FOLL_INTERRUPTIBLE;
	int locked = 1;
	long got;

	if (fault->write)
		flags |= FOLL_WRITE;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (mmap_read_lock_killable(mm)) {
		mmput(mm);
		return -EINTR;
	}
	got = secmmu_get_user_pages_remote(mm, fault->target.hva, fault->pages,
					   flags, fault->page, &locked);
	if (locked)
		mmap_read_unlock(mm);
	/* May be the last user and run the release callback. */
	mmput(mm);

	if (got > 0)
		return got;
	if (got == -ENOMEM)
		return -ENOMEM;
	if (got == -EINTR || got == -EAGAIN || got == -ERESTARTSYS)
		return -EINTR;
	return -EFAULT;
}

/* May the fault install? Under the lock of the leaf table. */
static int check(struct fault *fault)
{
	struct secmmu_member *member = &fault->mirror->member;
	struct secmmu_records *records = &fault->mirror->chain->records;
	struct secmmu_inflight *record = &fault->record;
	unsigned long first_end = record->range.start + PAGE_SIZE - 1;
	bool moved, hit, foreign, released;

	/*
	 * The leaf was linked before this lock is taken. An event that does not
	 * see the link has left its mark under the same lock before.
	 */
	spin_lock(&records->lock);
	moved = fault->target.span_gen != member->span_gen;
	released = records->released;
	hit = record->hit;
	foreign = record->foreign;
	spin_unlock(&records->lock);

	if (released)
		return -ESRCH;
	if (moved)
		return retry(fault, SECMMU_COUNT_RETRIES_SLOT, "slot");
	/* If only later pages of the batch were hit, the first ones can go in. */
	if (hit && record->hit_start <= first_end)
		return foreign ?
		       retry(fault, SECMMU_COUNT_RETRIES_EVENT, "event") :
		       retry(fault, SECMMU_COUNT_RETRIES_SELF, "self");
	return 0;
}

static void install_one(struct fault *fault, struct secmmu_table *leaf,
			unsigned int i)
{
	u64 *sptep = &leaf->spte[secmmu_table_index(fault->gfn + i, 0)];
	u64 spte = spte_make(page_to_pfn(fault->page[i]), fault->write);
	u64 old = READ_ONCE(*sptep);

	/*
	 * The event check has just said that the CPU maps this page, writable if
	 * asked for, and that it cannot stop before this lock is released: the
	 * page may be dirtied as under the CPU's own page-table lock.
	 */
	if (fault->write)
		set_page_dirty(fault->page[i]);

	/* Never take away what another fault has put in. */
	if ((old & SPTE_PFN_MASK) == (spte & SPTE_PFN_MASK) &&
	    (old & SPTE_WRITE) >= (spte & SPTE_WRITE))
		return;
	if (!xchg(sptep, spte))
		leaf->nr++;
}

/* Returns the number of entries that are in place, or an errno. */
static int install(struct fault *fault, unsigned int got)
{
	struct secmmu_mirror *mirror = fault->mirror;
	struct secmmu_inflight *record = &fault->record;
	struct secmmu_table *leaf;
	unsigned int i, done = 0;
	int err;

	rcu_read_lock();
	leaf = secmmu_pgtable_link(&mirror->pt, fault->gfn, &fault->cache);
	if (!leaf) {
		rcu_read_unlock();
		return retry(fault, SECMMU_COUNT_RETRIES_TABLE, "table");
	}
	spin_lock(&leaf->lock);
	if (leaf->dead)
		err = retry(fault, SECMMU_COUNT_RETRIES_TABLE, "table");
	else
		err = check(fault);
	for (i = 0; !err && i < got; i++) {
		unsigned long hva = fault->target.hva + i * PAGE_SIZE;

		if (record->hit && record->hit_start <= hva + PAGE_SIZE - 1 &&
		    hva <= record->hit_last)
			continue;
		install_one(fault, leaf, i);
		done++;
	}
	spin_unlock(&leaf->lock);
	rcu_read_unlock();
	return err ?: done;
}

/* One round. Returns the entries in place, -EAGAIN to try again, or an errno. */
static int attempt(struct fault *fault, u64 wanted)
{
	struct secmmu_mirror *mirror = fault->mirror;
	struct secmmu_records *records = &mirror->chain->records;
	bool waited = false;
	int i, got, ret;

	ret = look_up(fault, wanted);
	if (ret)
		return ret;
	ret = secmmu_pgtable_fill(&fault->cache);
	if (ret)
		return ret;
	ret = secmmu_inflight_begin(records, &fault->record, fault->target.hva,
				    fault->target.hva +
				    fault->pages * PAGE_SIZE - 1, &waited);
	if (waited)
		secmmu_count(mirror->counters, SECMMU_COUNT_WAITS, 1);
	if (ret)
		return ret;
	got = get_pages(fault);
	ret = got;
	if (got > 0)
		ret = install(fault, got);
	secmmu_inflight_end(records, &fault->record);
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
 * @write: writable ones; breaks copy-on-write as a write by the process would
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: number of entries in place, at least one and starting at @gfn, though
 * an event may drop them again at any time; or -ENXIO, -EACCES, -EFAULT, -ESRCH,
 * -EINTR, -ENOMEM.
 */
int secmmu_fault(struct secmmu_mirror *mirror, gfn_t gfn, u64 pages,
		 bool write)
{
	struct fault fault = {
		.mirror = mirror,
		.gfn = gfn,
		.write = write,
	};
	int ret;

	while ((ret = attempt(&fault, pages)) == -EAGAIN)
		if (signal_pending(current)) {
			ret = -EINTR;
			break;
		}
	secmmu_pgtable_drain(&fault.cache);
	secmmu_count(mirror->counters, SECMMU_COUNT_FAULTS, 1);
	if (ret > 0)
		secmmu_count(mirror->counters, SECMMU_COUNT_FAULT_PAGES, ret);
	trace_secmmu_fault(mirror, gfn, write, ret);
	return ret;
}
