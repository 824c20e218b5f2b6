// SPDX-License-Identifier: GPL-2.0
#include "compat/uncleared.h"
#include "span.h"

/**
 * secmmu_spans_init - start without spans
 * @spans: the trees
 * @seq: the seqcount of the chain, which covers them
 */
void secmmu_spans_init(struct secmmu_spans *spans, seqcount_spinlock_t *seq)
{
	spans->by_hva = RB_ROOT_CACHED;
	spans->by_gfn = RB_ROOT_CACHED;
	spans->seq = seq;
	spans->nr_logs = 0;
}

/**
 * secmmu_spans_insert - show a span
 * @spans: the trees
 * @span: the span
 *
 * Context: write side of the seqcount.
 */
void secmmu_spans_insert(struct secmmu_spans *spans, struct secmmu_span *span)
{
	if (span->log)
		WRITE_ONCE(spans->nr_logs, spans->nr_logs + 1);
	interval_tree_insert(&span->by_gfn, &spans->by_gfn);
	interval_tree_insert(&span->by_hva, &spans->by_hva);
}

/**
 * secmmu_spans_hide - hide a span from faults; events still find it
 * @spans: the trees
 * @span: the span
 *
 * Context: write side of the seqcount.
 */
void secmmu_spans_hide(struct secmmu_spans *spans, struct secmmu_span *span)
{
	interval_tree_remove(&span->by_gfn, &spans->by_gfn);
	if (span->log)
		WRITE_ONCE(spans->nr_logs, spans->nr_logs - 1);
}

static struct interval_tree_node *tree_node(struct rb_node **link)
{
	return rb_entry_safe(READ_ONCE(*link), struct interval_tree_node, rb);
}

/**
 * secmmu_span_find - find some range that overlaps, without a lock
 * @tree: one of the trees of a &struct secmmu_spans
 * @start: first address or frame
 * @last: last address or frame
 *
 * The kernel's own search also reads the cached leftmost node, which a writer publishes
 * apart from the root; this search only goes down from the root. A changing tree never has
 * a loop on the way down, but it may hide nodes: an answer counts only if the chain's
 * seqcount has not moved. A node is initialised before it is linked; a reader that reaches
 * it early sees a leaf.
 *
 * Context: RCU read-side section, or the only writer; never sleeps.
 * Return: the overlapping node with the lowest start, or NULL.
 */
struct interval_tree_node *secmmu_span_find(struct rb_root_cached *tree,
					    unsigned long start,
					    unsigned long last)
{
	struct interval_tree_node *node = tree_node(&tree->rb_root.rb_node);
	struct interval_tree_node *left;

	if (!node || READ_ONCE(node->__subtree_last) < start)
		return NULL;
	for (;;) {
		left = tree_node(&node->rb.rb_left);
		if (left && READ_ONCE(left->__subtree_last) >= start) {
			node = left;
			continue;
		}
		if (node->start > last)
			return NULL;
		if (node->last >= start)
			return node;
		node = tree_node(&node->rb.rb_right);
		if (!node || READ_ONCE(node->__subtree_last) < start)
			return NULL;
	}
}

/**
 * secmmu_span_collect - find all ranges that overlap, without a lock
 * @tree: one of the trees of a &struct secmmu_spans
 * @start: first address or frame
 * @last: last address or frame
 * @nodes: where to put them, in no order
 * @max: room in @nodes
 *
 * Goes down only, as secmmu_span_find() does; the answer counts under the same condition.
 *
 * Context: RCU read-side section, or the only writer; never sleeps.
 * Return: their number, or @max + 1 if there are more.
 */
unsigned int secmmu_span_collect(struct rb_root_cached *tree,
				 unsigned long start, unsigned long last,
				 struct interval_tree_node **nodes,
				 unsigned int max)
{
	struct interval_tree_node *stack[SECMMU_SPAN_DEPTH] secmmu_uncleared;
	struct interval_tree_node *node, *child;
	unsigned int depth = 0, n = 0;

	node = tree_node(&tree->rb_root.rb_node);
	if (node && READ_ONCE(node->__subtree_last) >= start)
		stack[depth++] = node;
	while (depth) {
		if (depth + 1 >= SECMMU_SPAN_DEPTH)
			return max + 1;
		node = stack[--depth];
		child = tree_node(&node->rb.rb_left);
		if (child && READ_ONCE(child->__subtree_last) >= start)
			stack[depth++] = child;
		if (node->start > last)
			continue;
		if (node->last >= start) {
			if (n == max)
				return max + 1;
			nodes[n++] = node;
		}
		child = tree_node(&node->rb.rb_right);
		if (child && READ_ONCE(child->__subtree_last) >= start)
			stack[depth++] = child;
	}
	return n;
}

/**
 * secmmu_span_at - find the span that shows a guest frame
 * @spans: the trees
 * @gfn: the guest frame
 *
 * Context: RCU read-side section; never sleeps; takes no lock.
 * Return: the span, or NULL. It may be replaced by now.
 */
struct secmmu_span *secmmu_span_at(struct secmmu_spans *spans, gfn_t gfn)
{
	struct interval_tree_node *node;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(spans->seq);
		node = secmmu_span_find(&spans->by_gfn, gfn, gfn);
	} while (read_seqcount_retry(spans->seq, seq));
	return node ? container_of(node, struct secmmu_span, by_gfn) : NULL;
}

/**
 * secmmu_spans_log - log that a page was written through a dropped spte
 * @spans: the trees
 * @gfn: the guest frame
 *
 * The bit goes to the log of the span that shows the page now, if that span has one:
 *
 *	slot changes			fault, engine		zap of the old slot
 *	------------			-------------		-------------------
 *	old leaves the tree,
 *	new enters it
 *					finds new, installs
 *					writes: dirty
 *								drops the spte
 *								looks the span up: new
 *
 * The caller drops the spte before this looks the span up. An spte that came through a span
 * was installed after the span had entered the tree. So the look-up finds that span, or a
 * successor with a log of its own. A bit of an spte of the old span may go to the log of the
 * new one: the log may name a page too many, never one too few.
 *
 * Context: any; takes no lock.
 */
void secmmu_spans_log(struct secmmu_spans *spans, gfn_t gfn)
{
	struct secmmu_span *span;

	/* A span with a log was counted before its sptes could be dropped. */
	if (!READ_ONCE(spans->nr_logs))
		return;
	rcu_read_lock();
	span = secmmu_span_at(spans, gfn);
	if (span && span->log)
		secmmu_log_set(span->log, gfn - span->by_gfn.start);
	rcu_read_unlock();
}
