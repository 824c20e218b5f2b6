/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_FAULT_H
#define SECMMU_FAULT_H

#include "mirror.h"

/* What a fault may do. */
#define SECMMU_FAULT_WRITE	BIT(0)
#define SECMMU_FAULT_AROUND	BIT(1)

int secmmu_fault(struct secmmu_mirror *mirror, gfn_t gfn, u64 pages,
		 unsigned int flags);
int secmmu_prefault(struct secmmu_mirror *mirror, gfn_t *gfn, u64 *pages,
		    unsigned int flags);

#endif
