/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way past the mirror, for an access whose fault has lost its patience with events
 * (record.h). GUP gives the page to this one access, as it does for process_vm_readv(2).
 * The access installs no spte, so no event has to drop one.
 *
 * GUP finds the page that the process has at some moment during the access, and the access
 * takes place at that moment. If an event unmaps the page later but before the data move,
 * the access takes place just before that event. Beyond that:
 *
 *	the kernel does not reuse the page	the access holds a reference
 *	fork(2) shares no page that is		the access pins a page to be written: the
 *		written afterwards			child gets a copy at once
 *	after SET_SLOT no access uses the	the access checks its target again in a
 *		old target				window, and SET_SLOT waits for windows
 *	the dirty log has every write		the access logs it after the data have
 *							moved, for this log or a later one
 */
#ifndef SECMMU_DIRECT_H
#define SECMMU_DIRECT_H

#include "fault.h"

/**
 * struct secmmu_direct - one access past the mirror, on the stack
 * @mirror: the mirror
 * @gfn: the guest frame
 * @target: the slot at @gfn, as looked up
 * @page: the page of the process
 * @write: the access writes; the page is pinned
 * @nofault: accept only a page that the process has mapped
 */
struct secmmu_direct {
	struct secmmu_mirror *mirror;
	gfn_t gfn;
	struct secmmu_target target;
	struct page *page;
	bool write;
	bool nofault;
};

int secmmu_direct_begin(struct secmmu_direct *direct, struct secmmu_mirror *mirror,
			gfn_t gfn, const struct secmmu_access *access);
bool secmmu_direct_valid(const struct secmmu_direct *direct);
void secmmu_direct_end(struct secmmu_direct *direct, bool written);

#endif
