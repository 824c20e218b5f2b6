/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pending flushes: secmmu_gather_zap(), look_for_pending(), drop_spte(),
 * secmmu_gather_finish(), secmmu_flush(), prune_tables(), link_below().
 *
 * Two invalidators are told to drop page 0, which an engine has in its TLB. It is
 * mapped by leaf table 0, or by a large spte that goes as a whole (no spare table).
 * Either a fault on page 1, which they do not cover, uses the leaf or links another,
 * and gives it back if it was hit; or a third party flushes for reasons of its own.
 *
 * Proved: when either invalidator returns, no engine uses page 0, whoever of the
 * two has dropped it; and nobody locks up.
 *
 * Memory is in order here: window.pml has the barriers. A window is open while
 * "window_gen" is not zero; a flush waits for windows of an older generation.
 */
#define TOP	2		/* the table of level 1; leaf tables are 0 and 1 */
#define NONE	3

byte entry = TOP;		/* the leaf table that is linked, or TOP */
byte page_0;			/* the table whose entry maps page 0, or NONE */
byte zap_gen[3];		/* of secmmu_table: as there */
byte nr[2];
bool dead[2], locked[3];

byte gen = 1, flushed = 1;	/* of secmmu_tlbs */
byte window_gen;
bool gone;			/* the core has freed page 0 */

#define lock(l)		atomic { !locked[l] -> locked[l] = true }
#define unlock(l)	locked[l] = false

inline flush()
{
	d_step { gen++; my_gen = gen }
#ifdef BROKEN_FLUSHED_EARLY
	d_step { flushed = (flushed < my_gen -> my_gen : flushed) }
#endif
#ifndef BROKEN_FLUSH_NO_WAIT
	window_gen == 0 || window_gen >= my_gen;
#endif
	d_step { flushed = (flushed < my_gen -> my_gen : flushed); my_gen = 0 }
}

#ifdef BROKEN_PRUNE_PENDING
#define flush_done	true
#else
#define flush_done	(zap_gen[leaf] < limit)
#endif

inline prune(leaf)
{
	limit = flushed;
	lock(TOP);
	lock(leaf);
	atomic {
		if
		:: !dead[leaf] && !nr[leaf] && flush_done ->
			dead[leaf] = true;
#ifndef BROKEN_DEAD_LINKED
			entry = TOP
#endif
		:: else
		fi;
		limit = 0;
		unlock(leaf);
		unlock(TOP)
	}
}

inline look_for_pending(table)
{
#ifdef BROKEN_SECOND_SKIPS
	skip
#else
	assist = assist || zap_gen[table] >= flushed
#endif
}

/* The spte goes; then, not before, read the generation. */
inline drop(table)
{
	if
	:: page_0 == table ->
#ifdef BROKEN_ZAP_GEN_EARLY
	   my_gen = gen;
#endif
	   atomic {
		page_0 = NONE;
		pending = true;
		if
		:: table != TOP -> nr[table]--
		:: else
		fi
	   };
#ifndef BROKEN_ZAP_GEN_EARLY
	   my_gen = gen;
#endif
	   d_step { zap_gen[table] = my_gen; my_gen = 0 }
	:: else
	fi
}

proctype invalidator()
{
	byte table, my_gen, limit;
	bool assist, pending, again = true;

	do
	:: again -> table = entry;	/* secmmu_pgtable_next(): no lock */
		atomic {		/* zap_large(), zap_leaf() */
			!locked[table] -> locked[table] = true;
			look_for_pending(table)
		}
		if
		:: table != TOP && dead[table]	/* look again */
		:: else ->
			drop(table);
			again = (table == TOP && entry != TOP)	/* a new link */
		fi;
		unlock(table)
	:: else -> break
	od;
	/* secmmu_gather_finish() */
	if
	:: pending || assist -> flush()
	:: else
	fi;
	gone = true;		/* pruning may as well come after the return */
	if
	:: table != TOP && !nr[table] -> prune(table)
	:: else
	fi
}

proctype fault()
{
	byte leaf, limit;

	atomic {				/* link_at() */
		!locked[TOP];
		if
		:: entry == TOP && page_0 == NONE ->
#ifndef BROKEN_NO_INHERIT
			zap_gen[1] = zap_gen[TOP];
#endif
			entry = 1
		:: page_0 == TOP -> goto done	/* large_in_place() */
		:: else
		fi;
		leaf = entry
	}
	lock(leaf);
	if
	:: dead[leaf] -> unlock(leaf)
	:: !dead[leaf] -> nr[leaf]++; unlock(leaf)
	:: !dead[leaf] -> unlock(leaf);		/* hit: linked for nothing */
		prune(leaf)
	fi;
done:	skip
}

/* Flushes for what was dropped elsewhere. */
proctype other()
{
	byte my_gen;

	flush()
}

proctype engine()
{
	byte tlb_gen = 1;		/* has used page 0 */
	bool found;

end:
progress:
	do
	:: window_gen = gen;
	   if
	   :: tlb_gen == window_gen -> found = true
	   :: else -> atomic {
		found = (page_0 != NONE);
		tlb_gen = (found -> window_gen : 0)
	      }
	   fi;
	   atomic {
		assert(!(found && gone));
		window_gen = 0;
		found = false
	   }
	od
}

init {
	atomic {
		if
		:: page_0 = TOP
		:: page_0 = 0; entry = 0; nr[0] = 1
		fi;
		run engine();
		if
		:: run other()
		:: run fault()
		fi;
		run invalidator(); run invalidator()
	}
}
