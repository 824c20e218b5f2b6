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
 * answer counts only if the chain's seqcount did not move. A node that is being
 * linked has its range, and zeroes otherwise, since before that moved: whoever meets
 * it early finds nothing below it.
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
 * Goes down only, as secmmu_span_find() does, and counts as little by itself.
 *
 * Context: RCU read-side section, or the only writer; never sleeps.
 * Return: their number, or @max + 1 if there are more.
 */
unsigned int secmmu_span_collect(struct rb_root_cached *tree,
				 unsigned long start, unsigned long last,
				 struct interval_tree_node **nodes,
				 unsigned int max)
{
	struct interval_tree_node *stack[SECMMU_SPAN_DEPTH], *node, *child;
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
