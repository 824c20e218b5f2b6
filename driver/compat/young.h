/* SPDX-License-Identifier: GPL-2.0 */
/* The young callbacks of MMU notifiers return an int up to 6.x, later a bool. */
#ifndef SECMMU_COMPAT_YOUNG_H
#define SECMMU_COMPAT_YOUNG_H

#include <linux/mmu_notifier.h>

typedef typeof(((struct mmu_notifier_ops *)NULL)->test_young(NULL, NULL, 0))
	secmmu_young_t;

#endif
