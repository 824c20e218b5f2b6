/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_FAULT_H
#define SECMMU_FAULT_H

#include "mirror.h"

int secmmu_fault(struct secmmu_mirror *mirror, gfn_t gfn, u64 pages,
		 bool write);

#endif
