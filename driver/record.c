// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include <linux/sched.h>

#include "hooks.h"
#include "record.h"

/**
 * secmmu_records_init - start with nothing in flight
 * @records: the records, in zeroed memory
 */
void secmmu_records_init(struct secmmu_records *records)
{
	spin_lock_init(&records->lock);
	records->faults = RB_ROOT_CACHED;
	init_waitqueue_head(&records->wait);
}

static void mark_hit(struct secmmu_inflight *fault, unsigned long start,
		     unsigned long last)
{
	fault->hit = true;
	if (last >= fault->asked)
		fault->hit_from = min(fault->hit_from, max(start, fault->asked));
	if (fault->task != current)
		fault->foreign = true;
}

static void mark_faults(struct secmmu_records *records, unsigned long start,
			unsigned long last)
{
	struct interval_tree_node *node;

	lockdep_assert_held(&records->lock);
	if (RB_EMPTY_ROOT(&records->faults.rb_root))
		return;
	for (node = interval_tree_iter_first(&records->faults, start, last);
	     node; node = interval_tree_iter_next(node, start, last))
		mark_hit(container_of(node, struct secmmu_inflight, range),
			 start, last);
}

static void forget_events(struct secmmu_records *records)
{
	lockdep_assert_held(&records->lock);
	records->nr_recorded = 0;
	records->overflow = 0;
}

static bool event_overlaps(const struct secmmu_event *event, unsigned long start,
			   unsigned long last)
{
	return event->start <= last && start <= event->last;
}

static __always_inline void record_event(struct secmmu_records *records,
					 unsigned long start, unsigned long last)
{
	struct secmmu_event *event;

	lockdep_assert_held(&records->lock);
	records->nr_events++;
	if (records->nr_recorded < SECMMU_EVENTS_MAX) {
		event = &records->events[records->nr_recorded++];
		event->start = start;
		event->last = last;
		event->nr = records->nr_events;
	} else if (records->overflow++) {
		records->overflow_start = min(records->overflow_start, start);
		records->overflow_last = max(records->overflow_last, last);
	} else {
		records->overflow_start = start;
		records->overflow_last = last;
	}
	mark_faults(records, start, last);
}

/**
 * secmmu_event_begin - record an event and mark the faults it overlaps
 * @records: the records
 * @start: first address of the event
 * @last: last address of the event
 *
 * After this returns, and until the matching secmmu_event_end(), no fault that
 * has not passed its final check will install an spte of the range.
 *
 * Context: never sleeps, allocates or fails.
 */
void secmmu_event_begin(struct secmmu_records *records, unsigned long start,
			unsigned long last)
{
	spin_lock(&records->lock);
	record_event(records, start, last);
	spin_unlock(&records->lock);
}

/**
 * secmmu_event_repeat - record an event that other records count
 * @records: the records
 * @start: first address of the event
 * @last: last address of the event
 *
 * Context: never sleeps, allocates or fails.
 */
void secmmu_event_repeat(struct secmmu_records *records, unsigned long start,
			 unsigned long last)
{
	spin_lock(&records->lock);
	record_event(records, start, last);
	records->nr_repeated++;
	spin_unlock(&records->lock);
}

static struct secmmu_event *find_event(struct secmmu_records *records,
				       unsigned long start, unsigned long last)
{
	struct secmmu_event *event = records->events;
	struct secmmu_event *end = event + records->nr_recorded;

	for (; event != end; event++)
		if (event->start == start && event->last == last)
			return event;
	return NULL;
}

/* The others stay in order. */
static void remove_event(struct secmmu_records *records, struct secmmu_event *event)
{
	struct secmmu_event *last = &records->events[--records->nr_recorded];

	for (; event != last; event++)
		event[0] = event[1];
}

/**
 * secmmu_event_end - remove the record of an event
 * @records: the records
 * @start: first address, as it began
 * @last: last address, as it began
 *
 * Events with the same range are interchangeable: this removes the oldest of them, or a
 * fault that waits for it would wait as long as any other comes before it goes. While
 * there is overflow, an end that matches no record belongs to it.
 *
 * Context: never sleeps, allocates or fails.
 * Return: false if nothing matched.
 */
bool secmmu_event_end(struct secmmu_records *records, unsigned long start,
		      unsigned long last)
{
	struct secmmu_event *event;
	bool matched = true;

	spin_lock(&records->lock);
	event = find_event(records, start, last);
	if (event) {
		remove_event(records, event);
	} else if (records->overflow) {
		records->overflow--;
		records->overflow_ends++;
	} else if (!records->released) {
		records->nr_unpaired++;
		matched = false;
	}
	/* Waiters enter the queue and check under this lock. */
	if (waitqueue_active(&records->wait))
		wake_up_all(&records->wait);
	spin_unlock(&records->lock);
	return matched;
}

/**
 * secmmu_records_release - forbid installs, because the mm goes away
 * @records: the records
 *
 * Forgets events in flight, whose end will not come. Faults in flight fail their final
 * check, and waiters return.
 *
 * Context: never sleeps.
 */
void secmmu_records_release(struct secmmu_records *records)
{
	spin_lock(&records->lock);
	records->released = true;
	mark_faults(records, 0, ULONG_MAX);
	forget_events(records);
	wake_up_all(&records->wait);
	spin_unlock(&records->lock);
}

/**
 * secmmu_records_cover - check whether an event in flight covers a part of a range
 * @records: the records; the lock is held
 * @start: first address
 * @last: last address
 * @covered: set to the first address covered
 *
 * Context: never sleeps.
 * Return: true if one does.
 */
bool secmmu_records_cover(struct secmmu_records *records, unsigned long start,
			  unsigned long last, unsigned long *covered)
{
	const struct secmmu_event *event;
	bool found = false;
	unsigned int i;

	lockdep_assert_held(&records->lock);
	for (i = 0; i < records->nr_recorded; i++) {
		unsigned long from;

		event = &records->events[i];
		if (!event_overlaps(event, start, last))
			continue;
		from = max(event->start, start);
		*covered = found ? min(*covered, from) : from;
		found = true;
	}
	if (records->overflow && records->overflow_start <= last &&
	    start <= records->overflow_last) {
		unsigned long from = max(records->overflow_start, start);

		*covered = found ? min(*covered, from) : from;
		found = true;
	}
	return found;
}

static void begin_turn(const struct secmmu_records *records,
		       struct secmmu_patience *patience)
{
	lockdep_assert_held(&records->lock);
	patience->nr_events = records->nr_events;
	patience->overflow_ends = records->overflow_ends + records->overflow;
}

/*
 * Events cover the page. Did all of them begin after this turn? Of the overflow only the
 * number of ends is known, so wait for as many ends as it had events.
 */
static bool turn_is_over(struct secmmu_records *records, unsigned long page,
			 const struct secmmu_patience *patience)
{
	unsigned long last = page + PAGE_SIZE - 1;
	unsigned int i;

	lockdep_assert_held(&records->lock);
	for (i = 0; i < records->nr_recorded; i++)
		if (event_overlaps(&records->events[i], page, last) &&
		    records->events[i].nr <= patience->nr_events)
			return false;
	return !records->overflow || records->overflow_start > last ||
	       records->overflow_last < page ||
	       records->overflow_ends >= patience->overflow_ends;
}

/**
 * secmmu_inflight_begin - wait until no event covers a fault, then record it
 * @records: the records
 * @fault: the fault, on the caller's stack
 * @start: first host address, page aligned
 * @last: last host address of the last page
 * @patience: of the fault; zero at its first round, or with all turns used up if it may
 *	not wait
 *
 * Waits for events that cover the first page only. If one covers a later page,
 * the fault is recorded up to there: see &secmmu_inflight.range.
 *
 * Context: may sleep; the caller holds no lock that an event needs to end.
 * Return: 0; or, with nothing recorded, -EBUSY if the patience has ended and events still
 * cover the page; -EINTR if a signal arrived; -ESRCH if the mm is gone.
 */
int secmmu_inflight_begin(struct secmmu_records *records,
			  struct secmmu_inflight *fault, unsigned long start,
			  unsigned long last, struct secmmu_patience *patience)
{
	unsigned long covered;
	DEFINE_WAIT(wait);
	u64 began = 0;
	int err = 0;

	might_sleep();
	*fault = (struct secmmu_inflight) {
		.range = { .start = start },
		.asked = start,
		.hit_from = ULONG_MAX,
		.task = current,
	};

	spin_lock(&records->lock);
	begin_turn(records, patience);
	while (!records->released && !err &&
	       secmmu_records_cover(records, start, start + PAGE_SIZE - 1, &covered)) {
		if (patience->turns < secmmu_patience() &&
		    turn_is_over(records, start, patience)) {
			begin_turn(records, patience);
			patience->turns++;
		}
		if (patience->turns >= secmmu_patience()) {
			err = -EBUSY;
			break;
		}
		if (!began)
			began = ktime_get_ns();
		prepare_to_wait(&records->wait, &wait, TASK_INTERRUPTIBLE);
		spin_unlock(&records->lock);
		if (signal_pending(current))
			err = -EINTR;
		else
			schedule();
		spin_lock(&records->lock);
	}
	if (!err && records->released)
		err = -ESRCH;
	if (!err) {
		if (secmmu_records_cover(records, start, last, &covered))
			last = (covered & PAGE_MASK) - 1;
		fault->range.last = last;
		interval_tree_insert(&fault->range, &records->faults);
	}
	spin_unlock(&records->lock);

	finish_wait(&records->wait, &wait);
	if (began)
		fault->waited_ns = ktime_get_ns() - began;
	return err;
}

/**
 * secmmu_inflight_widen - record a fault for a wider range
 * @records: the records
 * @fault: the fault
 * @start: first host address
 * @last: last host address; the range contains the old one
 *
 * Earlier look-ups of the fault count for the old range only.
 *
 * Context: never sleeps.
 * Return: false, with nothing changed, if an event in flight covers a part of the range
 * or an event has hit the fault.
 */
bool secmmu_inflight_widen(struct secmmu_records *records,
			   struct secmmu_inflight *fault, unsigned long start,
			   unsigned long last)
{
	unsigned long covered;
	bool clear;

	spin_lock(&records->lock);
	clear = !records->released && !fault->hit &&
		!secmmu_records_cover(records, start, last, &covered);
	if (clear) {
		interval_tree_remove(&fault->range, &records->faults);
		fault->range.start = start;
		fault->range.last = last;
		interval_tree_insert(&fault->range, &records->faults);
	}
	spin_unlock(&records->lock);
	return clear;
}

/**
 * secmmu_inflight_end - remove the record of a fault
 * @records: the records
 * @fault: the fault
 *
 * Context: never sleeps.
 */
void secmmu_inflight_end(struct secmmu_records *records,
			 struct secmmu_inflight *fault)
{
	spin_lock(&records->lock);
	interval_tree_remove(&fault->range, &records->faults);
	spin_unlock(&records->lock);
}
