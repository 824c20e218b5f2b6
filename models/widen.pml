/* SPDX-License-Identifier: GPL-2.0 */
/*
 * May a fault map the block? look_for_large(), secmmu_host_large(),
 * secmmu_inflight_widen(), install_locked(); events as in record.pml.
 *
 * A block has two pages. One entry of the CPU maps it; an event on one page breaks
 * it up, an event on both puts another huge page there. The fault is on page 0, is
 * recorded for that, and widens its record if it sees a huge page. Three events.
 *
 * Proved: when the large spte is installed, one entry of the CPU maps the block, to
 * the page the fault has got, and no event is in flight there.
 */
#define NO_HUGE	0

byte host = 1;			/* the huge page that one entry of the CPU maps */
byte in_flight[2], dropped[2];	/* events of a page; those past their start */
bool recorded, wide, hit;	/* secmmu_inflight */
bool locked, spte;

proctype event(byte first, last, becomes)
{
	byte p;

	d_step {
		for (p : first .. last) {
			in_flight[p]++
		}
		hit = hit || (recorded && (first == 0 || wide))
	}
	atomic { !locked -> spte = false }	/* zap_large() */
	d_step {		/* start returns, the core goes on */
		assert(!spte);
		for (p : first .. last) {
			dropped[p]++
		}
		host = becomes
	}
	d_step {
		for (p : first .. last) {
			dropped[p]--;
			in_flight[p]--
		}
		p = 0
	}
}

#ifdef BROKEN_WIDEN_IN_EVENT
#define clear	(!hit)
#else
#define clear	(!hit && !in_flight[0] && !in_flight[1])
#endif

proctype fault()
{
	byte page;
	bool large;

	atomic { !in_flight[0] -> recorded = true }	/* secmmu_inflight_begin() */
	page = host;			/* get_pages(): of a huge page or not */
#ifdef BROKEN_FOLIO_SIZE_PROOF
	large = true;			/* it once belonged to one */
#else
	large = (page != NO_HUGE && host == page);
#endif
	d_step {			/* secmmu_inflight_widen() */
		large = large && clear;
		wide = large
	}
#if !defined(BROKEN_NO_SECOND_LOOK) && !defined(BROKEN_FOLIO_SIZE_PROOF)
	large = large && host == page;
#endif
	atomic { !locked -> locked = true }
#ifndef BROKEN_HIT_IGNORED
	large = large && !hit;
#endif
	d_step {
		if
		:: large ->
			assert(host == page && page != NO_HUGE);
			assert(!dropped[0] && !dropped[1]);
			spte = true
		:: else
		fi;
		locked = false
	}
	d_step { recorded = false; wide = false; hit = false }
}

init {
	byte i;

	atomic {
		run fault();
		for (i : 2 .. 4) {
			if
			:: run event(0, 0, NO_HUGE)
			:: run event(1, 1, NO_HUGE)
			:: run event(0, 1, i)
			fi
		}
	}
}
