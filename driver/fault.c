// SPDX-License-Identifier: GPL-2.0
/*
 * The fault path, the only place that decides whether to try again. A fault holds two
 * things across a sleep: its record, which any event may mark hit meanwhile, and
 * references to its pages, which it drops at its end.
 */
#include <linux/sched/signal.h>

#include "compat/gup.h"
#include "direct.h"
#include "host.h"
#include "install.h"
#include "key.h"
#include "trace.h"

/* Pages that a read may map behind the ones asked for. */
#define FAULT_AROUND	16

/**
 * secmmu_access_find - find the slot of an access, and check its permissions
 * @mirror: the mirror
 * @gfn: the guest frame
 * @access: the access
 * @target: filled in
 *
 * Context: never sleeps. Holds nothing when it returns.
 * Return: 0; -ENXIO, -EACCES; -EXDEV if the domain does not show the page.
 */
int secmmu_access_find(struct secmmu_mirror *mirror, gfn_t gfn,
		       const struct secmmu_access *access,
		       struct secmmu_target *target)
{
	bool write = access->flags & SECMMU_FAULT_WRITE;
	int err;

	err = secmmu_slot_find(&mirror->member, gfn, target);
	if (err)
		return err;
	if (!(target->domains & BIT(access->domain)))
		return -EXDEV;
	if (write && (target->flags & SECMMU_SLOT_READONLY))
		return -EACCES;
	/* A denied access must not break COW, or make a page dirty. */
	if (secmmu_key_denies(access->rights, target->key, write))
		return -EACCES;
	return 0;
}

/* Look the target up; hold nothing afterwards. */
static int look_up(struct secmmu_fault *fault)
{
	struct secmmu_target *target = &fault->target;
	u64 pages = fault->wanted;
	int err;

	err = secmmu_access_find(fault->mirror, fault->gfn, fault->access, target);
	if (err)
		return err;
	if ((fault->access->flags & SECMMU_FAULT_AROUND) && !secmmu_fault_writes(fault))
		pages = max_t(u64, pages, FAULT_AROUND);
	/* One slot, one table, one shard, one stack frame. */
	pages = min3(pages, target->pages, (u64)SECMMU_FAULT_BATCH);
	pages = min(pages, secmmu_table_last(fault->gfn, 1) - fault->gfn + 1);
	fault->pages = min_t(u64, pages, secmmu_block_rest(target->hva) >> PAGE_SHIFT);
	fault->records = secmmu_shard_of(&fault->mirror->chain->shards, target->hva);
	return 0;
}

/* Set aside the tables that are missing now; more may go before the install. */
static int prepare_tables(struct secmmu_fault *fault)
{
	unsigned int missing;

	rcu_read_lock();
	missing = secmmu_pgtable_walk(fault->pt, fault->gfn)->level;
	rcu_read_unlock();
	return secmmu_pgtable_fill(&fault->cache, missing);
}

/* Wait for events, then record the fault, without the pages that events cover. */
static int record_fault(struct secmmu_fault *fault)
{
	unsigned long start = fault->target.hva;
	int err;

	fault->large = false;
	err = secmmu_inflight_begin(fault->records, &fault->record, start,
				    start + fault->pages * PAGE_SIZE - 1,
				    &fault->patience);
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

/* Does the block around the fault lie in one slot, aligned alike in both spaces? */
static bool block_fits(const struct secmmu_fault *fault)
{
	const struct secmmu_target *target = &fault->target;
	unsigned int before = secmmu_table_index(fault->gfn, 0);

	return !(target->flags & SECMMU_SLOT_LOG_DIRTY) &&
	       before == (target->hva >> PAGE_SHIFT) % SECMMU_LARGE_PAGES &&
	       before <= target->before &&
	       SECMMU_LARGE_PAGES - before <= target->pages;
}

/*
 * Can the fault map a huge page as one? The answer of the CPU's table counts only when the
 * fault is recorded for the whole block, so ask again then.
 */
static void look_for_large(struct secmmu_fault *fault, struct mm_struct *mm)
{
	unsigned long hva = fault->target.hva;
	unsigned long start = ALIGN_DOWN(hva, SECMMU_LARGE_SIZE);

	fault->large = block_fits(fault) &&
		secmmu_host_large(mm, hva, fault->page[0], secmmu_fault_writes(fault)) &&
		secmmu_inflight_widen(fault->records, &fault->record, start,
				      start + SECMMU_LARGE_SIZE - 1) &&
		secmmu_host_large(mm, hva, fault->page[0], secmmu_fault_writes(fault));
}

/* GUP under mmap_lock: the pages asked for, then those mapped behind them. */
static long get_pages_locked(struct secmmu_fault *fault, struct mm_struct *mm,
			     int *locked)
{
	unsigned long hva = fault->target.hva;
	unsigned int wanted = min_t(u64, fault->wanted, fault->pages);
	unsigned int flags = SECMMU_FOLL_HONOR_NUMA_FAULT |
			     (secmmu_fault_writes(fault) ? FOLL_WRITE : 0);
	long got, more;

	if (fault->access->flags & SECMMU_FAULT_NOFAULT)
		flags |= FOLL_NOFAULT;

	got = secmmu_get_user_pages_remote(mm, hva, wanted, flags |
					   SECMMU_FOLL_INTERRUPTIBLE, fault->page, locked);
	if (got < wanted || wanted == fault->pages || !*locked)
		return got;
	more = secmmu_get_user_pages_remote(mm, hva + wanted * PAGE_SIZE,
					    fault->pages - wanted,
					    flags | FOLL_NOFAULT,
					    fault->page + wanted, NULL);
	return more > 0 ? got + more : got;
}

/* Take references to the pages. Returns their number, above zero, or an errno. */
static int get_pages(struct secmmu_fault *fault)
{
	struct mm_struct *mm = fault->mirror->chain->mn.mm;
	int locked = 1, err;
	long got;

	err = fault->access->flags & SECMMU_FAULT_NOWAIT ? secmmu_host_trylock(mm) :
							   secmmu_host_lock(mm);
	if (err)
		return err;
	got = get_pages_locked(fault, mm, &locked);
	if (got > 0 && locked)
		look_for_large(fault, mm);
	secmmu_host_unlock(mm, locked);
	secmmu_gate(FAULT_GOT, fault->target.hva);

	if (got > 0)
		return got;
	return got == -ENOMEM || got == -EINTR ? got : -EFAULT;
}

/* One round. Returns the pages mapped, -EAGAIN to try again, or an errno. */
static int attempt_fault(struct secmmu_fault *fault)
{
	int i, got, ret;

	ret = look_up(fault);
	if (ret)
		return ret;
	ret = prepare_tables(fault);
	if (ret)
		return ret;
	secmmu_gate(FAULT_LOOKED_UP, fault->target.hva);
	ret = record_fault(fault);
	if (ret)
		return ret;
	secmmu_gate(FAULT_RECORDED, fault->target.hva);
	got = get_pages(fault);
	ret = got > 0 ? secmmu_install(fault, got) : got;
	secmmu_gate(FAULT_INSTALLED, fault->target.hva);
	secmmu_inflight_end(fault->records, &fault->record);
	for (i = 0; i < got; i++)
		put_page(fault->page[i]);
	return ret;
}

/**
 * secmmu_fault - install the sptes of a few pages
 * @mirror: the mirror
 * @gfn: first guest frame
 * @pages: pages wanted, at least one
 * @access: SECMMU_FAULT_WRITE: writable ones; breaks copy-on-write as a write by
 *	the process would. SECMMU_FAULT_AROUND: a read may map more.
 *	SECMMU_FAULT_NOFAULT: only pages that the process has mapped, else -EFAULT.
 *	SECMMU_FAULT_NOWAIT: -EBUSY instead of waiting for an event or for mmap_lock, or
 *	of starting again.
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: number of pages mapped from @gfn on, at least one, though an event may drop
 * their entries again at any time; or -ENXIO, -EACCES, -EFAULT, -ESRCH, -EINTR,
 * -ENOMEM; -EXDEV if the domain does not show the page; -EBUSY if events leave the page
 * no moment for it: see direct.h.
 */
int secmmu_fault(struct secmmu_mirror *mirror, gfn_t gfn, u64 pages,
		 const struct secmmu_access *access)
{
	struct secmmu_fault fault = {
		.mirror = mirror,
		.pt = secmmu_root(&mirror->roots, access->domain),
		.access = access,
		.gfn = gfn,
		.wanted = pages,
	};
	int ret;

	if (access->flags & SECMMU_FAULT_NOWAIT)
		fault.patience.turns = SECMMU_PATIENCE;

	while ((ret = attempt_fault(&fault)) == -EAGAIN) {
		if (signal_pending(current))
			ret = -EINTR;
		else if (++fault.patience.turns >= secmmu_patience())
			ret = -EBUSY;
		if (ret != -EAGAIN)
			break;
	}
	secmmu_pgtable_drain(&fault.cache);
	secmmu_count(mirror->counters, SECMMU_COUNT_FAULTS, 1);
	trace_secmmu_fault(mirror, gfn, secmmu_fault_writes(&fault), ret);
	return ret;
}

/*
 * Events leave the page no moment for an spte. They would drop one again at once, so the
 * caller cannot tell the difference. But GUP must run, for its effects on the process.
 */
static int touch_past_mirror(struct secmmu_mirror *mirror, gfn_t gfn,
			     const struct secmmu_access *access)
{
	struct secmmu_direct direct;
	int err;

	err = secmmu_direct_begin(&direct, mirror, gfn, access);
	if (err)
		return err;
	secmmu_direct_end(&direct, false);
	return 1;
}

/**
 * secmmu_prefault - install the sptes of a range
 * @mirror: the mirror
 * @gfn: first guest frame; moved to the first one left
 * @pages: pages, at least one; reduced to the number left
 * @access: as for secmmu_fault()
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: 0 if it made progress, or as secmmu_fault() if not.
 */
int secmmu_prefault(struct secmmu_mirror *mirror, gfn_t *gfn, u64 *pages,
		    const struct secmmu_access *access)
{
	bool moved = false;
	int ret = 0;

	while (*pages) {
		ret = secmmu_fault(mirror, *gfn, *pages, access);
		if (ret == -EBUSY)
			ret = touch_past_mirror(mirror, *gfn, access);
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
