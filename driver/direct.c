// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>

#include "compat/gup.h"
#include "direct.h"
#include "host.h"

/*
 * GUP under mmap_lock. A write takes a pin. A read takes a plain reference: a pin would
 * make the core copy a page that is shared.
 */
static long get_page_locked(struct secmmu_direct *direct, struct mm_struct *mm,
			    int *locked)
{
	unsigned int flags = SECMMU_FOLL_HONOR_NUMA_FAULT | SECMMU_FOLL_INTERRUPTIBLE |
			     (direct->write ? FOLL_WRITE : 0) |
			     (direct->nofault ? FOLL_NOFAULT : 0);

	if (direct->write)
		return secmmu_pin_user_pages_remote(mm, direct->target.hva, 1, flags,
						    &direct->page, locked);
	return secmmu_get_user_pages_remote(mm, direct->target.hva, 1, flags,
					    &direct->page, locked);
}

static int get_page_of(struct secmmu_direct *direct)
{
	struct mm_struct *mm = direct->mirror->chain->mn.mm;
	int locked = 1, err;
	long got;

	err = secmmu_host_lock(mm);
	if (err)
		return err;
	got = get_page_locked(direct, mm, &locked);
	secmmu_host_unlock(mm, locked);
	if (got == 1)
		return 0;
	return got == -ENOMEM || got == -EINTR ? got : -EFAULT;
}

/**
 * secmmu_direct_begin - find the page that a guest frame shows
 * @direct: filled in
 * @mirror: the mirror
 * @gfn: the guest frame
 * @access: the access; writing breaks copy-on-write, as in a fault
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: 0, to be followed by secmmu_direct_end(); or as secmmu_fault().
 */
int secmmu_direct_begin(struct secmmu_direct *direct, struct secmmu_mirror *mirror,
			gfn_t gfn, const struct secmmu_access *access)
{
	int err;

	direct->mirror = mirror;
	direct->gfn = gfn;
	direct->write = access->flags & SECMMU_FAULT_WRITE;
	direct->nofault = access->flags & SECMMU_FAULT_NOFAULT;
	err = secmmu_access_find(mirror, gfn, access, &direct->target);
	if (err)
		return err;
	err = get_page_of(direct);
	if (err)
		return err;
	secmmu_count(mirror->counters, SECMMU_COUNT_DIRECT, 1);
	secmmu_gate(DIRECT_GOT, direct->target.hva);
	return 0;
}

/**
 * secmmu_direct_valid - check that the guest frame still shows the page
 * @direct: the access
 *
 * Context: in a window of the mirror, which slot changes wait for.
 * Return: false if the slot has changed: then the access has to start again.
 */
bool secmmu_direct_valid(const struct secmmu_direct *direct)
{
	struct secmmu_target target = direct->target;

	return secmmu_target_current(&direct->mirror->member, direct->gfn, &target);
}

/**
 * secmmu_direct_end - release the page
 * @direct: the access
 * @written: the access wrote to it
 *
 * Context: may sleep.
 */
void secmmu_direct_end(struct secmmu_direct *direct, bool written)
{
	if (written)
		secmmu_spans_log(&direct->mirror->member.spans, direct->gfn);
	if (direct->write)
		unpin_user_pages_dirty_lock(&direct->page, 1, written);
	else
		put_page(direct->page);
}
