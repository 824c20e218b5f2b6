/* SPDX-License-Identifier: GPL-2.0 */
/* The young callbacks of MMU notifiers return an int up to 6.x, later a bool. */
#ifndef SECMMU_COMPAT_YOUNG_H
#define SECMMU_COMPAT_YOUNG_H

#include <linux/types.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
typedef int secmmu_young_t;
#else
typedef bool secmmu_young_t;
#endif

#endif
