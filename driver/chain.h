/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chain: the single MMU notifier subscription of an mm, shared by all
 * mirrors of that mm.
 *
 * A callback does two things, and keeps them apart:
 *
 * - It records what is in flight for the mm, not for each mirror: see record.h, and shard.h
 *   for events that touch much memory. That record holds off a mirror that joins between a
 *   begin and its end; the mirror inherits nothing and has nothing to balance.
 * - It delivers the event (drop sptes, flush) to every member. Delivery is idempotent. The
 *   registration, which is members and their spans, is one tuple under a seqcount:
 *
 *	registration			event walk
 *	------------			----------
 *	registry lock			record the event
 *	seqcount odd			read seqcount
 *	change members or spans		visit members whose spans overlap
 *	seqcount even			seqcount moved? visit again
 *	unlock
 *
 *   Visiting twice is harmless. After a few rounds the walk holds further registrations
 *   off: they can wait, and the walk cannot.
 *
 * A span that appears after the walk needs no visit. The event was recorded before, so no
 * fault can install through the new span until the event ends.
 */
#ifndef SECMMU_CHAIN_H
#define SECMMU_CHAIN_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/seqlock.h>

#include "shard.h"
#include "span.h"

struct secmmu_member;
struct secmmu_walk;

/**
 * struct secmmu_member_ops - the callbacks of a member, for changes of the mm
 * @invalidate: drop and flush everything that &struct secmmu_walk covers; spans come
 *	from secmmu_walk_next()
 * @age: tell whether any page that the walk covers was accessed, and if @clear is set
 *	clear the accessed bits
 * @release: the mm goes away: drop and flush everything, for good
 *
 * All run in notifier callbacks: they wait for spinlocks and windows only, never allocate
 * or fail, and may be called again while they run. @release yields the processor between
 * page tables, and so does @invalidate if the walk may sleep.
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
 * @spans: the ranges of the mm that it shows; only secmmu_chain_replace() and
 *	secmmu_chain_forget() write them
 * @span_gen: grows whenever a span goes away; a release store, after which the writer holds each
 *	record lock once, so that a fault's check under one of them sees it
 */
struct secmmu_member {
	struct list_head link;
	struct secmmu_chain *chain;
	const struct secmmu_member_ops *ops;
	struct secmmu_spans spans;
	u64 span_gen;
};

/**
 * struct secmmu_kept - an object that a chain keeps, embedded in it
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
 * @shards: events and faults in flight
 * @registry: the registry lock, write side of @seq; taken before the locks of
 *	any page table
 * @seq: covers @members and the spans of each
 * @members: the mirrors; RCU list, read by walks
 * @hold_off: walks that registrations wait for
 * @kept: objects that live as long as the mm; under @registry
 * @keeps: the chain has a reference to itself, until the mm is released; under @registry
 * @holds_module: the chain outlives its descriptors, so the module must stay; set
 *	once, under @registry
 * @replays: walks repeated
 * @latency: number of events by the duration of their start callback, while timing is on
 */
struct secmmu_chain {
	struct mmu_notifier mn;
	struct secmmu_shards shards;
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
