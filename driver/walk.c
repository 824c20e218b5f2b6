// SPDX-License-Identifier: GPL-2.0
#include <linux/kcsan-checks.h>
#include <linux/srcu.h>
#include <linux/wait_bit.h>

#include "compat/uncleared.h"
#include "walk.h"

/*
 * Walks over the members of any chain. Callbacks run inside the core's SRCU section too,
 * but callbacks of other drivers sleep in that section, for any time, and a member that
 * leaves must not wait for them. Walks wait for spinlocks and windows only.
 */
DEFINE_STATIC_SRCU(walks);

static unsigned int begin_round(struct secmmu_chain *chain)
{
	unsigned int seq;

	seq = read_seqcount_begin(&chain->seq);
	/*
	 * The round reads with marked accesses what the seqcount covers. Everything
	 * else that it does is unrelated to the seqcount: end KCSAN's exemption of
	 * plain accesses here.
	 */
	kcsan_atomic_next(0);
	return seq;
}

static bool round_is_valid(struct secmmu_chain *chain, unsigned int seq,
			   unsigned long start)
{
	secmmu_gate_spin(START_WALKED, start);
	return !read_seqcount_retry(&chain->seq, seq);
}

/*
 * Look whether a range may touch any member. Most events touch none, and for them this is
 * the only round. It calls no member, so it does without the SRCU section: members and
 * spans are freed after a grace period of RCU.
 */
static bool look_at_members(struct secmmu_chain *chain, unsigned long start,
			    unsigned long last)
{
	unsigned int seq = begin_round(chain);
	struct secmmu_member *member;
	bool touched = false;

	/* A section that cannot be preempted costs least. */
	rcu_read_lock_sched();
	list_for_each_entry_rcu(member, &chain->members, link,
				rcu_read_lock_sched_held()) {
		struct rb_root_cached *tree = &member->spans.by_hva;

		touched = !secmmu_spans_apart(tree, start, last) &&
			  secmmu_span_find(tree, start, last);
		if (touched)
			break;
	}
	rcu_read_unlock_sched();
	if (touched || round_is_valid(chain, seq, start))
		return touched;
	atomic64_inc(&chain->replays);
	return true;
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

/*
 * Collect all pieces of a member if there is room for them, else none. Returns false if
 * the walk does not touch it.
 */
static bool collect_pieces(struct secmmu_walk *walk, struct secmmu_member *member)
{
	struct interval_tree_node *nodes[SECMMU_WALK_BATCH] secmmu_uncleared;
	unsigned int i, n;

	walk->at = NULL;
	rcu_read_lock();
	n = secmmu_span_collect(&member->spans.by_hva, walk->start, walk->last,
				nodes, SECMMU_WALK_BATCH);
	walk->complete = n <= SECMMU_WALK_BATCH;
	walk->nr = walk->complete ? n : 0;
	for (i = 0; i < walk->nr; i++)
		set_piece(&walk->piece[i], walk, nodes[i]);
	rcu_read_unlock();
	return n;
}

/* Take the next pieces of a member, behind the cursor. */
static unsigned int take_pieces(struct secmmu_walk *walk, struct secmmu_member *member)
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
		set_piece(&walk->piece[n], walk, node);
		walk->at = node;
		node = interval_tree_iter_next(node, walk->start, walk->last);
	}
	return n;
}

/**
 * secmmu_walk_next - get the next spans of a member that a walk touches
 * @walk: the walk; its pieces are the guest frames touched
 * @member: the member being visited
 *
 * Takes no lock unless there are more spans than there is room for pieces.
 *
 * Context: called from &struct secmmu_member_ops; never sleeps.
 * Return: number of pieces; zero at the end, or if the registration has moved (the
 * walk then makes another round).
 */
unsigned int secmmu_walk_next(struct secmmu_walk *walk, struct secmmu_member *member)
{
	unsigned int n = walk->nr;

	walk->nr = 0;
	if (n || walk->complete)
		return n;
	spin_lock(&walk->chain->registry);
	n = take_pieces(walk, member);
	spin_unlock(&walk->chain->registry);
	return n;
}

/* Make one round over all members; see chain.h. Returns false if it is not valid. */
static bool walk_round(struct secmmu_walk *walk)
{
	struct secmmu_chain *chain = walk->chain;
	struct secmmu_member *member;

	walk->seq = begin_round(chain);
	list_for_each_entry_rcu(member, &chain->members, link,
				srcu_read_lock_held(&walks)) {
		if (!collect_pieces(walk, member))
			continue;
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
	return round_is_valid(chain, walk->seq, walk->start);
}

/* Walk all members until one round is valid. */
static void walk_rounds(struct secmmu_walk *walk)
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

/* Apart from the look, which needs no walk on the stack. */
static noinline bool walk_touched(struct secmmu_chain *chain, enum secmmu_purpose purpose,
				  unsigned long start, unsigned long last, bool may_sleep)
{
	struct secmmu_walk walk secmmu_uncleared;

	walk.chain = chain;
	walk.purpose = purpose;
	walk.start = start;
	walk.last = last;
	walk.may_sleep = may_sleep;
	walk.young = false;
	walk_rounds(&walk);
	return walk.young;
}

/**
 * secmmu_walk_range - walk all members that a range touches until one round is valid
 * @chain: the chain
 * @purpose: selects the callback of each member
 * @start: first address of the range
 * @last: last address of the range
 * @may_sleep: members may yield the processor
 *
 * Context: waits for spinlocks and windows only; yields the processor if it may.
 * Return: true if a member said that a page was accessed.
 */
bool secmmu_walk_range(struct secmmu_chain *chain, enum secmmu_purpose purpose,
		       unsigned long start, unsigned long last, bool may_sleep)
{
	return look_at_members(chain, start, last) &&
	       walk_touched(chain, purpose, start, last, may_sleep);
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
