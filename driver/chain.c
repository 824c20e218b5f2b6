// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kcsan-checks.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "chain.h"
#include "compat/young.h"
#include "test/gate.h"
#include "test/held.h"
#include "test/inject.h"
#include "test/mutant.h"
#include "test/oracle.h"
#include "trace.h"

/* Chains not yet freed; the module must outlive the free callbacks. */
static atomic_t nr_chains;

/* Are start callbacks timed? */
DEFINE_STATIC_KEY_FALSE(secmmu_timing);

static bool member_touched(struct secmmu_member *member,
			   struct secmmu_walk *walk)
{
	bool touched;

	rcu_read_lock();
	touched = secmmu_span_find(&member->spans.by_hva, walk->start,
				   walk->last);
	rcu_read_unlock();
	return touched;
}

/* One round over all members; see chain.h. Returns false if it is not valid. */
static bool walk_round(struct secmmu_walk *walk)
{
	struct secmmu_chain *chain = walk->chain;
	struct secmmu_member *member;

	if (secmmu_mutant(TORN_REGISTRATION))
		walk->seq = raw_read_seqcount(&chain->seq);
	else if (!secmmu_mutant(SEQ_READ_ONCE) || !walk->seq)
		walk->seq = read_seqcount_begin(&chain->seq);
	/*
	 * What the seqcount covers is read with marked accesses. All else that the
	 * round does is none of its affair: KCSAN shall not take it for a part of
	 * the read side, where it excuses plain accesses.
	 */
	kcsan_atomic_next(0);
	/* The core's SRCU section, which leaving waits for, covers the list. */
	list_for_each_entry_rcu(member, &chain->members, link, true) {
		if (!member_touched(member, walk))
			continue;
		walk->at = NULL;
		walk->complete = false;
		if (walk->purpose <= SECMMU_INVALIDATE_LATE) {
			member->ops->invalidate(member, walk);
			continue;
		}
		/* All members age, whatever the earlier ones said. */
		walk->young |= member->ops->age(member, walk, walk->purpose ==
						SECMMU_CLEAR_YOUNG);
		if (walk->young && (walk->purpose == SECMMU_TEST_YOUNG ||
				    secmmu_mutant(FIRST_YOUNG)))
			return true;
	}
	secmmu_gate_spin(START_WALKED, walk->start);
	return !read_seqcount_retry(&chain->seq, walk->seq) ||
	       secmmu_mutant(TORN_REGISTRATION);
}

/* Walk all members until the registration has not moved meanwhile. */
static void walk_members(struct secmmu_walk *walk)
{
	struct secmmu_chain *chain = walk->chain;
	unsigned int replays = 0;

	while (!walk_round(walk)) {
		atomic64_inc(&chain->replays);
		if (++replays == SECMMU_REPLAYS_MAX)
			atomic_inc(&chain->hold_off);
		if (secmmu_mutant(SEQ_READ_ONCE) && replays == 1000)
			break;
	}
	if (replays >= SECMMU_REPLAYS_MAX &&
	    atomic_dec_and_test(&chain->hold_off))
		wake_up_var(&chain->hold_off);
}

static void set_piece(struct secmmu_piece *piece, struct secmmu_walk *walk,
		      struct interval_tree_node *node)
{
	struct secmmu_span *span = container_of(node, struct secmmu_span,
						by_hva);

	piece->first = span_gfn(span, max(walk->start, node->start));
	piece->last = span_gfn(span, min(walk->last, node->last));
	piece->span_first = span->by_gfn.start;
	piece->domains = span->domains;
	piece->dirty = span->dirty;
}

/* All pieces of a member if there is room for them, else none. */
static unsigned int collect_pieces(struct secmmu_walk *walk,
				   struct secmmu_member *member,
				   struct secmmu_piece *pieces)
{
	struct interval_tree_node *nodes[SECMMU_WALK_BATCH];
	unsigned int i, n;

	rcu_read_lock();
	n = secmmu_span_collect(&member->spans.by_hva, walk->start, walk->last,
				nodes, SECMMU_WALK_BATCH);
	walk->complete = n <= SECMMU_WALK_BATCH;
	if (!walk->complete)
		n = 0;
	for (i = 0; i < n; i++)
		set_piece(&pieces[i], walk, nodes[i]);
	rcu_read_unlock();
	return n;
}

/* Some pieces of a member, beginning behind the cursor. */
static unsigned int take_pieces(struct secmmu_walk *walk,
				struct secmmu_member *member,
				struct secmmu_piece *pieces)
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
	for (; node && n < SECMMU_WALK_BATCH; n++) {
		set_piece(&pieces[n], walk, node);
		walk->at = node;
		node = interval_tree_iter_next(node, walk->start, walk->last);
	}
	return n;
}

/**
 * secmmu_walk_next - the next spans of a member that a walk touches
 * @walk: the walk
 * @member: the member being visited
 * @pieces: where to put the guest frames touched, SECMMU_WALK_BATCH entries
 *
 * Takes no lock unless there are more spans than @pieces has room for.
 *
 * Context: called from &struct secmmu_member_ops; never sleeps.
 * Return: number of @pieces set; zero at the end, or if the registration moved
 * (the walk will then come again).
 */
unsigned int secmmu_walk_next(struct secmmu_walk *walk,
			      struct secmmu_member *member,
			      struct secmmu_piece *pieces)
{
	unsigned int n;

	if (walk->complete)
		return 0;
	if (!walk->at) {
		n = collect_pieces(walk, member, pieces);
		if (walk->complete)
			return n;
	}
	spin_lock(&walk->chain->registry);
	n = take_pieces(walk, member, pieces);
	spin_unlock(&walk->chain->registry);
	return n;
}

static struct secmmu_chain *to_chain(struct mmu_notifier *mn)
{
	return container_of(mn, struct secmmu_chain, mn);
}

static void note_latency(struct secmmu_chain *chain, u64 began)
{
	unsigned int bucket = ilog2((ktime_get_ns() - began) | 1);

	atomic64_inc(&chain->latency[min(bucket, SECMMU_LATENCY_BUCKETS - 1U)]);
}

static void begin_event(struct secmmu_chain *chain, unsigned long start,
			unsigned long last)
{
	u64 began = static_branch_unlikely(&secmmu_timing) ? ktime_get_ns() : 0;
	struct secmmu_walk event = {
		.chain = chain,
		.purpose = SECMMU_INVALIDATE,
		.start = start,
		.last = last,
	};

	if (secmmu_mutant(END_AS_LENGTH))
		event.last += start;
	if (secmmu_mutant(INCLUSIVE_END))
		event.last++;
	secmmu_gate_spin(START_ENTERED, start);
	/* Recorded whether it touches a span or not; then delivered. */
	secmmu_event_begin(&chain->records, start, last);
	secmmu_gate_spin(START_RECORDED, start);
	walk_members(&event);
	if (began)
		note_latency(chain, began);
}

/* Nothing to do? Never, but for mutants and ranges that are none. */
static bool ignored(const struct mmu_notifier_range *range)
{
	return range->start >= range->end ||
	       secmmu_mutant(IGNORE_INVALIDATE) ||
	       (secmmu_mutant(FOREIGN_IGNORED) && current->mm != range->mm) ||
	       (secmmu_mutant(WRITE_KEPT_AFTER_FORK) &&
		range->event == MMU_NOTIFY_PROTECTION_PAGE);
}

static int chain_range_start(struct mmu_notifier *mn,
			     const struct mmu_notifier_range *range)
{
	struct secmmu_chain *chain = to_chain(mn);
	unsigned long last = range->end - 1;

	if (secmmu_mutant(EMPTY_IS_ALL) && range->start == range->end) {
		begin_event(chain, 0, ULONG_MAX);
		secmmu_event_end(&chain->records, 0, ULONG_MAX);
	}
	if (ignored(range))
		return 0;
	trace_secmmu_event_begin(chain, range->start, range->end);
	secmmu_oracle_note(chain, range->start, last);
	begin_event(chain, range->start, last);
	return 0;
}

static void end_late(struct secmmu_chain *chain, unsigned long start,
		     unsigned long last)
{
	struct secmmu_walk walk = {
		.chain = chain,
		.purpose = SECMMU_INVALIDATE_LATE,
		.start = start,
		.last = last,
	};

	walk_members(&walk);
}

static void chain_range_end(struct mmu_notifier *mn,
			    const struct mmu_notifier_range *range)
{
	struct secmmu_chain *chain = to_chain(mn);
	unsigned long last = range->end - 1;

	if (ignored(range))
		return;
	trace_secmmu_event_end(chain, range->start, range->end);
	secmmu_gate_spin(END, range->start);
	if (secmmu_any_holds())
		end_late(chain, range->start, last);
	if (secmmu_event_end(&chain->records, range->start, last))
		return;

	/* Its begin was never seen: make up for the invalidation. */
	pr_warn_once("invalidation of 0x%lx-0x%lx ended without having begun\n",
		     range->start, range->end);
	if (secmmu_mutant(UNPAIRED_IGNORED))
		return;
	secmmu_oracle_note(chain, range->start, last);
	begin_event(chain, range->start, last);
	secmmu_event_end(&chain->records, range->start, last);
}

static bool age(struct mmu_notifier *mn, unsigned long start,
		unsigned long end, enum secmmu_purpose purpose)
{
	struct secmmu_walk aging = {
		.chain = to_chain(mn),
		.purpose = purpose,
		.start = start,
		.last = end - 1,
	};

	if (start < end)
		walk_members(&aging);
	return aging.young;
}

static secmmu_young_t chain_clear_young(struct mmu_notifier *mn,
					struct mm_struct *mm,
					unsigned long start, unsigned long end)
{
	return age(mn, start, end, SECMMU_CLEAR_YOUNG);
}

static secmmu_young_t chain_test_young(struct mmu_notifier *mn,
				       struct mm_struct *mm,
				       unsigned long address)
{
	return age(mn, address, address + 1, SECMMU_TEST_YOUNG);
}

static void chain_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct secmmu_chain *chain = to_chain(mn);
	struct secmmu_member *member;

	/* First forbid, then drop: a fault past its check is seen by the zap. */
	secmmu_records_release(&chain->records);
	secmmu_oracle_note(chain, 0, ULONG_MAX);
	secmmu_gate_spin(RELEASE, 0);
	list_for_each_entry_rcu(member, &chain->members, link, true)
		member->ops->release(member);
	/* Nobody keeps a chain for an mm that has no users left. */
	if (chain->keeps)
		secmmu_chain_put(chain);
}

static struct mmu_notifier *chain_alloc(struct mm_struct *mm)
{
	struct secmmu_chain *chain;

	chain = secmmu_may_fail(kzalloc(sizeof(*chain), GFP_KERNEL_ACCOUNT), NULL);
	if (!chain)
		return ERR_PTR(-ENOMEM);
	secmmu_records_init(&chain->records);
	spin_lock_init(&chain->registry);
	seqcount_spinlock_init(&chain->seq, &chain->registry);
	INIT_LIST_HEAD(&chain->members);
	INIT_LIST_HEAD(&chain->kept);
	atomic_inc(&nr_chains);
	return &chain->mn;
}

/* After a grace period of the core's; or at once, if registration failed. */
static void chain_free(struct mmu_notifier *mn)
{
	struct secmmu_chain *chain = to_chain(mn);
	struct secmmu_kept *kept, *next;

	list_for_each_entry_safe(kept, next, &chain->kept, link)
		kept->free(kept);
	kfree(chain);
	if (atomic_dec_and_test(&nr_chains))
		wake_up_var(&nr_chains);
}

/*
 * Reclaim runs callbacks wherever memory is allocated. Teach lockdep at once, not
 * on the day memory is short, that our locks nest inside it.
 */
static void prime_lockdep(struct secmmu_chain *chain)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	fs_reclaim_acquire(GFP_KERNEL);
	spin_lock(&chain->registry);
	spin_lock(&chain->records.lock);
	spin_unlock(&chain->records.lock);
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
 * the mm; later ones only find it. Every call takes mmap_lock for writing, so that no
 * munmap() that began before is half done afterwards: that is part of the UAPI.
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
	mn = secmmu_may_fail(mmu_notifier_get_locked(&chain_ops, mm), ERR_PTR(-ENOMEM));
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
 * Context: may sleep; takes mmap_lock for writing.
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
	/* A walk that has lost too often goes first: it cannot sleep, we can. */
	wait_var_event(&chain->hold_off, !atomic_read(&chain->hold_off));
	spin_lock(&chain->registry);
	write_seqcount_begin(&chain->seq);
	secmmu_gate_spin(UPDATE, 0);
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
	if (secmmu_mutant(PER_SUBSCRIBER_COUNTER) || secmmu_mutant(SEEN_BEGIN))
		secmmu_records_forget(&chain->records);
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
	might_sleep();
	update_begin(member->chain);
	list_del_rcu(&member->link);
	update_end(member->chain);

	secmmu_gate(LEAVE, 0);
	if (!secmmu_mutant(LEAVE_NO_SYNC))
		secmmu_chain_synchronize();
}

/**
 * secmmu_chain_synchronize - wait for all callbacks that run now
 *
 * Context: sleeps; holds no lock that a callback needs.
 */
void secmmu_chain_synchronize(void)
{
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
 * Context: may sleep; the caller holds the lock of the configuration.
 */
void secmmu_chain_replace(struct secmmu_member *member,
			  struct secmmu_span *remove,
			  struct secmmu_span *insert)
{
	struct secmmu_chain *chain = member->chain;

	update_begin(chain);
	secmmu_gate_torn(&member->spans.by_hva.rb_root);
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
 * Context: may sleep; the caller holds the lock of the configuration.
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
	if (secmmu_mutant(EXIT_NO_WAIT))
		return;
	wait_var_event(&nr_chains, !atomic_read(&nr_chains));
	/*
	 * The last free callback has counted itself out but may not have
	 * returned. It runs with bottom halves disabled, or under mmap_lock in
	 * a call of ours that has ended: a grace period waits for its text.
	 */
	synchronize_rcu();
}
