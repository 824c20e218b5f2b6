/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Refill: the blocks that come back after an event that was wider than the change.
 *
 * Before the kernel changes a part of a 2 MiB block, it splits the CPU's entry, in case
 * there is a large one, and announces an event for the whole block. An event does not tell
 * how much of its range changes, so the mirror drops everything there. A mirror with
 * SECMMU_MIRROR_REFILL notes such a block, and a worker faults in again the pages that
 * the process still maps (refiller.c). The worker's faults are like all others: they install
 * nothing inside an event.
 *
 *	event				worker			mirror's end
 *	-----				------			------------
 *	record the event
 *	drop the block, note it
 *	start the timer			takes the block
 *	...				the event covers it:	no more notes
 *	end				later again		wait for the worker
 *
 * The mirror's end waits for the worker, so the worker waits for nobody: not for the end of
 * an event, which another subscriber may delay, nor for mmap_lock. Where it would have to, it
 * tries again later. After a few times it leaves the block to the faults of engines.
 */
#ifndef SECMMU_REFILL_H
#define SECMMU_REFILL_H

#include <linux/workqueue.h>

#include "walk.h"

/* Blocks that wait; an event that finds no room leaves its block to faults. */
#define SECMMU_REFILL_BLOCKS	16

/**
 * struct secmmu_block - dropped entries of one domain
 * @first: first guest frame
 * @last: last guest frame
 * @domain: the domain
 * @write: engines have written to some of these pages
 * @tries: times that the worker had to give way
 */
struct secmmu_block {
	gfn_t first;
	gfn_t last;
	unsigned int domain;
	bool write;
	unsigned int tries;
};

/**
 * struct secmmu_refill - the blocks of a mirror that come back
 * @lock: protects @on, @nr and @block; the locks of the work queue nest inside
 * @on: blocks are noted
 * @nr: number of blocks
 * @block: the blocks
 * @work: the worker
 * @memcg: the group that pays for its tables; set once, before @on
 */
struct secmmu_refill {
	spinlock_t lock;
	bool on;
	unsigned int nr;
	struct secmmu_block block[SECMMU_REFILL_BLOCKS];
	struct delayed_work work;
	struct mem_cgroup *memcg;
};

void secmmu_refill_init(struct secmmu_refill *refill);
void secmmu_refill_start(struct secmmu_refill *refill, work_func_t worker);
void secmmu_refill_note(struct secmmu_refill *refill, const struct secmmu_piece *piece,
			unsigned int domain, bool write);
bool secmmu_refill_take(struct secmmu_refill *refill, struct secmmu_block *block);
void secmmu_refill_again(struct secmmu_refill *refill, struct secmmu_block *block);
void secmmu_refill_end(struct secmmu_refill *refill);

/**
 * secmmu_refill_wants - check whether what an event drops comes back
 * @refill: the blocks of the mirror
 * @walk: the walk of the event
 *
 * Return: true if the range is that of one block, as for a split.
 */
static inline bool secmmu_refill_wants(const struct secmmu_refill *refill,
				       const struct secmmu_walk *walk)
{
	return READ_ONCE(refill->on) && IS_ALIGNED(walk->start, PMD_SIZE) &&
	       walk->last - walk->start == PMD_SIZE - 1;
}

#endif
