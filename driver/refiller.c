// SPDX-License-Identifier: GPL-2.0
#include <linux/memcontrol.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "fault.h"
#include "refiller.h"

/* Pages in a row that the process does not map, behind which the rest is given up. */
#define HOLE_MAX	16

/* Map the next pages of a block, as far as the process maps them. As secmmu_fault(). */
static int map_some(struct secmmu_mirror *mirror, const struct secmmu_block *block)
{
	struct secmmu_access access = {
		.domain = block->domain,
		.flags = SECMMU_FAULT_NOFAULT | SECMMU_FAULT_NOWAIT,
	};
	u64 pages = block->last - block->first + 1;
	int ret = -EFAULT;

	if (block->write) {
		access.flags |= SECMMU_FAULT_WRITE;
		ret = secmmu_fault(mirror, block->first, pages, &access);
		/* One that may not be written: only that one for reading. */
		access.flags &= ~SECMMU_FAULT_WRITE;
		pages = 1;
	}
	return ret == -EFAULT ? secmmu_fault(mirror, block->first, pages, &access) : ret;
}

/* Returns -EBUSY, with the block shortened, if the worker would have to wait. */
static int refill_block(struct secmmu_mirror *mirror, struct secmmu_block *block)
{
	unsigned int hole = 0;

	while (block->first <= block->last && hole < HOLE_MAX && READ_ONCE(mirror->refill.on)) {
		int ret = map_some(mirror, block);

		if (ret < 0 && ret != -EFAULT)
			return ret;
		hole = ret < 0 ? hole + 1 : 0;
		block->first += ret < 0 ? 1 : ret;
		if (ret > 0)
			secmmu_count(mirror->counters, SECMMU_COUNT_REFILLED, ret);
		cond_resched();
	}
	return 0;
}

static void refill_blocks(struct secmmu_mirror *mirror)
{
	struct secmmu_block block;

	while (secmmu_refill_take(&mirror->refill, &block))
		if (refill_block(mirror, &block) == -EBUSY) {
			secmmu_refill_again(&mirror->refill, &block);
			return;
		}
}

static void run_worker(struct work_struct *work)
{
	struct secmmu_mirror *mirror = container_of(to_delayed_work(work),
						    struct secmmu_mirror, refill.work);
	struct mm_struct *mm = mirror->chain->mn.mm;
	struct mem_cgroup *memcg;

	/* So that no fault is the last user, who runs release callbacks of any driver. */
	if (!mmget_not_zero(mm))
		return;
	memcg = set_active_memcg(mirror->refill.memcg);
	refill_blocks(mirror);
	set_active_memcg(memcg);
	mmput_async(mm);
}

/**
 * secmmu_refiller_start - bring blocks back from now on
 * @mirror: the mirror, new
 *
 * Context: process.
 */
void secmmu_refiller_start(struct secmmu_mirror *mirror)
{
	secmmu_refill_start(&mirror->refill, run_worker);
}
