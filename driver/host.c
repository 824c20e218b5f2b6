// SPDX-License-Identifier: GPL-2.0
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>

#include "host.h"

/**
 * secmmu_host_lock - keep an mm from ending and its areas from changing
 * @mm: the mm
 *
 * Context: may sleep; no locks that an invalidation needs.
 * Return: 0, to be followed by secmmu_host_unlock(); -ESRCH if the mm has no users any
 * more; -EINTR on a fatal signal.
 */
int secmmu_host_lock(struct mm_struct *mm)
{
	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (mmap_read_lock_killable(mm)) {
		mmput(mm);
		return -EINTR;
	}
	return 0;
}

/**
 * secmmu_host_trylock - as secmmu_host_lock(), without waiting for anybody
 * @mm: the mm
 *
 * Context: process.
 * Return: as secmmu_host_lock(); -EBUSY if mmap_lock is taken.
 */
int secmmu_host_trylock(struct mm_struct *mm)
{
	if (!mmget_not_zero(mm))
		return -ESRCH;
	if (!mmap_read_trylock(mm)) {
		mmput(mm);
		return -EBUSY;
	}
	return 0;
}

/**
 * secmmu_host_unlock - undo secmmu_host_lock()
 * @mm: the mm
 * @locked: false if GUP has released the lock
 *
 * Context: may sleep: the caller may be the last user, and run the release callback.
 */
void secmmu_host_unlock(struct mm_struct *mm, bool locked)
{
	if (locked)
		mmap_read_unlock(mm);
	mmput(mm);
}

/* Does one entry of the CPU map the block at @addr, from page @pfn on? */
static bool maps_block(struct mm_struct *mm, unsigned long addr,
		       unsigned long pfn, bool write)
{
	pgd_t pgd, *pgdp = pgd_offset(mm, addr);
	p4d_t p4d, *p4dp;
	pud_t pud, *pudp;
	pmd_t pmd;

	/* Read each entry once: it may change at any time. */
	pgd = READ_ONCE(*pgdp);
	if (pgd_none(pgd))
		return false;
	p4dp = p4d_offset_lockless(pgdp, pgd, addr);
	p4d = READ_ONCE(*p4dp);
	if (!p4d_present(p4d))
		return false;
	pudp = pud_offset_lockless(p4dp, p4d, addr);
	pud = READ_ONCE(*pudp);
	if (!pud_present(pud) || pud_leaf(pud))
		return false;
	pmd = READ_ONCE(*pmd_offset_lockless(pudp, pud, addr));
	return pmd_present(pmd) && pmd_leaf(pmd) && !pmd_protnone(pmd) &&
	       pmd_pfn(pmd) == pfn && (!write || pmd_write(pmd));
}

/**
 * secmmu_host_large - check whether one entry of the CPU maps a whole 2 MiB block
 * @mm: the mm
 * @hva: an address in the block, which lies in one slot
 * @page: the page there, from GUP
 * @write: the mapping must permit writing
 *
 * Membership of the page in a large folio proves nothing: parts of the folio may be
 * unmapped, or mapped with other permissions. An entry of the CPU's table proves it. The
 * read is safe because mmap_lock is held: the kernel then frees no table above the pages
 * of an existing area, except tables that hugetlb areas share. Those are not read, because
 * hugetlb areas always map whole huge pages.
 *
 * Context: mmap_lock is held, and has been since GUP.
 * Return: true if so; this stays true until an event covers a part of the block.
 */
bool secmmu_host_large(struct mm_struct *mm, unsigned long hva,
		       struct page *page, bool write)
{
	unsigned long start = ALIGN_DOWN(hva, SECMMU_LARGE_SIZE);
	unsigned long pfn = page_to_pfn(page) - ((hva - start) >> PAGE_SHIFT);
	struct vm_area_struct *vma;

	mmap_assert_locked(mm);
	if (!IS_ALIGNED(pfn, SECMMU_LARGE_PAGES))
		return false;
	vma = vma_lookup(mm, hva);
	if (!vma || start < vma->vm_start ||
	    vma->vm_end - start < SECMMU_LARGE_SIZE)
		return false;
	if (is_vm_hugetlb_page(vma))
		return vma_kernel_pagesize(vma) >= SECMMU_LARGE_SIZE;
	return maps_block(mm, start, pfn, write);
}
