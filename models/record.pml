/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events against a fault: secmmu_event_begin(), secmmu_event_end(),
 * secmmu_inflight_begin(), secmmu_records_release(), secmmu_records_cover();
 * attempt_fault(), install_pages(), check_fault(); zap_leaf(). See driver/record.h.
 *
 * A fault on page 0, whose leaf table is not yet linked; three events, each on page
 * 0, page 1 or both; or two, and the mm goes away at any time, and with it the end
 * of any event. There is one preallocated record, so that further events share a
 * hull. Between its begin and its end an event changes what the CPU maps.
 *
 * Proved: nothing is installed inside an event that covers it, nor what the CPU
 * does not map, nor after release; the waiter returns, and nothing locks up.
 *
 * What is done under the record lock is one step. An end without a begin is not in
 * here. Flushes are in pending.pml.
 */
/* Of secmmu_records; the pool has room for one event. */
bool pool, released;
byte pool_first, pool_last, overflow;
byte overflow_first;		/* of the hull; where it ends is of no interest */
bool recorded, hit, waits;	/* the fault */

bool linked, locked, spte;	/* the leaf table, its lock, its entry of page 0 */

byte dropped;			/* events of page 0 past their start, before their end */
bool stale;			/* page 0 has changed since the fault's GUP */
bool gone;			/* mirror_release() has returned */

#define lock()		atomic { !locked -> locked = true }
#define unlock()	locked = false
#define zap()		atomic { !locked -> spte = false }	/* lock, drop, unlock */
#ifdef BROKEN_IN_FLIGHT_IGNORED
#define covered		false
#else
#define covered		((pool && pool_first == 0) || (overflow && overflow_first == 0))
#endif
#ifdef BROKEN_IN_FLIGHT_ALONE
#define may_install	(!covered && !released)
#else
#define may_install	(!hit && !released)
#endif
#ifdef BROKEN_EMPTY_SKIPPED
#define table_visible	(linked && spte)
#else
#define table_visible	linked
#endif

#define forget_pool()	pool = false; pool_first = 0; pool_last = 0
#define forget_hull()	overflow = 0; overflow_first = 0

inline event_begin()
{
#ifdef BROKEN_LATEST_RANGE
	forget_pool();
	forget_hull();
#endif
	if
	:: !pool -> pool = true; pool_first = first; pool_last = last
	:: else ->
		overflow_first = (overflow -> overflow_first && first : first);
		overflow++
	fi;
#ifndef BROKEN_MARK_AT_END
	hit = recorded && (hit || first == 0)
#endif
}

inline event_end()
{
	if
#ifdef BROKEN_SEEN_BEGIN
	:: pool -> forget_pool()
#else
	:: pool && pool_first == first && pool_last == last -> forget_pool()
#endif
	:: else ->
		if
		:: overflow > 1 -> overflow--;
#ifdef BROKEN_HULL_RESET_EARLY
			overflow_first = 1;
#endif
		:: else -> forget_hull()
		fi
	fi;
#ifdef BROKEN_MARK_AT_END
	hit = recorded && (hit || first == 0);
#endif
#ifndef BROKEN_END_NO_WAKE
	waits = false
#endif
}

proctype event(byte first, last)
{
	bool visible;

#ifdef BROKEN_WALK_BEFORE_RECORD
	visible = table_visible;
	d_step { event_begin() }
#else
	d_step { event_begin() }
	visible = table_visible;	/* secmmu_pgtable_next(): no lock */
#endif
	if
	:: visible && first == 0 -> zap()
	:: else
	fi;
	d_step {			/* start returns, the core goes on */
		assert(!(first == 0 && spte));
		dropped = dropped + (first == 0);
		stale = recorded && (stale || first == 0);
		visible = false
	}
	atomic {
		dropped = dropped - (first == 0);
		if
		:: event_end()
		:: released
		fi
	}
}

proctype release()
{
	d_step {			/* secmmu_records_release() */
#ifndef BROKEN_INSTALL_AFTER_RELEASE
		released = true;
		hit = recorded;
#endif
#ifndef BROKEN_RELEASE_KEEPS_IN_FLIGHT
		forget_pool();
		forget_hull();
		waits = false
#endif
	}
	if				/* mirror_release() */
	:: linked -> zap()
	:: else
	fi;
	assert(!spte);
	gone = true
}

proctype fault()
{
	bool ok;

again:	if				/* secmmu_inflight_begin() */
	:: atomic { released -> goto done }
	:: atomic { !released && !covered -> recorded = true; hit = false }
#ifdef BROKEN_WAIT_UNLOCKED
	:: !released && covered -> waits = true;
#else
	:: atomic { !released && covered -> waits = true }
#endif
		!waits;			/* schedule() */
		goto again
	fi;
	stale = false;			/* get_pages() */
#ifdef BROKEN_RECORD_AFTER_GUP
	hit = false;
#endif
#ifndef BROKEN_LINK_AFTER_CHECK
	linked = true;			/* secmmu_pgtable_link() */
#endif
#ifdef BROKEN_CHECK_BEFORE_LOCK
	ok = may_install;
	lock();
#else
	lock();
	ok = may_install;
#endif
	linked = true;
	if
	:: ok ->			/* install_one() */
		d_step {
			assert(!dropped && !stale && !gone);
			spte = true
		}
	:: else
	fi;
	unlock();
	d_step { recorded = false; hit = false; stale = false }
	if
	:: !ok -> goto again
	:: else
	fi;
done:	skip
}

init {
	atomic {
		run fault();
		if
		:: run event(0, 0); run event(0, 0)
		:: run event(0, 0); run event(0, 1)
		:: run event(0, 0); run event(1, 1)
		:: run event(0, 1); run event(0, 1)
		:: run event(0, 1); run event(1, 1)
		fi;
		if
		:: run event(0, 0)
		:: run event(0, 1)
		:: run event(1, 1)
		:: run release()
		fi
	}
}
