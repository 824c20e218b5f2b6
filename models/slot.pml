/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A slot is replaced under a fault: secmmu_slot_find(), secmmu_target_current(), check_fault(),
 * secmmu_chain_replace(), slot_replace(), secmmu_chain_forget().
 *
 * A guest frame shows host page OLD, and a slot is put in place of that one which
 * shows NEW. One event on each host page; two faults; an engine fills its TLB.
 *
 * Proved: after an event's start, no spte or TLB entry of its page is there, and
 * none comes before its end; after secmmu_slot_set(), none of OLD; what is
 * installed is what the CPU maps.
 *
 * The lookup reads the trees at once: their seqcount is in chain.pml. What waits
 * for events waits for the condition: the wait queue is in record.pml. Every zap is
 * followed by a flush in one step: when it may be left out is in pending.pml.
 */
#define OLD	1
#define NEW	2
#define NONE	0

byte by_gfn = OLD;		/* which slot the guest frame shows */
bool by_hva[3];			/* do events on that page find the guest frame? */
byte span_gen;

byte in_flight[3], dropped[3];	/* events; those past their start, before their end */
byte recorded[2];		/* the page each fault is recorded for */
bool hit[2], stale[2];		/* stale: changed since the fault's GUP */

byte spte;			/* which page */
bool locked;			/* secmmu_table.lock */
bool tlb[3];			/* what the engine may use */
bool replaced;			/* secmmu_slot_set() has returned */

/* Lock, drop, unlock; then flush. */
inline zap()
{
	atomic { !locked -> spte = NONE }
	d_step { tlb[OLD] = false; tlb[NEW] = false }
}

proctype event(byte page)
{
	byte i;

	d_step {
		in_flight[page]++;
		for (i : 0 .. 1) {
			hit[i] = hit[i] || recorded[i] == page
		}
	}
	if
	:: by_hva[page] -> zap()
	:: else
	fi;
	d_step {		/* start returns, the core goes on */
		assert(spte != page && !tlb[page]);
		dropped[page]++;
		for (i : 0 .. 1) {
			stale[i] = stale[i] || recorded[i] == page
		}
	}
	d_step { dropped[page]--; in_flight[page]--; i = 0 }
}

proctype slot_set()
{
	/* secmmu_chain_replace() */
#ifdef BROKEN_GEN_BEFORE_TREE
	span_gen++;
#endif
	d_step {
		by_gfn = NEW;
		by_hva[NEW] = true;
#ifdef BROKEN_FORGET_EARLY
		by_hva[OLD] = false
#endif
	}
#ifndef BROKEN_GEN_BEFORE_TREE
	span_gen++;
#endif
#ifndef BROKEN_SLOT_NOT_ZAPPED
	zap();
#endif
	by_hva[OLD] = false;	/* secmmu_chain_forget() */
	replaced = true;
	assert(spte != OLD && !tlb[OLD])
}

inline look_up()
{
#ifdef BROKEN_GEN_READ_LATE
	page = by_gfn;
	gen = span_gen
#else
	gen = span_gen;
	page = by_gfn
#endif
}

proctype fault(byte me)
{
	byte page, gen;
	bool ok;

	do
	:: ok -> break
	:: else ->
		look_up();
		atomic {	/* secmmu_inflight_begin() */
			in_flight[page] == 0 -> recorded[me] = page;
			hit[me] = false
		}
		stale[me] = false;	/* get_pages() */
		atomic { !locked -> locked = true }
		do		/* check_fault() */
		:: atomic {
#ifdef BROKEN_SLOT_GEN_IGNORED
			ok = !hit[me]; break
#else
			gen == span_gen -> ok = !hit[me]; break
#endif
		   }
		:: gen != span_gen ->	/* secmmu_target_current() */
			gen = span_gen;
			if
			:: by_gfn == page
			:: by_gfn != page -> break
			fi
		od;
		atomic {
			if
			:: ok -> assert(!dropped[page] && !stale[me]);
				 assert(!(replaced && page == OLD));
				 spte = page
			:: else
			fi;
			locked = false
		}
		d_step {
			recorded[me] = NONE;
			hit[me] = false;
			stale[me] = false;
			page = NONE; gen = 0
		}
	od
}

proctype engine()
{
end:
progress:
	do
	:: atomic { spte != NONE && !tlb[spte] -> tlb[spte] = true }
	od
}

init {
	atomic {
		by_hva[OLD] = true;
		run engine(); run slot_set(); run event(OLD); run event(NEW);
		run fault(0); run fault(1)
	}
}
