// SPDX-License-Identifier: GPL-2.0
/*
 * A small secondary MMU that gets right one step after the other; see "Bring your own" in
 * Documentation/judge.rst. The parameter "step" chooses how far it is. Its translations are
 * an xarray from page numbers in the slot to pages, filled when a copy misses.
 */
#include <linux/highmem.h>
#include <linux/hmm.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "naive.h"

enum naive_step {
	STEP_NO_NOTIFIER,	/* pages are looked up once, and kept */
	STEP_NO_RETRY,		/* a notifier, but a fault does not ask if it was overtaken */
	STEP_RETRY_TOO_EARLY,	/* it asks before it takes the lock */
	STEP_RANGE_SHORT,	/* one page of each range is kept */
	STEP_RANGE_LONG,	/* one page too many is dropped */
	STEP_ONLY_UNMAPPING,	/* only the events of memory that goes are taken */
	STEP_NOT_DIRTY,		/* writes are not told to the kernel */
	STEP_RIGHT,
};

static int step = STEP_RIGHT;
module_param(step, int, 0644);
MODULE_PARM_DESC(step, "0 (very wrong) to 7 (right), for mirrors that are opened from now on");

/* An entry of the table is a page, tagged if it may be written. */
#define WRITABLE	1

/**
 * struct naive - a mirror
 * @mm: whose memory; only its struct is held
 * @step: enum naive_step
 * @slots: copies read, a change of the slot writes; taken before the mmap lock
 * @slot: what is shown
 * @notifier: of the slot's range, if it has one
 * @lock: protects @table, and the pages in it while they are used; taken by the notifier, so
 *	nothing that faults in memory may happen under it
 * @table: page number in the slot to page
 */
struct naive {
	struct mm_struct *mm;
	int step;
	struct rw_semaphore slots;
	struct naive_slot slot;
	struct mmu_interval_notifier notifier;
	struct mutex lock;
	struct xarray table;
};

/* Until all is right it holds its pages: a mistake shows as data, not as a broken machine. */
static bool holds_pages(const struct naive *naive)
{
	return naive->step < STEP_RIGHT;
}

static void drop_pages(struct naive *naive, unsigned long first, unsigned long last)
{
	unsigned long index;
	void *entry;

	xa_for_each_range(&naive->table, index, entry, first, last) {
		xa_erase(&naive->table, index);
		if (holds_pages(naive))
			put_page(xa_untag_pointer(entry));
	}
}

static bool takes_event(const struct naive *naive, enum mmu_notifier_event event)
{
	if (naive->step == STEP_ONLY_UNMAPPING)
		return event == MMU_NOTIFY_UNMAP || event == MMU_NOTIFY_CLEAR;
	return true;
}

static bool naive_invalidate(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	struct naive *naive = container_of(notifier, struct naive, notifier);
	unsigned long start = max_t(unsigned long, range->start, naive->slot.hva);
	unsigned long end = min_t(unsigned long, range->end, naive->slot.hva + naive->slot.length);
	unsigned long first = (start - naive->slot.hva) >> PAGE_SHIFT;
	unsigned long count = (end - start) >> PAGE_SHIFT;

	if (mmu_notifier_range_blockable(range))
		mutex_lock(&naive->lock);
	else if (!mutex_trylock(&naive->lock))
		return false;
	mmu_interval_set_seq(notifier, seq);
	if (naive->step == STEP_RANGE_SHORT)
		count--;
	if (naive->step == STEP_RANGE_LONG)
		count++;
	if (count && takes_event(naive, range->event))
		drop_pages(naive, first, first + count - 1);
	mutex_unlock(&naive->lock);
	return true;
}

static const struct mmu_interval_notifier_ops naive_notifier_ops = {
	.invalidate = naive_invalidate,
};

/*
 * Under @lock, so without waiting for memory: reclaim may call the notifier. A page that
 * cannot be held any more is for another try.
 */
static int store_page(struct naive *naive, unsigned long index, struct page *page, bool writable)
{
	int ret;

	if (holds_pages(naive) && !folio_try_get(page_folio(page)))
		return -EBUSY;
	drop_pages(naive, index, index);
	ret = xa_err(xa_store(&naive->table, index, xa_tag_pointer(page, writable ? WRITABLE : 0),
			      GFP_NOWAIT));
	if (ret && holds_pages(naive))
		put_page(page);
	return ret;
}

/* The first idea: the page that is there now will be the page. */
static int find_page_once(struct naive *naive, unsigned long index, bool write)
{
	unsigned long hva = naive->slot.hva + (index << PAGE_SHIFT);
	struct page *page;
	int ret;

	if (current->mm != naive->mm)
		return -ESRCH;
	if (get_user_pages_fast(hva, 1, write ? FOLL_WRITE : 0, &page) != 1)
		return -EFAULT;
	mutex_lock(&naive->lock);
	ret = store_page(naive, index, page, write);
	mutex_unlock(&naive->lock);
	put_page(page);
	return ret;
}

static int find_page(struct naive *naive, unsigned long index, bool write)
{
	unsigned long pfn = 0;
	struct hmm_range range = {
		.notifier = &naive->notifier,
		.start = naive->slot.hva + (index << PAGE_SHIFT),
		.end = naive->slot.hva + ((index + 1) << PAGE_SHIFT),
		.hmm_pfns = &pfn,
		.default_flags = HMM_PFN_REQ_FAULT | (write ? HMM_PFN_REQ_WRITE : 0),
	};
	bool overtaken = false;
	int ret;

	range.notifier_seq = mmu_interval_read_begin(&naive->notifier);
	mmap_read_lock(naive->mm);
	ret = hmm_range_fault(&range);
	mmap_read_unlock(naive->mm);
	if (ret)
		return ret;
	if (naive->step == STEP_RETRY_TOO_EARLY)
		overtaken = mmu_interval_read_retry(&naive->notifier, range.notifier_seq);
	mutex_lock(&naive->lock);
	if (naive->step > STEP_RETRY_TOO_EARLY)
		overtaken = mmu_interval_read_retry(&naive->notifier, range.notifier_seq);
	ret = overtaken ? -EBUSY : store_page(naive, index, hmm_pfn_to_page(pfn),
					      pfn & HMM_PFN_WRITE);
	mutex_unlock(&naive->lock);
	return ret;
}

static int fault_page(struct naive *naive, unsigned long index, bool write)
{
	int ret;

	if (naive->step == STEP_NO_NOTIFIER)
		return find_page_once(naive, index, write);
	if (!mmget_not_zero(naive->mm))
		return -ESRCH;
	do {
		ret = fatal_signal_pending(current) ? -EINTR : find_page(naive, index, write);
		cond_resched();
	} while (ret == -EBUSY);
	mmput(naive->mm);
	return ret;
}

/* Returns -ENOENT if the table has no such page, or not for this. */
static int copy_bytes(struct naive *naive, unsigned long index, size_t offset, void *buffer,
		      const struct naive_copy *copy)
{
	struct page *page;
	int ret = -ENOENT;
	void *entry;

	mutex_lock(&naive->lock);
	entry = xa_load(&naive->table, index);
	page = xa_untag_pointer(entry);
	if (page && (!copy->write || xa_pointer_tag(entry) == WRITABLE)) {
		if (copy->write)
			memcpy_to_page(page, offset, buffer, copy->length);
		else
			memcpy_from_page(buffer, page, offset, copy->length);
		if (copy->write && naive->step != STEP_NOT_DIRTY)
			set_page_dirty(page);
		ret = 0;
	}
	mutex_unlock(&naive->lock);
	return ret;
}

static int copy_in_slot(struct naive *naive, struct naive_copy *copy, void *buffer)
{
	u64 into = copy->gpa - naive->slot.gpa;
	int ret;

	if (into >= naive->slot.length)
		return -ENXIO;
	for (;;) {
		ret = copy_bytes(naive, into >> PAGE_SHIFT, offset_in_page(into), buffer, copy);
		if (ret != -ENOENT)
			return ret;
		copy->missed++;
		ret = fault_page(naive, into >> PAGE_SHIFT, copy->write);
		if (ret)
			return ret;
	}
}

/* The caller's memory is not touched under a lock, for it may be what the slot shows. */
static int naive_copy(struct naive *naive, struct naive_copy __user *user)
{
	struct naive_copy copy;
	void *buffer;
	int ret;

	if (copy_from_user(&copy, user, sizeof(copy)))
		return -EFAULT;
	if (copy.zero || !copy.length || offset_in_page(copy.gpa) + copy.length > PAGE_SIZE)
		return -EINVAL;
	buffer = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	ret = 0;
	if (copy.write && copy_from_user(buffer, u64_to_user_ptr(copy.buffer), copy.length))
		ret = -EINVAL;
	copy.missed = 0;
	if (!ret) {
		down_read(&naive->slots);
		ret = copy_in_slot(naive, &copy, buffer);
		up_read(&naive->slots);
	}
	if (!ret && !copy.write && copy_to_user(u64_to_user_ptr(copy.buffer), buffer, copy.length))
		ret = -EINVAL;
	if (put_user(copy.missed, &user->missed))
		ret = -EINVAL;
	kfree(buffer);
	return ret;
}

static void clear_slot(struct naive *naive)
{
	if (naive->slot.length && naive->step != STEP_NO_NOTIFIER)
		mmu_interval_notifier_remove(&naive->notifier);
	naive->slot.length = 0;
	mutex_lock(&naive->lock);
	drop_pages(naive, 0, ULONG_MAX);
	mutex_unlock(&naive->lock);
}

static int naive_set_slot(struct naive *naive, const struct naive_slot __user *user)
{
	struct naive_slot slot;
	int ret = 0;

	if (copy_from_user(&slot, user, sizeof(slot)))
		return -EFAULT;
	if (!PAGE_ALIGNED(slot.gpa | slot.hva | slot.length) || slot.hva + slot.length < slot.hva)
		return -EINVAL;
	down_write(&naive->slots);
	clear_slot(naive);
	if (slot.length) {
		naive->slot = slot;
		if (naive->step != STEP_NO_NOTIFIER)
			ret = mmu_interval_notifier_insert(&naive->notifier, naive->mm, slot.hva,
							   slot.length, &naive_notifier_ops);
		if (ret)
			naive->slot.length = 0;
	}
	up_write(&naive->slots);
	return ret;
}

static long naive_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case NAIVE_SLOT:
		return naive_set_slot(file->private_data, (void __user *)arg);
	case NAIVE_COPY:
		return naive_copy(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int naive_open(struct inode *inode, struct file *file)
{
	struct naive *naive = kzalloc(sizeof(*naive), GFP_KERNEL);

	if (!naive)
		return -ENOMEM;
	mmgrab(current->mm);
	naive->mm = current->mm;
	naive->step = READ_ONCE(step);
	init_rwsem(&naive->slots);
	mutex_init(&naive->lock);
	xa_init(&naive->table);
	file->private_data = naive;
	return 0;
}

static int naive_release(struct inode *inode, struct file *file)
{
	struct naive *naive = file->private_data;

	clear_slot(naive);
	xa_destroy(&naive->table);
	mmdrop(naive->mm);
	kfree(naive);
	return 0;
}

static const struct file_operations naive_fops = {
	.owner = THIS_MODULE,
	.open = naive_open,
	.release = naive_release,
	.unlocked_ioctl = naive_ioctl,
};

static struct miscdevice naive_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "naive",
	.fops = &naive_fops,
};

module_misc_device(naive_device);

MODULE_DESCRIPTION("An example of a secondary MMU, wrong on purpose");
MODULE_LICENSE("GPL");
