// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "chain.h"
#include "compat/young.h"
#include "trace.h"
#include "walk.h"

/* Chains not yet freed; the module must outlive the free callbacks. */
static atomic_t nr_chains;

/* Time start callbacks? */
DEFINE_STATIC_KEY_FALSE(secmmu_timing);

static struct secmmu_chain *to_chain(struct mmu_notifier *mn)
{
	return container_of(mn, struct secmmu_chain, mn);
}

static void note_latency(struct secmmu_chain *chain, u64 began)
{
	unsigned int bucket = ilog2((ktime_get_ns() - began) | 1);

	atomic64_inc(&chain->latency[min(bucket, SECMMU_LATENCY_BUCKETS - 1U)]);
}

static __always_inline void begin_event(struct secmmu_chain *chain, unsigned long start,
					unsigned long last, bool may_sleep)
{
	u64 began = static_branch_unlikely(&secmmu_timing) ? ktime_get_ns() : 0;

	secmmu_gate_range(START_ENTERED, chain, start, last, false);
	/* Record the event whether it touches a span or not, then deliver it. */
	secmmu_shards_begin(&chain->shards, start, last);
	secmmu_gate_event(START_RECORDED, start, may_sleep);
	secmmu_walk_range(chain, SECMMU_INVALIDATE, start, last, may_sleep);
	if (began)
		note_latency(chain, began);
}

static bool range_is_empty(const struct mmu_notifier_range *range)
{
	return range->start >= range->end;
}

static int chain_range_start(struct mmu_notifier *mn,
			     const struct mmu_notifier_range *range)
{
	struct secmmu_chain *chain = to_chain(mn);
	unsigned long last = range->end - 1;

	if (range_is_empty(range))
		return 0;
	trace_secmmu_event_begin(chain, range->start, range->end);
	begin_event(chain, range->start, last, mmu_notifier_range_blockable(range));
	return 0;
}

static void chain_range_end(struct mmu_notifier *mn,
			    const struct mmu_notifier_range *range)
{
	struct secmmu_chain *chain = to_chain(mn);
	unsigned long last = range->end - 1;

	if (range_is_empty(range))
		return;
	secmmu_gate_spin(END, range->start);
	trace_secmmu_event_end(chain, range->start, range->end);
	if (secmmu_shards_end(&chain->shards, range->start, last))
		return;

	/* The chain never saw its begin: invalidate now. */
	pr_warn_once("invalidation of 0x%lx-0x%lx ended without having begun\n",
		     range->start, range->end);
	begin_event(chain, range->start, last, mmu_notifier_range_blockable(range));
	secmmu_shards_end(&chain->shards, range->start, last);
}

static bool age_members(struct mmu_notifier *mn, unsigned long start,
			unsigned long end, enum secmmu_purpose purpose)
{
	return start < end &&
	       secmmu_walk_range(to_chain(mn), purpose, start, end - 1, false);
}

static secmmu_young_t chain_clear_young(struct mmu_notifier *mn,
					struct mm_struct *mm,
					unsigned long start, unsigned long end)
{
	return age_members(mn, start, end, SECMMU_CLEAR_YOUNG);
}

static secmmu_young_t chain_test_young(struct mmu_notifier *mn,
				       struct mm_struct *mm,
				       unsigned long address)
{
	return age_members(mn, address, address + 1, SECMMU_TEST_YOUNG);
}

static void chain_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct secmmu_chain *chain = to_chain(mn);

	/* First forbid, then drop: the zap sees a fault that is past its check. */
	secmmu_shards_release(&chain->shards);
	secmmu_gate_range(RELEASE, chain, 0, ULONG_MAX, false);
	secmmu_walk_release(chain);
	/* Nobody keeps a chain for an mm that has no users left. */
	if (chain->keeps)
		secmmu_chain_put(chain);
}

static struct mmu_notifier *chain_alloc(struct mm_struct *mm)
{
	struct secmmu_chain *chain;

	chain = kvzalloc(sizeof(*chain), GFP_KERNEL_ACCOUNT);
	if (!chain)
		return ERR_PTR(-ENOMEM);
	secmmu_shards_init(&chain->shards);
	spin_lock_init(&chain->registry);
	seqcount_spinlock_init(&chain->seq, &chain->registry);
	INIT_LIST_HEAD(&chain->members);
	INIT_LIST_HEAD(&chain->kept);
	atomic_inc(&nr_chains);
	return &chain->mn;
}

/* The core calls it after a grace period, or at once if registration failed. */
static void chain_free(struct mmu_notifier *mn)
{
	struct secmmu_chain *chain = to_chain(mn);
	struct secmmu_kept *kept, *next;

	list_for_each_entry_safe(kept, next, &chain->kept, link)
		kept->free(kept);
	if (chain->holds_module)
		module_put(THIS_MODULE);
	kvfree(chain);
	if (atomic_dec_and_test(&nr_chains))
		wake_up_var(&nr_chains);
}

/*
 * Reclaim runs callbacks wherever memory is allocated. Teach lockdep now, not when memory
 * is short, that our locks nest inside reclaim.
 */
static void prime_lockdep(struct secmmu_chain *chain)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	spin_lock(&chain->registry);
	secmmu_shards_pass(&chain->shards);
	spin_unlock(&chain->registry);
	fs_reclaim_release(GFP_KERNEL);
}

static const struct mmu_notifier_ops chain_ops = {
	.release = chain_release,
	/* Engines see an age generation: young bits need no flush. */
	.clear_flush_young = chain_clear_young,
	.clear_young = chain_clear_young,
	.test_young = chain_test_young,
	.invalidate_range_start = chain_range_start,
	.invalidate_range_end = chain_range_end,
	.alloc_notifier = chain_alloc,
	.free_notifier = chain_free,
};

/**
 * secmmu_chain_get - get the chain of an mm
 * @mm: the mm; the caller is one of its users
 *
 * The first call for an mm registers with the core, which takes every lock of
 * the mm; later calls only find the chain. Every call takes mmap_lock for writing, so no
 * munmap() that began before is half done afterwards. That is part of the UAPI.
 *
 * Context: may sleep; takes mmap_lock for writing.
 * Return: the chain, to be given to secmmu_chain_put(); or an error pointer:
 * -ENOMEM, -EINTR.
 */
struct secmmu_chain *secmmu_chain_get(struct mm_struct *mm)
{
	struct mmu_notifier *mn;

	if (mmap_write_lock_killable(mm))
		return ERR_PTR(-EINTR);
	mn = mmu_notifier_get_locked(&chain_ops, mm);
	mmap_write_unlock(mm);

	if (IS_ERR(mn))
		return ERR_CAST(mn);
	prime_lockdep(to_chain(mn));
	return to_chain(mn);
}

/**
 * secmmu_chain_put - drop a reference
 * @chain: from secmmu_chain_get(); the caller's members have left
 *
 * Context: any that may take the mm's notifier lock; does not sleep.
 */
void secmmu_chain_put(struct secmmu_chain *chain)
{
	mmu_notifier_put(&chain->mn);
}

/**
 * secmmu_chain_keep - keep a chain until its mm is released
 * @chain: the chain; the caller has a reference
 *
 * The chain then outlives the descriptors that it came from, so it holds the module
 * until it is freed: rmmod(8) fails, instead of waiting for the process to end.
 *
 * Context: may sleep; takes mmap_lock for writing. The caller has a descriptor open.
 * Return: 0, also if it is kept already; -ESRCH if the mm is gone, -ENOMEM, -EINTR.
 */
int secmmu_chain_keep(struct secmmu_chain *chain)
{
	struct mm_struct *mm = chain->mn.mm;
	struct secmmu_chain *same;
	bool twice;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	same = secmmu_chain_get(mm);
	if (!IS_ERR(same)) {
		spin_lock(&chain->registry);
		twice = chain->keeps;
		chain->keeps = true;
		if (!chain->holds_module) {
			__module_get(THIS_MODULE);
			chain->holds_module = true;
		}
		spin_unlock(&chain->registry);
		if (twice)
			secmmu_chain_put(chain);
	}
	mmput(mm);
	return PTR_ERR_OR_ZERO(same);
}

static void update_begin(struct secmmu_chain *chain)
	__acquires(&chain->registry)
{
	/* A walk that has lost too often goes first: it cannot sleep, a registration can. */
	wait_var_event(&chain->hold_off, !atomic_read(&chain->hold_off));
	spin_lock(&chain->registry);
	write_seqcount_begin(&chain->seq);
}

static void update_end(struct secmmu_chain *chain)
	__releases(&chain->registry)
{
	write_seqcount_end(&chain->seq);
	spin_unlock(&chain->registry);
}

/**
 * secmmu_chain_join - start receiving events
 * @chain: the chain
 * @member: the new member; it has no spans yet
 * @ops: its callbacks
 *
 * Context: may sleep. The cost does not depend on the mm.
 */
void secmmu_chain_join(struct secmmu_chain *chain, struct secmmu_member *member,
		       const struct secmmu_member_ops *ops)
{
	member->chain = chain;
	member->ops = ops;
	secmmu_spans_init(&member->spans, &chain->seq);

	update_begin(chain);
	list_add_tail_rcu(&member->link, &chain->members);
	update_end(chain);
}

/**
 * secmmu_chain_leave - stop receiving events
 * @member: the member; its engines are gone, so none of its sptes is in use. The caller
 *	frees it, and its spans, after an RCU grace period.
 *
 * After this returns, no callback of @member runs or will run. Events may still look
 * whether they touch it.
 *
 * Context: sleeps; holds no lock that a callback needs.
 */
void secmmu_chain_leave(struct secmmu_member *member)
{
	might_sleep();
	update_begin(member->chain);
	list_del_rcu(&member->link);
	update_end(member->chain);

	secmmu_gate(LEAVE, 0);
	secmmu_walks_wait();
}

/**
 * secmmu_chain_replace - change the spans of a member, in one step
 * @member: the member
 * @remove: a span that goes, or NULL
 * @insert: a span that comes, or NULL
 *
 * No fault installs through @remove any more. But sptes that came through it exist until
 * the caller has dropped and flushed them, and events must find them until then. So
 * @remove stays in the tree by host address until secmmu_chain_forget().
 *
 * Context: may sleep; the caller holds the configuration lock.
 */
void secmmu_chain_replace(struct secmmu_member *member,
			  struct secmmu_span *remove,
			  struct secmmu_span *insert)
{
	struct secmmu_chain *chain = member->chain;

	secmmu_gate(REPLACE, 0);
	update_begin(chain);
	secmmu_gate_torn(&member->spans.by_hva.rb_root);
	if (remove)
		secmmu_spans_hide(&member->spans, remove);
	if (insert)
		secmmu_spans_insert(&member->spans, insert);
	update_end(chain);

	if (!remove)
		return;
	/* Pairs with the acquire in secmmu_slot_find(). */
	smp_store_release(&member->span_gen, member->span_gen + 1);
	/*
	 * A fault that checks after this sees the new number. One that has checked before has
	 * linked its table, and the zap that follows finds it.
	 */
	secmmu_shards_pass(&chain->shards);
}

/**
 * secmmu_chain_forget - remove the last trace of a removed span
 * @member: the member
 * @span: the span; its sptes are dropped and flushed. The caller frees it after an RCU
 *	grace period.
 *
 * Context: may sleep; the caller holds the configuration lock.
 */
void secmmu_chain_forget(struct secmmu_member *member, struct secmmu_span *span)
{
	update_begin(member->chain);
	interval_tree_remove(&span->by_hva, &member->spans.by_hva);
	update_end(member->chain);
}

/**
 * secmmu_chain_exit - wait until the last chain has been freed
 *
 * Context: sleeps; module exit, when no descriptor is left.
 */
void secmmu_chain_exit(void)
{
	wait_var_event(&nr_chains, !atomic_read(&nr_chains));
	/*
	 * The last free callback has counted itself out but may not have
	 * returned. It runs with bottom halves disabled, so a grace period waits
	 * for its text, or under mmap_lock in a call of ours that has ended.
	 */
	synchronize_rcu();
}
