/* SPDX-License-Identifier: GPL-2.0 */
/*
 * get_ and pin_user_pages_remote() as of 6.5, on older kernels too: up to 6.4 they took
 * an array of VMAs. FOLL_INTERRUPTIBLE came with 6.2; before, only fatal signals
 * interrupt it. FOLL_HONOR_NUMA_FAULT came with 6.6; before, hinting faults were
 * always honoured, as they must be if no spte is to grant more than the CPU's own
 * entry.
 */
#ifndef SECMMU_COMPAT_GUP_H
#define SECMMU_COMPAT_GUP_H

#include <linux/mm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define secmmu_get_user_pages_remote(mm, start, nr, flags, pages, locked) \
	get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#define secmmu_pin_user_pages_remote(mm, start, nr, flags, pages, locked) \
	pin_user_pages_remote(mm, start, nr, flags, pages, NULL, locked)
#else
#define secmmu_get_user_pages_remote get_user_pages_remote
#define secmmu_pin_user_pages_remote pin_user_pages_remote
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define SECMMU_FOLL_INTERRUPTIBLE 0
#else
#define SECMMU_FOLL_INTERRUPTIBLE FOLL_INTERRUPTIBLE
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define SECMMU_FOLL_HONOR_NUMA_FAULT 0
#else
#define SECMMU_FOLL_HONOR_NUMA_FAULT FOLL_HONOR_NUMA_FAULT
#endif

#endif
