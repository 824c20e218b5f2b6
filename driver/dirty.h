/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asking for the dirty log of a slot. A write through an spte sets the dirty bit there,
 * before it happens. A zap that drops such an spte moves the bit to the log of the slot
 * that shows the page (log.h), and this call moves those that are left.
 */
#ifndef SECMMU_DIRTY_H
#define SECMMU_DIRTY_H

#include "slot.h"

int secmmu_dirty_log(struct secmmu_slots *slots,
		     const struct secmmu_get_dirty_log *arg);

#endif
