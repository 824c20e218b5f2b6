/* SPDX-License-Identifier: GPL-2.0 */
/* What the CPU's own page table says. */
#ifndef SECMMU_HOST_H
#define SECMMU_HOST_H

#include "pgtable.h"

#define SECMMU_LARGE_SIZE	(SECMMU_LARGE_PAGES << PAGE_SHIFT)

bool secmmu_host_large(struct mm_struct *mm, unsigned long hva,
		       struct page *page, bool write);

#endif
