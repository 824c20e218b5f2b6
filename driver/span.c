// SPDX-License-Identifier: GPL-2.0
#include "span.h"

/**
 * secmmu_spans_init - no spans
 * @spans: the trees
 */
void secmmu_spans_init(struct secmmu_spans *spans)
{
	spans->by_hva = RB_ROOT_CACHED;
	spans->by_gfn = RB_ROOT_CACHED;
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
 * The kernel's own search looks at the cached leftmost node too, which a writer
 * publishes apart from the root; this one only goes down from the root. A tree
 * under change never shows a loop on the way down, but it may hide nodes: an
 * answer counts only if the chain's seqcount did not move.
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
