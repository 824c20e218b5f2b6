// SPDX-License-Identifier: GPL-2.0
#include <linux/kcsan-checks.h>
#include <linux/srcu.h>
#include <linux/wait_bit.h>

#include "walk.h"

/*
 * Walks over the members of any chain. Callbacks run inside the core's SRCU section too,
 * but callbacks of other drivers sleep in that section, for any time, and a member that
 * leaves must not wait for them. Walks wait for spinlocks and windows only.
 */
DEFINE_STATIC_SRCU(walks);

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

/* Make one round over all members; see chain.h. Returns false if it is not valid. */
static bool walk_round(struct secmmu_walk *walk)
{
	struct secmmu_chain *chain = walk->chain;
	struct secmmu_member *member;

	walk->seq = read_seqcount_begin(&chain->seq);
	/*
	 * The round reads with marked accesses what the seqcount covers. Everything
	 * else that it does is unrelated to the seqcount: end KCSAN's exemption of
	 * plain accesses here.
	 */
	kcsan_atomic_next(0);
	list_for_each_entry_rcu(member, &chain->members, link,
				srcu_read_lock_held(&walks)) {
		if (!member_touched(member, walk))
			continue;
		walk->at = NULL;
		walk->complete = false;
		if (walk->purpose == SECMMU_INVALIDATE) {
			member->ops->invalidate(member, walk);
			continue;
		}
		/* All members age, whatever the earlier ones answered. */
		walk->young |= member->ops->age(member, walk, walk->purpose ==
						SECMMU_CLEAR_YOUNG);
		if (walk->young && walk->purpose == SECMMU_TEST_YOUNG)
			return true;
	}
	secmmu_gate_spin(START_WALKED, walk->start);
	return !read_seqcount_retry(&chain->seq, walk->seq);
}

/**
 * secmmu_walk_members - walk all members until one round is valid
 * @walk: the walk; chain, purpose and range are set, and @may_sleep
 *
 * Context: waits for spinlocks and windows only; yields the processor if @walk may.
 */
void secmmu_walk_members(struct secmmu_walk *walk)
{
	struct secmmu_chain *chain = walk->chain;
	unsigned int replays = 0;
	int idx = srcu_read_lock(&walks);

	while (!walk_round(walk)) {
		atomic64_inc(&chain->replays);
		if (++replays == SECMMU_REPLAYS_MAX)
			atomic_inc(&chain->hold_off);
	}
	if (replays >= SECMMU_REPLAYS_MAX &&
	    atomic_dec_and_test(&chain->hold_off))
		wake_up_var(&chain->hold_off);
	srcu_read_unlock(&walks, idx);
}

static void set_piece(struct secmmu_piece *piece, struct secmmu_walk *walk,
		      struct interval_tree_node *node)
{
	struct secmmu_span *span = container_of(node, struct secmmu_span,
						by_hva);

	piece->first = span_gfn(span, max(walk->start, node->start));
	piece->last = span_gfn(span, min(walk->last, node->last));
	piece->domains = span->domains;
}

/* Collect all pieces of a member if there is room for them, else none. */
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

/* Take the next pieces of a member, behind the cursor. */
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
 * secmmu_walk_next - get the next spans of a member that a walk touches
 * @walk: the walk
 * @member: the member being visited
 * @pieces: gets the guest frames touched; SECMMU_WALK_BATCH entries
 *
 * Takes no lock unless there are more spans than @pieces has room for.
 *
 * Context: called from &struct secmmu_member_ops; never sleeps.
 * Return: number of @pieces set; zero at the end, or if the registration has moved (the
 * walk then makes another round).
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

/**
 * secmmu_walk_release - tell all members that the mm goes away
 * @chain: the chain; no fault installs any more
 *
 * Context: yields the processor.
 */
void secmmu_walk_release(struct secmmu_chain *chain)
{
	struct secmmu_member *member;
	int idx = srcu_read_lock(&walks);

	list_for_each_entry_rcu(member, &chain->members, link,
				srcu_read_lock_held(&walks))
		member->ops->release(member);
	srcu_read_unlock(&walks, idx);
}

/**
 * secmmu_walks_wait - wait for the walks that run now, of all chains
 *
 * Context: sleeps; holds no lock that a walk needs.
 */
void secmmu_walks_wait(void)
{
	synchronize_srcu(&walks);
}
