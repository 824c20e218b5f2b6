/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows against a shootdown: secmmu_window_open(), secmmu_window_close(),
 * secmmu_tlb_translate(), secmmu_flush(). The drawing is in driver/flush.h.
 *
 * Proved: once secmmu_flush() has returned, no engine uses the dropped spte, be it
 * from its TLB, from the page table, or in a window that is still open.
 *
 * A store waits in a buffer of its CPU until it drains, at any time: the store to
 * the mask, and that to the generation. A full barrier waits for the buffer to be
 * empty. What such buffers (TSO) do not reorder, and weaker machines do, is
 * reordered explicitly in the broken variants.
 */
#define ENGINES	2
#define INVALIDATOR ENGINES	/* its store buffer */

/* Memory, as all CPUs see it. */
bool mask[ENGINES];		/* secmmu_tlbs.mask */
byte gen = 1;			/* secmmu_tlbs.gen */
bool spte = true;		/* present? */

/* What is true of a CPU, whoever sees it. */
bool irqs_off[ENGINES];
/* The core's next access to the page: it is freed, or written out. */
bool gone;

chan buffer[ENGINES + 1] = [2] of { byte };

/* One CPU's buffer drains into memory. */
active [ENGINES + 1] proctype drain()
{
	byte value, cpu = _pid;

end:
progress:
	do
	:: atomic {
		buffer[cpu]?value;
		if
		:: cpu == INVALIDATOR -> gen = value
		:: else -> mask[cpu] = value
		fi;
		value = 0
	   }
	od
}

#define full_barrier(cpu)	empty(buffer[cpu])

inline use(cached)
{
	if
	:: cached -> assert(!gone)
	:: else
	fi
}

active [ENGINES] proctype engine()
{
	byte cpu = _pid - (ENGINES + 1), window_gen;
	byte tlb_gen;		/* zero: nothing cached */
	bool found;

end:
progress:
	do
	:: irqs_off[cpu] = true;
#ifdef BROKEN_MASK_AFTER_GEN
	   window_gen = gen;
	   buffer[cpu]!true;
#else
	   buffer[cpu]!true;		/* [W1] */
#ifndef BROKEN_NO_BARRIER_A
	   full_barrier(cpu);		/* (A) */
#endif
#ifdef BROKEN_NO_ACQUIRE
	   found = spte;		/* read ahead of the generation */
	   window_gen = gen;
#else
	   window_gen = gen;		/* [W2] */
#endif
#endif
	   if
	   :: tlb_gen == window_gen -> found = true
	   :: else ->
#ifndef BROKEN_NO_ACQUIRE
		found = spte;
#endif
		tlb_gen = (found -> window_gen : 0)
	   fi;
#ifdef BROKEN_CLOSE_UNORDERED
	   /* The access to the page is done after the store to the mask. */
	   buffer[cpu]!false;
	   use(found);
#else
	   use(found);
	   buffer[cpu]!false;
#endif
	   atomic {
		irqs_off[cpu] = false;
		found = false;
		window_gen = 0
	   }
	od
}

active proctype invalidator()
{
	bool seen[ENGINES];
	byte cpu;

#ifdef BROKEN_DROP_UNORDERED
	gen++;			/* seen before the exchange of the spte */
	spte = false;
#else
	spte = false;		/* secmmu_table_drop(): an exchange, full barrier */
	/* [F1] and (B): atomic64_inc_return() */
	buffer[INVALIDATOR]!gen + 1;
#endif
#ifndef BROKEN_NO_BARRIER_B
	full_barrier(INVALIDATOR);
#endif
#ifdef BROKEN_LAST_UNORDERED
	/* What follows the flush is done before the mask is read. */
	gone = true;
#endif
	/* [F2] smp_call_function_many(): read the mask, interrupt, wait. */
	for (cpu : 0 .. ENGINES - 1) {
		seen[cpu] = mask[cpu]
	}
#ifndef BROKEN_FLUSH_NO_WAIT
	for (cpu : 0 .. ENGINES - 1) {
		if
		:: seen[cpu] -> !irqs_off[cpu]
		:: else
		fi
	}
#endif
	gone = true
}
