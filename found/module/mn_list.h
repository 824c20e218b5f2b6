/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/mn_list: a subscriber of the list of MMU notifiers of the process that opened it. */
#ifndef FOUND_MN_LIST_H
#define FOUND_MN_LIST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MN_LIST_NAME	"mn_list"

/**
 * struct mn_list_counts - what the subscriber was told
 * @flushes: calls of arch_invalidate_secondary_tlbs
 * @full: of these, for everything, from 0 to ULONG_MAX
 * @refused: calls of invalidate_range_start that were answered with -EAGAIN
 */
struct mn_list_counts {
	__u64 flushes;
	__u64 full;
	__u64 refused;
};

/* Subscribe, once for each open file: to flushes, and count them; */
#define MN_LIST_COUNT	_IO('m', 0)
/* or to ranges, and refuse those that must not block. */
#define MN_LIST_REFUSE	_IO('m', 1)
/* Take the counts, which begin again from 0. */
#define MN_LIST_TAKE	_IOR('m', 2, struct mn_list_counts)

#endif /* FOUND_MN_LIST_H */
