/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The dirty log of a slot. A write through an spte sets the dirty bit there, before
 * it happens; whoever drops such an spte moves the bit to the slot's bitmap, and so
 * does whoever asks for the log.
 */
#ifndef SECMMU_DIRTY_H
#define SECMMU_DIRTY_H

#include "slot.h"

int secmmu_dirty_log(struct secmmu_slots *slots,
		     const struct secmmu_get_dirty_log *arg);

#endif
