/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way past the mirror, for an access whose fault has lost its patience with events
 * (record.h): GUP gives the page to this one access, as process_vm_readv(2) uses it. No
 * spte is installed, so there is nothing for an event to drop.
 *
 * GUP finds the page that the process has at some moment between the beginning and the
 * end of the access, and the access takes place at that moment; or, where an event
 * unmaps the page later but before the data move, just before that. What else has to
 * hold:
 *
 *	the page is not freed and used again	the access holds a reference
 *	fork(2) shares no page that is written	a page to be written is pinned: the child
 *		after it				gets a copy at once
 *	SET_SLOT returns: the old target is	the target is looked at again in a window,
 *		out of use				and SET_SLOT waits for windows
 *	the dirty log has every write		it is noted after the data have moved: a
 *						log that is taken before is not the last
 */
#ifndef SECMMU_DIRECT_H
#define SECMMU_DIRECT_H

#include "fault.h"

/**
 * struct secmmu_direct - one access past the mirror, on the stack
 * @mirror: the mirror
 * @gfn: the guest frame
 * @target: what it showed
 * @page: the page of the process
 * @write: the access writes; the page is pinned
 * @nofault: only a page that the process has mapped will do
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
