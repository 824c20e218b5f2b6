/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk over the members of a chain, and over the spans of each that it touches.
 *
 * A walk takes no lock unless the event touches many spans of a member. The seqcount of the
 * chain covers everything that it reads: a walk that finds the seqcount moved starts again.
 * Members stay while a walk runs, because leaving waits for walks, and for nothing else.
 */
#ifndef SECMMU_WALK_H
#define SECMMU_WALK_H

#include "chain.h"

/* The purpose of a walk. */
enum secmmu_purpose {
	SECMMU_INVALIDATE,
	SECMMU_CLEAR_YOUNG,
	SECMMU_TEST_YOUNG,
};

/**
 * struct secmmu_piece - a part of a span that a walk touches
 * @first: first guest frame
 * @last: last guest frame
 * @domains: domains of the span
 */
struct secmmu_piece {
	gfn_t first;
	gfn_t last;
	unsigned long domains;
};

/**
 * struct secmmu_walk - a walk over members and their spans
 * @chain: the chain
 * @purpose: selects the callback of each member
 * @start: first address of the range
 * @last: last address of the range
 * @may_sleep: the event is blockable: members may yield the processor
 * @young: the answer: a page was accessed
 * @seq: the seqcount at the start of the round
 * @at: the span visited last in the current member, or NULL
 * @complete: no spans of the current member are left but those in @piece
 * @nr: number of pieces that secmmu_walk_next() has not given out yet
 * @piece: parts of spans of the current member
 */
struct secmmu_walk {
	struct secmmu_chain *chain;
	enum secmmu_purpose purpose;
	unsigned long start;
	unsigned long last;
	bool may_sleep;
	bool young;
	unsigned int seq;
	struct interval_tree_node *at;
	bool complete;
	unsigned int nr;
	struct secmmu_piece piece[SECMMU_WALK_BATCH];
};

bool secmmu_walk_range(struct secmmu_chain *chain, enum secmmu_purpose purpose,
		       unsigned long start, unsigned long last, bool may_sleep);
unsigned int secmmu_walk_next(struct secmmu_walk *walk,
			      struct secmmu_member *member);
void secmmu_walk_release(struct secmmu_chain *chain);
void secmmu_walks_wait(void);

#endif
