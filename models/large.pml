/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A large spte takes the place of a leaf table: install_large(), install_locked(),
 * secmmu_table_set_large(); zap_leaf(), zap_large(), secmmu_table_split().
 *
 * Page 0 of a block is mapped through leaf table 0. One fault would map the block
 * by a large spte, another page 0 by a small one. Two events on page 0 come to
 * whichever table they find; leaf table 1 is the spare to split with, leaf table 2
 * is the one that the small fault may link.
 *
 * Proved: no event's start returns with page 0 mapped, nothing that maps it is
 * installed before the end, or if the CPU's entry has changed; nothing locks up.
 *
 * Records are one step, as in record.pml; flushes are in pending.pml.
 */
#define TOP	3		/* the table of level 1; leaf tables are 0, 1, 2 */
#define LARGE	4		/* ... has a large spte */
#define SMALL	0		/* faults */
#define WHOLE	1

byte entry;			/* a leaf table, or LARGE, or TOP if nothing */
bool page_0[3], dead[3];	/* of the leaf tables */
bool locked[4];
bool spare = true;

byte in_flight, dropped;	/* events; those past their start, before their end */
bool recorded[2], hit[2], stale[2];	/* stale: changed since the fault's GUP */

#define lock(l)		atomic { !locked[l] -> locked[l] = true }
#define unlock(l)	locked[l] = false

proctype event()
{
	byte table;

	d_step { in_flight++; hit[0] = recorded[0]; hit[1] = recorded[1] }
again:	table = (entry == LARGE -> TOP : entry);
	lock(table);
	atomic {
		if
		:: table == TOP && entry == LARGE && spare -> /* split_large() */
			spare = false;
			page_0[1] = true;
			entry = 1;
			unlock(TOP);
			goto again
		:: table == TOP && entry == LARGE && !spare -> entry = TOP
		:: table == TOP && entry < TOP -> unlock(TOP); goto again
		:: table == TOP && entry == TOP
#ifndef BROKEN_DEAD_IGNORED
		:: table < TOP && dead[table] -> unlock(table); goto again
		:: table < TOP && !dead[table] -> page_0[table] = false
#else
		:: table < TOP -> page_0[table] = false
#endif
		fi;
		unlock(table)
	}
	d_step {		/* start returns, the core goes on */
		assert(entry == TOP || (entry < TOP && !page_0[entry]));
		dropped++;
		stale[0] = recorded[0];
		stale[1] = recorded[1]
	}
	d_step { dropped--; in_flight-- }
}

inline begin(me)
{
	atomic { in_flight == 0 -> recorded[me] = true; hit[me] = false }
	stale[me] = false	/* get_pages(), look_for_large() */
}

inline end(me)
{
	d_step { recorded[me] = false; hit[me] = false; stale[me] = false }
}

#define check_install(me)	assert(!dropped && !stale[me])

proctype fault_whole()
{
	byte leaf;
	bool ok;

again:	begin(WHOLE);
	lock(TOP);			/* install_pages() */
	leaf = entry;			/* install_large() */
#ifdef BROKEN_COLLAPSE_UNLOCKED
	ok = !hit[WHOLE];
#endif
	if
	:: leaf < TOP -> lock(leaf)
	:: else
	fi;
#ifndef BROKEN_COLLAPSE_UNLOCKED
	ok = !hit[WHOLE];		/* install_locked() */
#endif
	if
	:: ok -> d_step {
		check_install(WHOLE);
		entry = LARGE;		/* secmmu_table_set_large() */
		if
		:: leaf < TOP -> dead[leaf] = true
		:: else
		fi
	   }
	:: else
	fi;
	if
	:: leaf < TOP -> unlock(leaf)
	:: else
	fi;
	unlock(TOP);
	end(WHOLE);
	if
	:: !ok -> goto again
	:: else
	fi
}

proctype fault_small()
{
	byte leaf;

again:	begin(SMALL);
	atomic {			/* secmmu_pgtable_link() */
		!locked[TOP];
		if
		:: entry == LARGE -> goto done	/* large_in_place() */
		:: entry == TOP && !dead[2] -> entry = 2
		:: entry == TOP && dead[2] -> goto done	/* no more in this model */
		:: else
		fi;
		leaf = entry
	}
	lock(leaf);
	if
	:: dead[leaf] -> unlock(leaf); end(SMALL); goto again
	:: else
	fi;
	if
	:: hit[SMALL] -> unlock(leaf); end(SMALL); goto again
	:: else ->
		d_step { check_install(SMALL); page_0[leaf] = true }
		unlock(leaf)
	fi;
done:	end(SMALL)
}

init {
	atomic {
		page_0[0] = true;
		run event(); run event(); run fault_whole(); run fault_small()
	}
}
