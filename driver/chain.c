// SPDX-License-Identifier: GPL-2.0
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "chain.h"
#include "test/mutant.h"
#include "trace.h"

/* Chains not yet freed; the module must outlive the free callbacks. */
static atomic_t nr_chains;

/* One round over all members; see chain.h. Returns false if it is not valid. */
static bool walk_round(struct secmmu_walk *walk)
{
	struct secmmu_chain *chain = walk->chain;
	struct secmmu_member *member;

	walk->seq = read_seqcount_begin(&chain->seq);
	/* The core's SRCU section, which leaving waits for, covers the list. */
	list_for_each_entry_rcu(member, &chain->members, link, true) {
		bool touched;

		rcu_read_lock();
		touched = secmmu_span_find(&member->spans.by_hva, walk->start,
					   walk->last);
		rcu_read_unlock();
		if (!touched)
			continue;
		walk->at = NULL;
		member->ops->invalidate(member, walk);
	}
	return !read_seqcount_retry(&chain->seq, walk->seq);
}

static void deliver(struct secmmu_chain *chain, unsigned long start,
		    unsigned long last)
{
	struct secmmu_walk walk = {
		.chain = chain,
		.start = start,
		.last = last,
	};
	unsigned int round;

	for (round = 0; round < SECMMU_REPLAYS_MAX; round++) {
		if (walk_round(&walk))
			return;
		atomic64_inc(&chain->replays);
	}

	spin_lock(&chain->registry);
	walk.locked = true;
	walk_round(&walk);
	spin_unlock(&chain->registry);
}

/* With the registry locked. */
static unsigned int take_pieces(struct secmmu_walk *walk,
				struct secmmu_member *member,
				struct secmmu_piece *pieces, unsigned int max)
{
	struct interval_tree_node *node = walk->at;
	unsigned int n = 0;

	lockdep_assert_held(&walk->chain->registry);
	/* While the seqcount stands still, the cursor is still in the tree. */
	if (read_seqcount_retry(&walk->chain->seq, walk->seq))
		return 0;
	if (!node)
		node = interval_tree_iter_first(&member->spans.by_hva,
						walk->start, walk->last);
	else
		node = interval_tree_iter_next(node, walk->start, walk->last);
	while (node) {
		struct secmmu_span *span =
			container_of(node, struct secmmu_span, by_hva);

		pieces[n].first = span_gfn(span, max(walk->start, node->start));
		pieces[n].last = span_gfn(span, min(walk->last, node->last));
		walk->at = node;
		if (++n == max)
			break;
		node = interval_tree_iter_next(node, walk->start, walk->last);
	}
	return n;
}

/**
 * secmmu_walk_next - the next spans of a member that an event touches
 * @walk: the walk
 * @member: the member being visited
 * @pieces: where to put the guest frames touched
 * @max: room in @pieces, in entries
 *
 * Context: called from &secmmu_member_ops.invalidate; never sleeps.
 * Return: number of @pieces set; zero at the end, or if the registration moved
 * (the walk will then come again).
 */
unsigned int secmmu_walk_next(struct secmmu_walk *walk,
			      struct secmmu_member *member,
			      struct secmmu_piece *pieces, unsigned int max)
{
	unsigned int n;

	if (walk->locked)
		return take_pieces(walk, member, pieces, max);
	spin_lock(&walk->chain->registry);
	n = take_pieces(walk, member, pieces, max);
	spin_unlock(&walk->chain->registry);
	return n;
}

static struct secmmu_chain *to_chain(struct mmu_notifier *mn)
{
	return container_of(mn, struct secmmu_chain, mn);
}

static int chain_range_start(struct mmu_notifier *mn,
			     const struct mmu_notifier_range *range)
{
	struct secmmu_chain *chain = to_chain(mn);
	unsigned long last = range->end - 1;

	if (range->start >= range->end || secmmu_mutant(IGNORE_INVALIDATE))
		return 0;
	trace_secmmu_event_begin(chain, range->start, range->end);
	secmmu_event_begin(&chain->records, range->start, last);
	deliver(chain, range->start, last);
	return 0;
}

static void chain_range_end(struct mmu_notifier *mn,
			    const struct mmu_notifier_range *range)
{
	struct secmmu_chain *chain = to_chain(mn);
	unsigned long last = range->end - 1;

	if (range->start >= range->end || secmmu_mutant(IGNORE_INVALIDATE))
		return;
	trace_secmmu_event_end(chain, range->start, range->end);
	if (secmmu_event_end(&chain->records, range->start, last))
		return;

	/* Its begin was never seen: make up for the invalidation. */
	pr_warn_once("invalidation of 0x%lx-0x%lx ended without having begun\n",
		     range->start, range->end);
	secmmu_event_begin(&chain->records, range->start, last);
	deliver(chain, range->start, last);
	secmmu_event_end(&chain->records, range->start, last);
}

static void chain_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct secmmu_chain *chain = to_chain(mn);
	struct secmmu_member *member;

	/* First forbid, then drop: a fault past its check is seen by the zap. */
	secmmu_records_release(&chain->records);
	list_for_each_entry_rcu(member, &chain->members, link, true)
		member->ops->release(member);
}

static struct mmu_notifier *chain_alloc(struct mm_struct *mm)
{
	struct secmmu_chain *chain = kzalloc(sizeof(*chain), GFP_KERNEL_ACCOUNT);

	if (!chain)
		return ERR_PTR(-ENOMEM);
	secmmu_records_init(&chain->records);
	spin_lock_init(&chain->registry);
	seqcount_spinlock_init(&chain->seq, &chain->registry);
	INIT_LIST_HEAD(&chain->members);
	atomic_inc(&nr_chains);
	return &chain->mn;
}

/* After a grace period of the core's; or at once, if registration failed. */
static void chain_free(struct mmu_notifier *mn)
{
	kfree(to_chain(mn));
	if (atomic_dec_and_test(&nr_chains))
		wake_up_var(&nr_chains);
}

static const struct mmu_notifier_ops chain_ops = {
	.release = chain_release,
	.invalidate_range_start = chain_range_start,
	.invalidate_range_end = chain_range_end,
	.alloc_notifier = chain_alloc,
	.free_notifier = chain_free,
};

/**
 * secmmu_chain_get - get the chain of the caller's mm
 *
 * The first call for an mm registers with the core, which takes every lock of
 * the mm; later ones only find it.
 *
 * Context: may sleep; takes mmap_lock for writing.
 * Return: the chain, to be given to secmmu_chain_put(); or an error pointer:
 * -ENOMEM, -EINTR.
 */
struct secmmu_chain *secmmu_chain_get(void)
{
	struct mmu_notifier *mn;

	/* The caller's own mm: its users are above zero as long as it runs. */
	if (mmap_write_lock_killable(current->mm))
		return ERR_PTR(-EINTR);
	mn = mmu_notifier_get_locked(&chain_ops, current->mm);
	mmap_write_unlock(current->mm);

	return IS_ERR(mn) ? ERR_CAST(mn) : to_chain(mn);
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

static void update_begin(struct secmmu_chain *chain)
	__acquires(&chain->registry)
{
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
 * secmmu_chain_join - start to receive events
 * @chain: the chain
 * @member: the new member; it has no spans yet
 * @ops: its callbacks
 *
 * Context: may sleep. Costs the same whatever the mm looks like.
 */
void secmmu_chain_join(struct secmmu_chain *chain, struct secmmu_member *member,
		       const struct secmmu_member_ops *ops)
{
	member->chain = chain;
	member->ops = ops;
	secmmu_spans_init(&member->spans);

	update_begin(chain);
	list_add_tail_rcu(&member->link, &chain->members);
	update_end(chain);
}

/**
 * secmmu_chain_leave - stop to receive events
 * @member: the member; its engines are gone, so none of its sptes is in use
 *
 * After this returns, no callback of @member runs or will run.
 *
 * Context: sleeps; holds no lock that a callback needs.
 */
void secmmu_chain_leave(struct secmmu_member *member)
{
	struct secmmu_chain *chain = member->chain;

	update_begin(chain);
	list_del_rcu(&member->link);
	update_end(chain);

	mmu_notifier_synchronize();
}

/**
 * secmmu_chain_replace - change the spans of a member, in one step
 * @member: the member
 * @remove: a span that goes, or NULL
 * @insert: a span that comes, or NULL
 *
 * No fault installs through @remove any more. But sptes that came through it
 * exist until the caller has dropped and flushed them, and until then events
 * must find them: @remove still answers by host address, up to
 * secmmu_chain_forget().
 *
 * Context: never sleeps; the caller holds the lock of the configuration.
 */
void secmmu_chain_replace(struct secmmu_member *member,
			  struct secmmu_span *remove,
			  struct secmmu_span *insert)
{
	struct secmmu_chain *chain = member->chain;

	update_begin(chain);
	if (remove)
		interval_tree_remove(&remove->by_gfn, &member->spans.by_gfn);
	if (insert) {
		interval_tree_insert(&insert->by_gfn, &member->spans.by_gfn);
		interval_tree_insert(&insert->by_hva, &member->spans.by_hva);
	}
	update_end(chain);

	if (!remove)
		return;
	spin_lock(&chain->records.lock);
	/* Pairs with the acquire in secmmu_slot_find(). */
	smp_store_release(&member->span_gen, member->span_gen + 1);
	spin_unlock(&chain->records.lock);
}

/**
 * secmmu_chain_forget - the last trace of a removed span goes
 * @member: the member
 * @span: the span; its sptes are dropped and flushed. To be freed after an RCU
 *	grace period.
 *
 * Context: never sleeps; the caller holds the lock of the configuration.
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
	 * returned. It runs with bottom halves disabled, or under mmap_lock in
	 * a call of ours that has ended: a grace period waits for its text.
	 */
	synchronize_rcu();
}
