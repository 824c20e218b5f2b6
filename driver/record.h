/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The invalidation events and faults in flight on an mm, or on a shard of its memory (shard.h).
 *
 * Each event and each fault, of any mirror, has one record here. The later of two sees the
 * earlier one:
 *
 *	fault				event
 *	-----				-----
 *	wait until no event overlaps	record it
 *	record the fault		mark overlapping faults hit
 *	look at the CPU's page table	(record lock released)
 *	lock the leaf table		lock each leaf table, drop sptes
 *	if hit: start again		flush
 *	install				...
 *	unlock; remove the record	at its end: remove the record, wake waiters
 *
 * If the event comes first, the fault waits. If the fault comes first, the event marks it.
 * The fault holds the leaf's lock from its check to its install, so the event's zap either
 * finds the entry or comes first, and then the check sees the mark. No sequence number can
 * wrap around, and events elsewhere do not conflict (but events beyond the preallocated
 * records count as one hull). A fault of several pages installs those before the first
 * that was hit.
 *
 * If many threads change the same memory back to back, some event is nearly always in
 * flight, and no moment comes at which the fault may install. So a fault waits for the
 * events in flight when it comes, and not for later ones:
 *
 *	event 1		event 2		fault
 *	begin
 *					comes, waits for 1
 *			begin
 *	end
 *					1 has ended, 2 came later: its turn is over
 *			end
 *
 * A turn lasts no longer than the longest event. A retry also ends a turn. After a few
 * turns the fault gives up. It cannot install: event 2 may yet change the CPU's entry, and
 * will not announce that again. The access that wanted the page goes past the mirror
 * instead: see direct.h.
 *
 * Addresses are inclusive: start .. last.
 */
#ifndef SECMMU_RECORD_H
#define SECMMU_RECORD_H

#include <linux/interval_tree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "limits.h"

/* One event in flight; @nr counts all events recorded here. */
struct secmmu_event {
	unsigned long start;
	unsigned long last;
	u64 nr;
};

/**
 * struct secmmu_patience - a fault's patience with events
 * @turns: turns that the fault has used up
 * @nr_events: events that had begun when this turn began
 * @overflow_ends: the value of &secmmu_records.overflow_ends at which the overflow of
 *	that moment has ended
 */
struct secmmu_patience {
	unsigned int turns;
	u64 nr_events;
	u64 overflow_ends;
};

/**
 * struct secmmu_inflight - a fault in flight, on the stack of the fault
 * @range: host addresses of the fault
 * @task: the task that runs it
 * @waited_ns: time that it waited for events before it was recorded
 * @hit: an overlapping event has come, or the mm is gone
 * @foreign: a task other than @task has raised such an event
 * @asked: first address asked for, even if @range has become wider
 * @hit_from: the lowest address from @asked on that an event has hit
 */
struct secmmu_inflight {
	struct interval_tree_node range;
	struct task_struct *task;
	u64 waited_ns;
	bool hit;
	bool foreign;
	unsigned long asked;
	unsigned long hit_from;
};

/**
 * struct secmmu_records - events and faults in flight
 * @lock: the record lock: protects everything here; only the wait queue's own
 *	lock nests inside
 * @nr_recorded: number of events in @events
 * @overflow: events in flight beyond @events
 * @faults: faults in flight, by range; a tree, because each thread may have one
 * @nr_events: events recorded here, ever
 * @nr_repeated: those among them that count elsewhere
 * @wait: faults that wait for an event to end
 * @overflow_ends: ends of events beyond @events, ever
 * @overflow_start: first address of their hull; valid while @overflow is not zero
 * @overflow_last: last address of their hull
 * @released: the mm is gone: no event is in flight, and no fault may install
 * @nr_unpaired: ends that matched no event, ever
 * @events: the first @nr_recorded are in flight, the oldest first; a search looks at each
 *	of them, because there are seldom more than a handful
 */
struct secmmu_records {
	spinlock_t lock;
	unsigned int nr_recorded;
	unsigned int overflow;
	struct rb_root_cached faults;
	u64 nr_events;
	u64 nr_repeated;
	wait_queue_head_t wait;
	u64 overflow_ends;
	unsigned long overflow_start;
	unsigned long overflow_last;
	bool released;
	u64 nr_unpaired;
	struct secmmu_event events[SECMMU_EVENTS_MAX];
} ____cacheline_aligned_in_smp;

void secmmu_records_init(struct secmmu_records *records);

void secmmu_event_begin(struct secmmu_records *records, unsigned long start,
			unsigned long last);
void secmmu_event_repeat(struct secmmu_records *records, unsigned long start,
			 unsigned long last);
bool secmmu_event_end(struct secmmu_records *records, unsigned long start,
		      unsigned long last);
bool secmmu_records_cover(struct secmmu_records *records, unsigned long start,
			  unsigned long last, unsigned long *covered);
void secmmu_records_release(struct secmmu_records *records);

int secmmu_inflight_begin(struct secmmu_records *records,
			  struct secmmu_inflight *fault, unsigned long start,
			  unsigned long last, struct secmmu_patience *patience);
bool secmmu_inflight_widen(struct secmmu_records *records,
			   struct secmmu_inflight *fault, unsigned long start,
			   unsigned long last);
void secmmu_inflight_end(struct secmmu_records *records,
			 struct secmmu_inflight *fault);

#endif
