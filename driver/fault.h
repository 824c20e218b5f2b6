/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_FAULT_H
#define SECMMU_FAULT_H

#include "mirror.h"

/* The kind of a fault. */
#define SECMMU_FAULT_WRITE	BIT(0)
#define SECMMU_FAULT_AROUND	BIT(1)
#define SECMMU_FAULT_NOFAULT	BIT(2)
#define SECMMU_FAULT_NOWAIT	BIT(3)

/**
 * struct secmmu_access - the access that a fault is for
 * @domain: the domain, which the mirror has
 * @flags: SECMMU_FAULT_*
 * @rights: the accesses that keys deny, as in &struct secmmu_rights
 */
struct secmmu_access {
	unsigned int domain;
	unsigned int flags;
	u32 rights;
};

int secmmu_access_find(struct secmmu_mirror *mirror, gfn_t gfn,
		       const struct secmmu_access *access,
		       struct secmmu_target *target);
int secmmu_fault(struct secmmu_mirror *mirror, gfn_t gfn, u64 pages,
		 const struct secmmu_access *access);
int secmmu_prefault(struct secmmu_mirror *mirror, gfn_t *gfn, u64 *pages,
		    const struct secmmu_access *access);

#endif
