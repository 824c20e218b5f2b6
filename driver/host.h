/* SPDX-License-Identifier: GPL-2.0 */
/* The mirrored memory itself: its lock, and the CPU's own page table. */
#ifndef SECMMU_HOST_H
#define SECMMU_HOST_H

#include "pgtable.h"

int secmmu_host_lock(struct mm_struct *mm);
int secmmu_host_trylock(struct mm_struct *mm);
void secmmu_host_unlock(struct mm_struct *mm, bool locked);
bool secmmu_host_large(struct mm_struct *mm, unsigned long hva,
		       struct page *page, bool write);

#endif
