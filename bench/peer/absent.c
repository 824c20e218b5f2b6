// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that test_hmm is linked with, and that a kernel without CONFIG_DEVICE_PRIVATE or
 * CONFIG_ZONE_DEVICE lacks. Benchmarks do not use them.
 */
#include <linux/errno.h>
#include <linux/migrate.h>
#include <linux/rmap.h>

int make_device_exclusive_range(struct mm_struct *mm, unsigned long start,
				unsigned long end, struct page **pages,
				void *owner)
{
	return -EOPNOTSUPP;
}

#ifndef CONFIG_ZONE_DEVICE
int migrate_vma_setup(struct migrate_vma *args)
{
	return -EOPNOTSUPP;
}

void migrate_vma_pages(struct migrate_vma *migrate)
{
}

void migrate_vma_finalize(struct migrate_vma *migrate)
{
}

int migrate_device_range(unsigned long *src_pfns, unsigned long start,
			 unsigned long npages)
{
	return -EOPNOTSUPP;
}

void migrate_device_pages(unsigned long *src_pfns, unsigned long *dst_pfns,
			  unsigned long npages)
{
}

void migrate_device_finalize(unsigned long *src_pfns, unsigned long *dst_pfns,
			     unsigned long npages)
{
}
#endif
