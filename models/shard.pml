/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events that touch several shards, against a fault in each: secmmu_shards_begin_wide(),
 * secmmu_shards_end_wide(), secmmu_shards_release(); chain_range_end(). See driver/shard.h.
 *
 * Three pages, each a block of its own; pages 0 and 2 belong to shard 0, page 1 to shard 1. A
 * fault on page 0, one on page 1, an event of two pages or all, and either another of any range,
 * or an end that never began, of another range; or the end of the mm alone. A shard has one
 * preallocated record; what is beyond it covers all pages of the shard. The stray end comes first
 * to a shard that has nothing beyond its record; the other one's record is in use for page 3.
 *
 * Proved: no fault installs inside an event that covers it, whichever shard the event comes to
 * first, nor after release; each waiter returns, and an end without a begin ends nothing.
 *
 * What is done under one record lock is one step, as in record.pml, which has the rest of a
 * shard; between the locks of two shards anything may happen. Tables are linked already.
 */
#define SHARD(page)	((page) & 1)

/* Of each shard. */
bool pool[2], released[2];
byte pool_first[2], pool_last[2], overflow[2];

/* Of the faults on page 0 and on page 1. */
bool recorded[2], hit[2], waits[2], locked[2], spte[2];

byte dropped[2];		/* events of the page past their start, before their end */
bool gone;			/* mirror_release() has returned */

#define covers(first, last, page)	((first) <= (page) && (page) <= (last))
#define covered(s, page) \
	((pool[s] && covers(pool_first[s], pool_last[s], page)) || overflow[s])
/* Does a range touch the shard? */
#ifdef BROKEN_WIDE_LAST_BLOCK
#define touches(first, last, s) \
	(SHARD(first) == (s) || (last) > (first) + 1)
#else
#define touches(first, last, s) \
	(SHARD(first) == (s) || (last) > (first))
#endif

inline record_begin(s)
{
	if
	:: !pool[s] -> pool[s] = true; pool_first[s] = first; pool_last[s] = last
	:: else -> overflow[s]++
	fi;
	hit[s] = recorded[s] && (hit[s] || covers(first, last, s))
}

/* Sets @matched. */
inline record_end(s)
{
	matched = true;
	if
	:: pool[s] && pool_first[s] == first && pool_last[s] == last ->
		pool[s] = false; pool_first[s] = 0; pool_last[s] = 0
	:: else ->
		if
		:: overflow[s] -> overflow[s]--
		:: else -> matched = released[s]
		fi
	fi;
	waits[s] = false
}

inline begin_in_shards()
{
	d_step { home = SHARD(first); record_begin(home) }
#ifndef BROKEN_WIDE_FIRST_SHARD
	if
	:: touches(first, last, 1 - home) -> d_step { record_begin(1 - home) }
	:: else
	fi
#endif
}

inline end_in_shards()
{
	d_step { home = SHARD(first); record_end(home) }
#ifndef BROKEN_WIDE_END_FIRST
	if
	:: touches(first, last, 1 - home) -> d_step { record_end(1 - home) }
	:: else
	fi
#endif
}

/* Lock the leaf of a page, drop its entry, unlock. */
inline zap(page)
{
	if
	:: covers(first, last, page) -> atomic { !locked[page] -> spte[page] = false }
	:: else
	fi
}

inline change_pages()
{
	d_step {			/* start returns, the core goes on */
		assert(!(covers(first, last, 0) && spte[0]));
		assert(!(covers(first, last, 1) && spte[1]));
		dropped[0] = dropped[0] + covers(first, last, 0);
		dropped[1] = dropped[1] + covers(first, last, 1)
	}
	d_step {
		dropped[0] = dropped[0] - covers(first, last, 0);
		dropped[1] = dropped[1] - covers(first, last, 1)
	}
}

proctype event(byte first, last)
{
	byte home;
	bool matched;

#ifdef BROKEN_WALK_BETWEEN_SHARDS
	d_step { home = SHARD(first); record_begin(home) }
	zap(0);
	zap(1);
	if
	:: touches(first, last, 1 - home) -> d_step { record_begin(1 - home) }
	:: else
	fi;
#else
	begin_in_shards();
	zap(0);
	zap(1);
#endif
	change_pages();
	end_in_shards()
}

/* An end that never began: chain_range_end() makes up for it. */
proctype stray_end(byte first, last)
{
	byte home;
	bool matched;

	d_step {
		home = SHARD(first);
		record_end(home);
		assert(!matched)
	}
#ifdef BROKEN_WIDE_END_ALONE
	if
	:: touches(first, last, 1 - home) -> d_step { record_end(1 - home) }
	:: else
	fi;
#endif
	begin_in_shards();
	zap(0);
	zap(1);
	end_in_shards()
}

inline record_release(s)
{
	released[s] = true;
	hit[s] = recorded[s];
	pool[s] = false; pool_first[s] = 0; pool_last[s] = 0;
	overflow[s] = 0;
	waits[s] = false
}

/* No event is in flight then whose end would come. */
proctype release()
{
	byte first = 0, last = 2;

	d_step { record_release(0) }
#ifndef BROKEN_RELEASE_ONE_SHARD
	d_step { record_release(1) }
#endif
	zap(0);
	zap(1);
	assert(!spte[0] && !spte[1]);
	gone = true
}

proctype fault(byte page)
{
	bool ok;
	byte s;

	s = SHARD(page);
again:	if
	:: atomic { released[s] -> goto done }
	:: atomic { !released[s] && !covered(s, page) -> recorded[s] = true; hit[s] = false }
	:: atomic { !released[s] && covered(s, page) -> waits[s] = true }
		!waits[s];
		goto again
	fi;
	atomic { !locked[page] -> locked[page] = true }
	ok = !hit[s] && !released[s];
	if
	:: ok ->
		d_step {
			assert(!dropped[page] && !gone);
			spte[page] = true
		}
	:: else
	fi;
	locked[page] = false;
	d_step { recorded[s] = false; hit[s] = false }
	if
	:: !ok -> goto again
	:: else
	fi;
done:	skip
}

inline some_range()
{
	select (a : 0 .. 2);
	select (b : 0 .. 2);
	if
	:: b < a -> b = a
	:: else
	fi
}

init {
	byte a, b, first;

	atomic {
		run fault(0);
		run fault(1);
		if
		:: a = 0; b = 1
		:: a = 1; b = 2
		:: a = 0; b = 2
		fi;
		if
		:: run event(a, b);
			first = a + 3 * b;
			some_range();
			if
			:: run event(a, b)
			:: first != a + 3 * b && SHARD(a) == 0 ->
				pool[1] = true;
				pool_first[1] = 3;
				pool_last[1] = 3;
				run stray_end(a, b)
			fi
		:: run release()
		fi
	}
}
