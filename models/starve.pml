/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fault that events leave no moment: secmmu_inflight_begin(), turn_is_over(),
 * secmmu_fault(); secmmu_direct_begin(), secmmu_direct_valid(), move_direct(). See
 * driver/record.h and driver/direct.h.
 *
 * Two threads discard one page back to back, for ever, so that some event may be in
 * flight all the time. One engine accesses the page again and again. Its slot is
 * replaced once, by one that shows the same page.
 *
 * Proved: every access comes to an end, though events do not; nothing is installed
 * inside an event; no access uses a frame that belongs to somebody else by now, nor a
 * slot after its replacement has returned.
 *
 * Weak fairness: a thread that can go on does so in the end; without that, no thread
 * comes to any end. A discarder keeps its frame until its event ends, if nobody holds
 * a reference; then the frame goes to somebody else, who gives it back when the process
 * asks for one. Patience is two turns. How an event
 * meets a fault is in record.pml, and what a window is in window.pml.
 */
#define NONE	0
#define PATIENCE 2

bool in_flight[2];		/* the events of the two threads */
bool before[2];			/* in flight when the turn of the fault began */
bool dropped[2];		/* past their start, before their end */
bool recorded, hit, waits;	/* the fault */

byte cpu = 1;			/* the frame that the CPU maps, or NONE */
bool held[2];			/* frames: the engine has a reference */
bool theirs[2];			/* frames: somebody else's */
byte spte;

bool slot;			/* which slot the guest frame shows */
bool window;			/* a window of the engine is open */
bool replaced;			/* SET_SLOT has returned */

#define covered		(in_flight[0] || in_flight[1])
#define turn_is_over	!((in_flight[0] && before[0]) || (in_flight[1] && before[1]))

proctype discard(byte me)
{
	byte frame;

end:	do
	:: d_step {		/* secmmu_event_begin(), and the zap */
		in_flight[me] = true;
		before[me] = false;
		hit = recorded;
		spte = NONE
	   }
	   dropped[me] = true;
	   d_step {
		frame = cpu;
		cpu = NONE
	   }
	   d_step {
		if
		:: frame && !held[frame] -> theirs[frame] = true
		:: else
		fi;
		frame = NONE;
		dropped[me] = false;
		in_flight[me] = false;
		waits = false
	   }
	od
}

proctype set_slot()
{
	slot = true;
#ifndef BROKEN_SLOT_NO_WAIT
	!window;		/* secmmu_tlbs_wait() */
#endif
	replaced = true
}

/* The frame that the process has, or a new one, which was somebody else's. */
inline get_page()
{
	d_step {
		if
		:: cpu -> frame = cpu
		:: else -> frame = 1
		fi;
		theirs[frame] = false;
		cpu = frame
	}
}

inline begin_turn()
{
	before[0] = in_flight[0];
	before[1] = in_flight[1]
}

proctype access()
{
	byte frame, turns;
	bool seen;

progress:			/* each time that it gets here, an access has ended */
	turns = 0;
again:	atomic {		/* secmmu_inflight_begin() */
		begin_turn();
		waits = covered
	}
	do
	:: atomic { !waits && !covered -> recorded = true; hit = false; break }
	:: atomic {
		!waits && covered ->
#ifndef BROKEN_WAIT_FOR_ALL
		if
		:: turn_is_over && turns + 1 == PATIENCE -> goto past
		:: turn_is_over && turns + 1 < PATIENCE -> turns++; begin_turn()
		:: else
		fi;
#endif
		waits = true
	   }
	od;
	get_page();
	atomic {		/* secmmu_install() */
		recorded = false;
		if
		:: !hit ->
			assert(!dropped[0] && !dropped[1] && cpu == frame);
			spte = frame;
			frame = NONE;
			goto progress
		:: else -> hit = false; frame = NONE
		fi
	}
#ifndef BROKEN_RETRY_FOR_EVER
	turns++;
#endif
	if
	:: turns < PATIENCE -> goto again
	:: else
	fi;
past:	seen = slot;		/* secmmu_direct_begin() */
	atomic {
		get_page();
#ifndef BROKEN_DIRECT_NO_REF
		held[frame] = true
#endif
	}
#ifdef BROKEN_INSTALL_ANYWAY
	atomic { assert(!dropped[0] && !dropped[1]); spte = frame }
#endif
	window = true;		/* move_direct() */
#ifndef BROKEN_DIRECT_SLOT_IGNORED
	if
	:: seen != slot -> goto close
	:: else
	fi;
#endif
	assert(!theirs[frame]);
	assert(!(replaced && !seen));
close:	window = false;
	atomic {		/* secmmu_direct_end() */
		held[frame] = false;
		if
		:: cpu != frame -> theirs[frame] = true
		:: else
		fi;
		frame = NONE;
		if
		:: seen != slot -> seen = false; goto past
		:: else -> seen = false
		fi
	};
	goto progress
}

init {
	atomic {
		run discard(0); run discard(1); run set_slot(); run access()
	}
}
