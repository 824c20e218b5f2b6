/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event walks against registrations: look_at_members(), walk_rounds(), update_begin(),
 * secmmu_chain_join(), secmmu_chain_leave(), secmmu_chain_replace() as far as spans
 * appear. See driver/chain.h.
 *
 * Two events on one page. Member 0 shows and maps it from the start. Member 1 joins, gets
 * a span, faults, loses its engines and leaves. Somebody changes other spans of
 * member 0. While the spans of a member change, a search may miss any of them.
 *
 * Proved: no start callback returns with an spte of the page in place, nor is one
 * installed before the end; a walk loses REPLAYS_MAX rounds, plus one to each
 * registration that was past its wait; a member that has left is not visited, and one
 * that was freed is not looked at; and nothing locks up.
 *
 * Zap and flush of a member are one step, and so is what is done under a lock.
 */
#define REPLAYS_MAX	1	/* 4 in the driver */
#define REGISTRANTS	2
#define UPDATES		2	/* with the 3 of member 1 more than a walk may lose */

byte seq, hold_off;		/* of secmmu_chain */
bool registry;
bool joined, span_1;		/* member 1, its span; those of member 0 stay */
bool changing[2];		/* the spans of that member change right now */

byte in_flight;			/* secmmu_records: events on the page */
bool recorded, hit, stale;	/* the fault; the page has changed since its GUP */

bool spte[2];
byte dropped;			/* events past their start, before their end */
bool srcu[2];			/* walks, in their read-side section */
bool rcu[2];			/* looks, in theirs */
bool left;			/* member 1: no callback runs any more */
bool freed;			/* ... and its memory is gone */

inline record_event()
{
	d_step { in_flight++; hit = recorded }
}

/* Look at the spans of a member: while they change, a search may miss any. */
inline look(m, shows)
{
	assert(!(m == 1 && freed));
	if
	:: shows -> touched = true
	:: !shows || changing[m]
	fi
}

/* look_at_members() */
inline look_at_members()
{
	atomic { seq % 2 == 0 -> round = seq };
	rcu[me] = true;
	look(0, true);
	if
	:: joined -> look(1, span_1)
	:: else
	fi;
	rcu[me] = false;
#ifndef BROKEN_LOOK_UNCHECKED
	touched = touched || seq != round;
#endif
	round = 0
}

/* collect_pieces(), then mirror_invalidate() if there are any. */
inline visit(m, shows)
{
	assert(!(m == 1 && left));
	if
	:: shows -> spte[m] = false
	:: !shows || changing[m]
	fi
}

inline walk_rounds()
{
	srcu[me] = true;
	do
	:: atomic {
#ifdef BROKEN_SEQ_READ_ONCE
		seq % 2 == 0 -> round = (replays -> round : seq)
#else
		seq % 2 == 0 -> round = seq	/* read_seqcount_begin() */
#endif
	   }
	   visit(0, true);
	   if
	   :: joined -> visit(1, span_1)
	   :: else
	   fi;
#ifdef BROKEN_TORN_REGISTRATION
	   break;
#endif
	   atomic {
		if
		:: seq == round -> break
		:: else -> replays++
		fi;
		assert(replays <= REPLAYS_MAX + REGISTRANTS);
#ifndef BROKEN_NO_HOLD_OFF
		hold_off = hold_off + (replays == REPLAYS_MAX)
#endif
	   }
	od;
	atomic {
#if !defined(BROKEN_NO_HOLD_OFF) && !defined(BROKEN_HOLD_OFF_KEPT)
		hold_off = hold_off - (replays >= REPLAYS_MAX);
#endif
		round = 0;
		replays = 0;
		srcu[me] = false
	}
}

/* secmmu_walk_range() */
inline walk_range()
{
	look_at_members();
	if
	:: touched -> walk_rounds()
	:: else
	fi
}

proctype event(byte me)
{
	byte round, replays;
	bool touched;

#ifdef BROKEN_WALK_BEFORE_RECORD
	walk_range();
	record_event();
#else
	record_event();
	walk_range();
#endif
	d_step {		/* start returns, the core goes on */
		assert(!spte[0] && !spte[1]);
		touched = false;
		dropped++;
		stale = recorded
	}
	d_step { dropped--; in_flight = in_flight - (in_flight > 0) }
}

inline update_begin(m)
{
	hold_off == 0;		/* wait_var_event() */
	atomic { !registry -> registry = true; seq++; changing[m] = true }
}

inline update_end(m)
{
	d_step { changing[m] = false; seq++; registry = false }
}

inline fault()
{
	do
	:: atomic { in_flight == 0 -> recorded = true; hit = false; stale = false }
	   skip;		/* get_pages() */
	   atomic {		/* secmmu_install() */
		recorded = false;
		if
		:: !hit ->
			assert(!dropped && !stale);
			spte[1] = true;
			break
		:: else
		fi
	   }
	od
}

proctype member_1()
{
	update_begin(1);	/* secmmu_chain_join() */
	joined = true;
	update_end(1);
#ifdef BROKEN_PER_SUBSCRIBER_COUNTER
	in_flight = 0;
#endif
	update_begin(1);	/* secmmu_chain_replace() */
	span_1 = true;
	update_end(1);
	fault();
	spte[1] = false;	/* out of use: the last descriptor is closed */
	update_begin(1);	/* secmmu_chain_leave() */
	joined = false;
	update_end(1);
#ifndef BROKEN_LEAVE_NO_SYNC
	!srcu[0];
	!srcu[1];
#endif
	left = true;
#ifndef BROKEN_FREED_EARLY
	!rcu[0];		/* kfree_rcu() */
	!rcu[1];
#endif
	freed = true
}

proctype other_spans()
{
	byte i;

	for (i : 1 .. UPDATES) {
		update_begin(0);
		update_end(0)
	}
}

init {
	atomic {
		spte[0] = true;
		run member_1(); run other_spans();
		run event(0); run event(1)
	}
}
