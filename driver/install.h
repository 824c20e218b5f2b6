/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last step of a fault: its final check and the install of its sptes. The fault checks
 * under the lock of the table that its look-up still holds; there, check and install are
 * one step against a zap.
 */
#ifndef SECMMU_INSTALL_H
#define SECMMU_INSTALL_H

#include "fault.h"

/**
 * struct secmmu_fault - one fault, on the stack
 * @mirror: the mirror
 * @pt: the page table of the domain
 * @access: the access that it is for
 * @gfn: first guest frame
 * @wanted: pages asked for
 * @pages: pages that this round handles; those beyond @wanted only if the
 *	process has them mapped
 * @large: the CPU maps the whole 2 MiB block of @gfn at once, and @record covers
 *	that block
 * @target: the slot at @gfn, as looked up
 * @records: of the shard that all pages of @target that this round handles are in
 * @record: the fault as events see it
 * @patience: the patience with events that is left
 * @cache: tables to link, if some are missing
 * @page: the pages that GUP returned
 */
struct secmmu_fault {
	struct secmmu_mirror *mirror;
	struct secmmu_pgtable *pt;
	const struct secmmu_access *access;
	gfn_t gfn;
	u64 wanted;
	unsigned int pages;
	bool large;
	struct secmmu_target target;
	struct secmmu_records *records;
	struct secmmu_inflight record;
	struct secmmu_patience patience;
	struct secmmu_table_cache cache;
	struct page *page[SECMMU_FAULT_BATCH];
};

static inline bool secmmu_fault_writes(const struct secmmu_fault *fault)
{
	return fault->access->flags & SECMMU_FAULT_WRITE;
}

int secmmu_install(struct secmmu_fault *fault, unsigned int got);

#endif
