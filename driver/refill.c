// SPDX-License-Identifier: GPL-2.0
#include <linux/memcontrol.h>
#include <linux/sched.h>

#include "refill.h"

/* Times that a block waits for others, each twice as long as the one before. */
#define TRIES_MAX	10

/**
 * secmmu_refill_init - start without a refill
 * @refill: in zeroed memory
 */
void secmmu_refill_init(struct secmmu_refill *refill)
{
	spin_lock_init(&refill->lock);
}

/**
 * secmmu_refill_start - note blocks from now on
 * @refill: the blocks of a mirror
 * @worker: takes them
 *
 * Context: process; once. The caller's group pays for the worker's tables.
 */
void secmmu_refill_start(struct secmmu_refill *refill, work_func_t worker)
{
	INIT_DELAYED_WORK(&refill->work, worker);
	refill->memcg = get_mem_cgroup_from_mm(current->mm);
	spin_lock(&refill->lock);
	WRITE_ONCE(refill->on, true);
	spin_unlock(&refill->lock);
}

static void add_block(struct secmmu_refill *refill, const struct secmmu_block *block)
{
	unsigned int i;

	lockdep_assert_held(&refill->lock);
	/* An event that walks again comes here again. */
	for (i = 0; i < refill->nr; i++)
		if (refill->block[i].first == block->first &&
		    refill->block[i].domain == block->domain)
			break;
	if (i == SECMMU_REFILL_BLOCKS)
		return;
	if (i == refill->nr)
		refill->block[refill->nr++] = *block;
	refill->block[i].write |= block->write;
	/* The first time the event will often have ended by the next tick. */
	schedule_delayed_work(&refill->work, 1UL << block->tries);
}

/**
 * secmmu_refill_note - note what an event has dropped
 * @refill: the blocks of the mirror
 * @piece: the guest frames
 * @domain: the domain
 * @write: engines have written to some of them
 *
 * Context: never sleeps; a callback.
 */
void secmmu_refill_note(struct secmmu_refill *refill, const struct secmmu_piece *piece,
			unsigned int domain, bool write)
{
	struct secmmu_block block = {
		.first = piece->first,
		.last = piece->last,
		.domain = domain,
		.write = write,
	};

	spin_lock(&refill->lock);
	if (refill->on)
		add_block(refill, &block);
	spin_unlock(&refill->lock);
}

/**
 * secmmu_refill_take - take a block
 * @refill: the blocks of the mirror
 * @block: filled in
 *
 * Return: false if there is none, or the mirror ends.
 */
bool secmmu_refill_take(struct secmmu_refill *refill, struct secmmu_block *block)
{
	bool taken;

	spin_lock(&refill->lock);
	taken = refill->on && refill->nr;
	if (taken)
		*block = refill->block[--refill->nr];
	spin_unlock(&refill->lock);
	return taken;
}

/**
 * secmmu_refill_again - put a block back, to be taken later
 * @refill: the blocks of the mirror
 * @block: from secmmu_refill_take(), or the rest of it
 */
void secmmu_refill_again(struct secmmu_refill *refill, struct secmmu_block *block)
{
	if (++block->tries >= TRIES_MAX)
		return;
	spin_lock(&refill->lock);
	if (refill->on)
		add_block(refill, block);
	spin_unlock(&refill->lock);
}

/**
 * secmmu_refill_end - note no more blocks, and wait for the worker
 * @refill: the blocks of the mirror; secmmu_refill_start() may not have been called
 *
 * Context: sleeps, for no longer than one block takes.
 */
void secmmu_refill_end(struct secmmu_refill *refill)
{
	bool was_on = refill->on;

	if (!was_on)
		return;
	spin_lock(&refill->lock);
	WRITE_ONCE(refill->on, false);
	spin_unlock(&refill->lock);
	cancel_delayed_work_sync(&refill->work);
	mem_cgroup_put(refill->memcg);
}
