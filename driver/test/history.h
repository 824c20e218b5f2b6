/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Historical users of MMU notifiers, in a few lines each, as subscribers of a chain:
 *
 *	GRU	counts the events in flight itself; faults wait for zero
 *	XPMEM	holds references to its pages and acts only when events end: an array of
 *		pages is gathered, the mirror's engines are flushed, the pages are let go
 *	EMM	has one callback, with a code for what it is to do
 *
 * They show what the contract of a chain is good for, and what it does not offer:
 * a subscriber must not count, for it may join between a begin and its end, be
 * visited twice, and see ends that had no begin. A chain tells its members of no end;
 * these learn of it from the tracepoint.
 */
#ifndef SECMMU_TEST_HISTORY_H
#define SECMMU_TEST_HISTORY_H

struct secmmu_mirror;
struct secmmu_test_subscribe;

long secmmu_history_subscribe(struct secmmu_mirror *mirror,
			      struct secmmu_test_subscribe *arg);

#endif
