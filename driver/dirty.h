/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asking for the dirty log of a slot. An engine sets the dirty bit of an spte before it
 * writes through it. A zap that drops such an spte moves the bit to the log of the slot
 * that shows the page (log.h). This call moves the bits that are left in sptes.
 */
#ifndef SECMMU_DIRTY_H
#define SECMMU_DIRTY_H

#include "slot.h"

int secmmu_dirty_log(struct secmmu_slots *slots,
		     const struct secmmu_get_dirty_log *arg);

#endif
