/* SPDX-License-Identifier: GPL-2.0 */
/* What the table's rows point to; each file has a family. struct operation says how. */
#ifndef STORM_ACTS_H
#define STORM_ACTS_H

#include <stddef.h>

struct instance;
struct operation;
struct scene;

#define ACT(name)	int act_##name(struct scene *scene)
#define USABLE(name)								\
	int usable_##name(const struct operation *operation,			\
			  const struct instance *instance, char *why, size_t size)

/* madvise.c: operation.value is the advice */
ACT(advise);
ACT(discard_slot);
ACT(discard_locked);
ACT(advise_and_populate);
ACT(collapse);
ACT(advise_process);
USABLE(advice);
USABLE(swap);

/* map.c */
ACT(replace);
ACT(unmap);
ACT(shrink);
ACT(move);
ACT(move_and_keep);
ACT(protect_all);
ACT(protect_writes);

/* file.c */
ACT(punch);
ACT(truncate);
ACT(allocate);
ACT(writeback);
USABLE(writeback);

/* fork.c */
ACT(fork);
ACT(fork_and_write);
ACT(exec);

/* child.c */
ACT(killed);
ACT(replaced);
ACT(released);
USABLE(own);
USABLE(release);

/* hugetlb.c */
ACT(hugetlb);
USABLE(hugetlb);

/* daemons.c */
ACT(khugepaged);
ACT(balancing);
USABLE(khugepaged);
USABLE(balancing);

/* lost.c */
ACT(block);
ACT(poison);
USABLE(block);
USABLE(poison);

/* migrate.c */
ACT(compact);
ACT(move_pages);
ACT(bind);
ACT(migrate_process);
ACT(offline);
ACT(merge);
ACT(contiguous);
USABLE(machine);
USABLE(offline);
USABLE(nodes);
USABLE(merging);
USABLE(contiguous);

/* device.c */
ACT(to_device);
ACT(make_exclusive);
USABLE(device);

/* reclaim.c */
ACT(reclaim);
USABLE(reclaim);

/* track.c */
ACT(clear_dirty);
ACT(scan);
USABLE(soft_dirty);
USABLE(scan);

/* userfault.c */
ACT(miss);
ACT(miss_outside);
ACT(protect_by_userfault);
ACT(userfault_move);
USABLE(userfault);
USABLE(userfault_move);

/* slots.c */
ACT(delete_slot);
ACT(protect_slot);
ACT(prefault);
USABLE(slots);
USABLE(prefault);

/* log.c */
ACT(log_slot);
ACT(log_writers);
USABLE(dirty_log);

/* guest.c */
ACT(log_guest);

#endif /* STORM_ACTS_H */
