/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A span: a range of guest physical addresses that shows a range of host
 * virtual ones. A slot is a span with a number and permissions.
 *
 * The spans of a mirror are in two interval trees, by host address for events and by guest
 * frame for faults. Writers hold the chain's registry lock, inside its seqcount. Searches
 * need no lock: see secmmu_span_find().
 */
#ifndef SECMMU_SPAN_H
#define SECMMU_SPAN_H

#include <linux/interval_tree.h>
#include <linux/seqlock.h>

#include "hooks.h"
#include "limits.h"
#include "log.h"

/**
 * struct secmmu_span - one range of a mirror, in zeroed memory
 * @by_hva: host addresses, in bytes
 * @by_gfn: guest frames
 * @domains: those that show it, one bit each
 * @log: its dirty log, or NULL
 */
struct secmmu_span {
	struct interval_tree_node by_hva;
	struct interval_tree_node by_gfn;
	unsigned long domains;
	struct secmmu_log *log;
};

/**
 * struct secmmu_spans - the spans of one mirror, in both orders
 * @by_hva: by host address
 * @by_gfn: by guest frame, without those that are being replaced
 * @seq: the seqcount that covers both
 * @nr_logs: spans with a dirty log in @by_gfn; a span with one is counted before
 *	any fault can find it
 */
struct secmmu_spans {
	struct rb_root_cached by_hva;
	struct rb_root_cached by_gfn;
	seqcount_spinlock_t *seq;
	unsigned int nr_logs;
};

static inline unsigned long span_hva(const struct secmmu_span *span, gfn_t gfn)
{
	return span->by_hva.start + ((gfn - span->by_gfn.start) << PAGE_SHIFT);
}

static inline gfn_t span_gfn(const struct secmmu_span *span, unsigned long hva)
{
	return span->by_gfn.start + ((hva - span->by_hva.start) >> PAGE_SHIFT);
}

/**
 * secmmu_spans_apart - check that a range lies before or behind all of a tree
 * @tree: one of the trees of a &struct secmmu_spans
 * @start: first address or frame
 * @last: last address or frame
 *
 * Looks at both ends of the tree only. A writer publishes them one after the other, so the
 * answer counts under the same condition as that of secmmu_span_find().
 *
 * Context: RCU read-side section, or the only writer; never sleeps.
 * Return: true if no range of the tree can overlap; false if a search must tell.
 */
static inline bool secmmu_spans_apart(struct rb_root_cached *tree,
				      unsigned long start, unsigned long last)
{
	struct rb_node *root = READ_ONCE(tree->rb_root.rb_node);
	struct rb_node *first = READ_ONCE(tree->rb_leftmost);

	if (!root || !first)
		return !root;
	return READ_ONCE(rb_entry(root, struct interval_tree_node, rb)->__subtree_last) < start ||
	       rb_entry(first, struct interval_tree_node, rb)->start > last;
}

void secmmu_spans_init(struct secmmu_spans *spans, seqcount_spinlock_t *seq);
void secmmu_spans_insert(struct secmmu_spans *spans, struct secmmu_span *span);
void secmmu_spans_hide(struct secmmu_spans *spans, struct secmmu_span *span);
struct secmmu_span *secmmu_span_at(struct secmmu_spans *spans, gfn_t gfn);
void secmmu_spans_log(struct secmmu_spans *spans, gfn_t gfn);

/* Nodes that a search may have to come back to: the height of a tree of all slots. */
#define SECMMU_SPAN_DEPTH	40

struct interval_tree_node *secmmu_span_find(struct rb_root_cached *tree,
					    unsigned long start,
					    unsigned long last);
unsigned int secmmu_span_collect(struct rb_root_cached *tree,
				 unsigned long start, unsigned long last,
				 struct interval_tree_node **nodes,
				 unsigned int max);

#endif
