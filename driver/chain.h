/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chain: the single MMU notifier subscription of an mm, shared by all
 * mirrors of that mm.
 *
 * Two things happen in a callback, and they are kept apart:
 *
 * - What is in flight is recorded once, for the mm: see record.h. A mirror that
 *   joins between a begin and its end is held off by that record; it inherits
 *   nothing and has nothing to balance.
 * - Delivery (drop sptes, flush) goes to every member and is idempotent. What is
 *   registered, members and their spans, is one tuple under a seqcount:
 *
 *	registration			event walk
 *	------------			----------
 *	registry lock			record the event
 *	seqcount odd			read seqcount
 *	change members or spans		visit members whose spans overlap
 *	seqcount even			seqcount moved? visit again
 *	unlock
 *
 *   Visiting twice is harmless. After a few rounds the walk holds further
 *   registrations off; they can wait, it cannot.
 *
 * A span that appears after the walk needs no visit: the event was recorded
 * before, so no fault can install through the new span until the event ends.
 */
#ifndef SECMMU_CHAIN_H
#define SECMMU_CHAIN_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/seqlock.h>

#include "record.h"
#include "span.h"

struct secmmu_member;
struct secmmu_walk;

/**
 * struct secmmu_member_ops - what a member does when the mm changes
 * @invalidate: drop and flush all that &struct secmmu_walk covers; spans come
 *	from secmmu_walk_next()
 * @age: was any page that the walk covers accessed? If told so, forget it.
 * @release: the mm goes away: drop and flush everything, for good
 *
 * All run in notifier callbacks: they never wait, allocate or fail, and may be called
 * again while they run. @release, and @invalidate where the walk says so, yield the
 * processor between page tables; nothing else does.
 */
struct secmmu_member_ops {
	void (*invalidate)(struct secmmu_member *member,
			   struct secmmu_walk *walk);
	bool (*age)(struct secmmu_member *member, struct secmmu_walk *walk,
		    bool clear);
	void (*release)(struct secmmu_member *member);
};

/**
 * struct secmmu_member - a subscriber of a chain, embedded in a mirror
 * @link: in &secmmu_chain.members
 * @chain: the chain it has joined
 * @ops: its callbacks
 * @spans: what it shows of the mm; written by secmmu_chain_replace() and
 *	secmmu_chain_forget() alone
 * @span_gen: moves whenever a span goes away; written under the record lock
 */
struct secmmu_member {
	struct list_head link;
	struct secmmu_chain *chain;
	const struct secmmu_member_ops *ops;
	struct secmmu_spans spans;
	u64 span_gen;
};

/**
 * struct secmmu_kept - what a chain keeps, embedded
 * @link: in &secmmu_chain.kept
 * @free: frees it, with the chain; must not sleep
 */
struct secmmu_kept {
	struct list_head link;
	void (*free)(struct secmmu_kept *kept);
};

/**
 * struct secmmu_chain - the subscription of one mm
 * @mn: the kernel's side; it pins the mm_struct
 * @records: events and faults in flight
 * @registry: the registry lock, write side of @seq; taken before the locks of
 *	any page table
 * @seq: covers @members and the spans of each
 * @members: the mirrors; RCU list, read by walks
 * @hold_off: walks that registrations wait for
 * @kept: what lives as long as the mm; under @registry
 * @keeps: a reference of the chain's own, until the mm is released; under @registry
 * @holds_module: the chain outlives its descriptors, so the module must stay; set
 *	once, under @registry
 * @replays: walks repeated
 * @latency: events by the time that their start took, while timing is on
 */
struct secmmu_chain {
	struct mmu_notifier mn;
	struct secmmu_records records;
	spinlock_t registry;
	seqcount_spinlock_t seq;
	struct list_head members;
	atomic_t hold_off;
	struct list_head kept;
	bool keeps;
	bool holds_module;
	atomic64_t replays;
	atomic64_t latency[SECMMU_LATENCY_BUCKETS];
};

DECLARE_STATIC_KEY_FALSE(secmmu_timing);

struct secmmu_chain *secmmu_chain_get(struct mm_struct *mm);
void secmmu_chain_put(struct secmmu_chain *chain);
int secmmu_chain_keep(struct secmmu_chain *chain);
void secmmu_chain_join(struct secmmu_chain *chain, struct secmmu_member *member,
		       const struct secmmu_member_ops *ops);
void secmmu_chain_leave(struct secmmu_member *member);
void secmmu_chain_replace(struct secmmu_member *member,
			  struct secmmu_span *remove,
			  struct secmmu_span *insert);
void secmmu_chain_forget(struct secmmu_member *member,
			 struct secmmu_span *span);
void secmmu_chain_exit(void);

#endif
