/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is in flight on an mm: invalidation events and faults.
 *
 * Each event is recorded once and each fault once, whichever mirror it is for,
 * and whoever comes second sees the first:
 *
 *	fault				event
 *	-----				-----
 *	wait until no event overlaps	record it
 *	record the fault		mark overlapping faults hit
 *	look at the CPU's page table	(record lock released)
 *	lock the leaf table		lock each leaf table, drop sptes
 *	if hit: start again		flush
 *	install				...
 *	unlock; unrecord		at its end: unrecord, wake waiters
 *
 * If the event comes first, the fault waits. If the fault comes first, the event
 * marks it; and since the fault holds the leaf's lock from its check to its
 * install, the event's zap either finds the entry or made the check fail. There
 * is no sequence to compare, hence no wrap-around, and events elsewhere make no
 * conflict (but events beyond the preallocated records count as one hull). A fault
 * of several pages installs those before the first that was hit.
 *
 * Where many threads change the same memory back to back, some event is in flight
 * nearly always, and no moment comes at which the fault may install. So a fault waits
 * for the events that are in flight when it comes, not for those that come later:
 *
 *	event 1		event 2		fault
 *	begin
 *					comes, waits for 1
 *			begin
 *	end
 *					1 has ended, 2 came later: its turn is over
 *			end
 *
 * A turn lasts no longer than the longest event. After a few turns, waited or lost to
 * events that hit it, the fault gives up. It cannot install: event 2 may yet change
 * the CPU's entry, and will not say so again. The access that wanted the page goes
 * past the mirror instead: see direct.h.
 *
 * Addresses are inclusive: start .. last.
 */
#ifndef SECMMU_RECORD_H
#define SECMMU_RECORD_H

#include <linux/interval_tree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "limits.h"

/* One event in flight; @nr counts all events of the mm. */
struct secmmu_event {
	struct interval_tree_node range;
	struct list_head free;
	u64 nr;
};

/**
 * struct secmmu_patience - what is left of a fault's patience with events
 * @turns: turns that it has waited, or started again
 * @nr_events: events that had begun when this turn began
 * @overflow_ends: the ends that bring the overflow to its end as it was then
 */
struct secmmu_patience {
	unsigned int turns;
	u64 nr_events;
	u64 overflow_ends;
};

/**
 * struct secmmu_inflight - a fault in flight, on the stack of the fault
 * @range: host addresses of the fault
 * @task: who runs it
 * @waited_ns: how long it waited for events before it was recorded
 * @hit: an overlapping event has come, or the mm is gone
 * @foreign: ... raised by another task than @task
 * @asked: first address asked for, however wide @range has become
 * @hit_from: the lowest address from there on that an event has hit
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
 * struct secmmu_records - events and faults in flight on an mm
 * @lock: the record lock: protects everything here; only the wait queue's own
 *	lock nests inside
 * @events: recorded events, by range
 * @faults: faults in flight, by range
 * @pool: the records of @events, preallocated
 * @free: unused ones
 * @overflow: events in flight beyond the pool
 * @overflow_ends: ends of such events ever
 * @overflow_start: hull of those; valid while @overflow is not zero
 * @overflow_last: ... inclusive
 * @released: the mm is gone: nothing is in flight, nothing may be installed
 * @nr_events: events ever
 * @nr_unpaired: ends that matched nothing
 * @wait: faults that wait for an event to end
 */
struct secmmu_records {
	spinlock_t lock;
	struct rb_root_cached events;
	struct rb_root_cached faults;
	struct secmmu_event pool[SECMMU_EVENTS_MAX];
	struct list_head free;
	unsigned int overflow;
	u64 overflow_ends;
	unsigned long overflow_start;
	unsigned long overflow_last;
	bool released;
	u64 nr_events;
	u64 nr_unpaired;
	wait_queue_head_t wait;
};

void secmmu_records_init(struct secmmu_records *records);

void secmmu_event_begin(struct secmmu_records *records, unsigned long start,
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
