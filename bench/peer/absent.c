// SPDX-License-Identifier: GPL-2.0
/*
 * A function that test_hmm is linked with, and that a kernel without CONFIG_DEVICE_PRIVATE
 * lacks. Benchmarks do not use it.
 */
#include <linux/errno.h>
#include <linux/rmap.h>

int make_device_exclusive_range(struct mm_struct *mm, unsigned long start,
				unsigned long end, struct page **pages,
				void *owner)
{
	return -EOPNOTSUPP;
}
