// SPDX-License-Identifier: GPL-2.0
/*
 * A device without hardware on top of drm_gpusvm, the library with which GPU drivers share a
 * process's memory. The notifiers, ranges and DMA mappings are the library's. The device is
 * the caller of an ioctl, and its page table an xarray.
 *
 * Locks: shim->lock serialises faults, hence all that makes and removes ranges. The library's
 * notifier lock is held for reading by transfers and by who fills the table, for writing by
 * invalidations. It nests inside shim->lock. Reclaim may invalidate, so nothing is allocated
 * under the notifier lock that could wait for memory.
 */
#include <linux/device/faux.h>
#include <linux/dma-direct.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>
#include <drm/drm_device.h>
#include <drm/drm_gpusvm.h>
#include <drm/drm_pagemap.h>
#include "shims.h"

#define MOST		SZ_64K
/* A fault gives up after so many tries; user space may try again. */
#define TRIES		16

/* The tag of an entry of the table. */
#define WRITABLE	1

static bool no_drop;
module_param(no_drop, bool, 0644);
MODULE_PARM_DESC(no_drop, "Mistake: want pages for writing that were got for reading");

/**
 * struct shim - an open file: a device that shares the opener's memory
 * @gpusvm: the library's part
 * @lock: serialises faults
 * @table: the device's page table, from numbers of virtual pages to pages, tagged with
 *	%WRITABLE; changes under the notifier lock
 */
struct shim {
	struct drm_gpusvm gpusvm;
	struct mutex lock;
	struct xarray table;
};

/**
 * struct shim_range - a piece of memory that comes and goes as one
 * @base: the library's part
 * @pages: its pages, as the library has mapped them
 * @read_only: how @pages were got, under shim->lock
 */
struct shim_range {
	struct drm_gpusvm_range base;
	struct drm_gpusvm_pages pages;
	bool read_only;
};

static struct faux_device *faux;
/* The library looks at its dev only. */
static struct drm_device drm;

static struct shim_range *to_range(struct drm_gpusvm_range *range)
{
	return container_of(range, struct shim_range, base);
}

static struct shim *to_shim(struct drm_gpusvm *gpusvm)
{
	return container_of(gpusvm, struct shim, gpusvm);
}

static unsigned long range_pages(struct drm_gpusvm_range *range)
{
	return drm_gpusvm_range_size(range) >> PAGE_SHIFT;
}

static struct drm_gpusvm_range *alloc_range(struct drm_gpusvm *gpusvm)
{
	struct shim_range *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return NULL;
	drm_gpusvm_init_pages(&range->pages, &drm);
	return &range->base;
}

static void free_range(struct drm_gpusvm_range *base)
{
	struct shim_range *range = to_range(base);

	drm_gpusvm_free_pages(base->gpusvm, &range->pages, range_pages(base));
	kfree(range);
}

/* The device has no TLB; a real one flushes here. Called with the notifier lock. */
static void zap_range(struct shim *shim, struct drm_gpusvm_range *range)
{
	unsigned long first = drm_gpusvm_range_start(range) >> PAGE_SHIFT;
	unsigned long last = first + range_pages(range) - 1, pfn;
	void *entry;

	xa_for_each_range(&shim->table, pfn, entry, first, last)
		xa_erase(&shim->table, pfn);
}

/*
 * The whole range goes, for the library maps its pages as one. A range whose memory is gone
 * stays, marked, until a fault meets it: ranges can only be removed under shim->lock, which
 * nests outside of what the caller holds.
 */
static void invalidate(struct drm_gpusvm *gpusvm, struct drm_gpusvm_notifier *notifier,
		       const struct mmu_notifier_range *event)
{
	unsigned long start = max(drm_gpusvm_notifier_start(notifier), event->start);
	unsigned long end = min(drm_gpusvm_notifier_end(notifier), event->end);
	const struct drm_gpusvm_ctx ctx = { .in_notifier = true };
	struct drm_gpusvm_range *range = NULL;

	drm_gpusvm_for_each_range(range, notifier, start, end) {
		struct drm_gpusvm_pages *pages = &to_range(range)->pages;

		zap_range(to_shim(gpusvm), range);
		drm_gpusvm_unmap_pages(gpusvm, pages, range_pages(range), &ctx);
		if (event->event == MMU_NOTIFY_UNMAP)
			drm_gpusvm_range_set_unmapped(range, pages, 1, event);
	}
}

static const struct drm_gpusvm_ops gpusvm_ops = {
	.range_alloc = alloc_range,
	.range_free = free_range,
	.invalidate = invalidate,
};

/* Takes a range's pages from the device, as if its memory had changed. */
static void drop_pages(struct shim *shim, struct drm_gpusvm_range *range)
{
	const struct drm_gpusvm_ctx ctx = { };

	drm_gpusvm_notifier_lock(&shim->gpusvm);
	zap_range(shim, range);
	drm_gpusvm_notifier_unlock(&shim->gpusvm);
	drm_gpusvm_unmap_pages(&shim->gpusvm, &to_range(range)->pages, range_pages(range), &ctx);
}

static void remove_range(struct shim *shim, struct drm_gpusvm_range *range)
{
	drop_pages(shim, range);
	drm_gpusvm_range_remove(&shim->gpusvm, range);
}

/*
 * Gets a range's pages. The library is content with pages that it has, even if they were got
 * for reading (the zero page among them) and are wanted for writing now: drop those first.
 */
static int get_pages(struct shim *shim, struct drm_gpusvm_range *base,
		     const struct drm_gpusvm_ctx *ctx)
{
	struct shim_range *range = to_range(base);

	if (range->read_only && !ctx->read_only && !no_drop)
		drop_pages(shim, base);
	range->read_only = ctx->read_only;
	return drm_gpusvm_get_pages(&shim->gpusvm, &range->pages, shim->gpusvm.mm,
				    &base->notifier->notifier, drm_gpusvm_range_start(base),
				    drm_gpusvm_range_end(base), ctx);
}

/* Fills the table from a range's pages, unless they have gone since: -EAGAIN. */
static int fill_table(struct shim *shim, struct drm_gpusvm_range *range, bool write)
{
	unsigned long pfn = drm_gpusvm_range_start(range) >> PAGE_SHIFT;
	unsigned long end = pfn + range_pages(range), i;
	struct drm_gpusvm_pages *pages = &to_range(range)->pages;
	struct drm_pagemap_addr *mapped;
	int ret = 0;

	for (i = pfn; i < end && !ret; i++)
		ret = xa_reserve(&shim->table, i, GFP_KERNEL);
	if (ret)
		return ret;
	drm_gpusvm_notifier_lock(&shim->gpusvm);
	if (!drm_gpusvm_pages_valid(&shim->gpusvm, pages))
		ret = -EAGAIN;
	for (mapped = pages->dma_addr; pfn < end && !ret; mapped++) {
		/* There is no IOMMU before a faux device. */
		struct page *page = phys_to_page(dma_to_phys(drm.dev, mapped->addr));

		for (i = 0; i < 1ul << mapped->order && !ret; i++) {
			void *entry = xa_tag_pointer(page + i, write ? WRITABLE : 0);

			ret = xa_err(xa_store(&shim->table, pfn++, entry, GFP_NOWAIT));
		}
	}
	drm_gpusvm_notifier_unlock(&shim->gpusvm);
	return ret;
}

/*
 * One try to serve a fault. A range that cannot be had as a whole (a page of it is not there,
 * or not allowed) goes, and so does one whose memory has changed its owner: the next try is
 * for the one page.
 */
static int try_fault(struct shim *shim, unsigned long address,
		     const struct drm_gpusvm_ctx *ctx, bool one_page)
{
	unsigned long start = one_page ? address : 0;
	unsigned long end = one_page ? address + PAGE_SIZE : TASK_SIZE;
	struct drm_gpusvm_range_flags flags;
	struct drm_gpusvm_range *range;
	int ret;

	range = drm_gpusvm_range_find_or_insert(&shim->gpusvm, address, start, end, ctx);
	if (IS_ERR(range))
		return PTR_ERR(range);
	flags.__flags = READ_ONCE(range->flags.__flags);
	if (flags.unmapped) {
		remove_range(shim, range);
		return -EAGAIN;
	}
	ret = get_pages(shim, range, ctx);
	if (!ret)
		ret = fill_table(shim, range, !ctx->read_only);
	if (ret == -EFAULT || ret == -EPERM)
		remove_range(shim, range);
	return ret;
}

/*
 * Makes the device able to read or write a page. It asks for no more than that: a page that
 * is only read may be one that userfaultfd protects from writes.
 */
static int fault(struct shim *shim, unsigned long address, bool write)
{
	const struct drm_gpusvm_ctx ctx = {
		.check_pages_threshold = SZ_64K,
		.read_only = !write,
	};
	bool one_page = false;
	int ret = -EAGAIN, i;

	if (mutex_lock_killable(&shim->lock))
		return -EINTR;
	for (i = 0; i < TRIES; i++) {
		ret = try_fault(shim, address, &ctx, one_page);
		if (ret == -EAGAIN || ret == -EBUSY)
			continue;
		if ((ret != -EFAULT && ret != -EPERM) || one_page)
			break;
		one_page = true;
	}
	mutex_unlock(&shim->lock);
	return ret == -ENOENT ? -EFAULT : ret == -EBUSY ? -EAGAIN : ret;
}

/* The device moves up to a page between its memory and @buffer; false is a page fault. */
static bool move_bytes(struct shim *shim, unsigned long address, void *buffer, size_t length,
		       bool write)
{
	struct page *page;
	void *entry;
	bool can;

	drm_gpusvm_notifier_lock(&shim->gpusvm);
	entry = xa_load(&shim->table, address >> PAGE_SHIFT);
	can = entry && (!write || xa_pointer_tag(entry) == WRITABLE);
	page = xa_untag_pointer(entry);
	if (can && write)
		memcpy_to_page(page, offset_in_page(address), buffer, length);
	else if (can)
		memcpy_from_page(buffer, page, offset_in_page(address), length);
	drm_gpusvm_notifier_unlock(&shim->gpusvm);
	return can;
}

/* Returns the bytes that were moved; an error if that are none. */
static long move_all(struct shim *shim, struct judge_transfer *t, void *buffer, bool write)
{
	size_t done = 0;
	int ret = 0;

	while (!ret && done < t->length) {
		unsigned long address = t->address + done;
		size_t length = min_t(size_t, t->length - done,
				      PAGE_SIZE - offset_in_page(address));

		if (move_bytes(shim, address, buffer + done, length, write)) {
			done += length;
		} else {
			t->misses++;
			ret = fault(shim, address & PAGE_MASK, write);
			if (fatal_signal_pending(current))
				ret = -EINTR;
		}
	}
	return done ?: ret;
}

static long transfer(struct shim *shim, struct judge_transfer *t, bool write)
{
	void __user *user = u64_to_user_ptr(t->buffer);
	void *buffer;
	long ret;

	t->misses = 0;
	t->length = min_t(u64, t->length, MOST);
	if (!t->length || t->address >= TASK_SIZE || t->length > TASK_SIZE - t->address)
		return -EFAULT;
	buffer = kvmalloc(t->length, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	ret = write && copy_from_user(buffer, user, t->length) ? -EFAULT : 0;
	if (!ret)
		ret = move_all(shim, t, buffer, write);
	if (!write && ret > 0 && copy_to_user(user, buffer, ret))
		ret = -EFAULT;
	kvfree(buffer);
	return ret;
}

static long shim_ioctl(struct file *file, unsigned int cmd, unsigned long argument)
{
	struct judge_transfer t;
	long ret;

	if (cmd != JUDGE_READ && cmd != JUDGE_WRITE)
		return -ENOTTY;
	if (copy_from_user(&t, (void __user *)argument, sizeof(t)))
		return -EFAULT;
	ret = transfer(file->private_data, &t, cmd == JUDGE_WRITE);
	if (copy_to_user((void __user *)argument, &t, sizeof(t)))
		return -EFAULT;
	return ret;
}

static int shim_open(struct inode *inode, struct file *file)
{
	static const unsigned long chunks[] = { SZ_2M, SZ_64K, SZ_4K };
	struct shim *shim = kzalloc(sizeof(*shim), GFP_KERNEL);
	int ret;

	if (!shim)
		return -ENOMEM;
	mutex_init(&shim->lock);
	xa_init(&shim->table);
	ret = drm_gpusvm_init(&shim->gpusvm, "judge", current->mm, 0, TASK_SIZE, SZ_512M,
			      &gpusvm_ops, chunks, ARRAY_SIZE(chunks));
	if (ret) {
		kfree(shim);
		return ret;
	}
	drm_gpusvm_driver_set_lock(&shim->gpusvm, &shim->lock);
	file->private_data = shim;
	return 0;
}

static int shim_release(struct inode *inode, struct file *file)
{
	struct shim *shim = file->private_data;

	mutex_lock(&shim->lock);
	drm_gpusvm_fini(&shim->gpusvm);
	mutex_unlock(&shim->lock);
	xa_destroy(&shim->table);
	kfree(shim);
	return 0;
}

static const struct file_operations shim_fops = {
	.owner = THIS_MODULE,
	.open = shim_open,
	.release = shim_release,
	.unlocked_ioctl = shim_ioctl,
};

static struct miscdevice shim_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "judge_gpusvm",
	.fops = &shim_fops,
};

static int __init shim_init(void)
{
	int ret;

	faux = faux_device_create("judge_gpusvm", NULL, NULL);
	if (!faux)
		return -ENODEV;
	drm.dev = &faux->dev;
	faux->dev.dma_mask = &faux->dev.coherent_dma_mask;
	ret = dma_set_mask_and_coherent(&faux->dev, DMA_BIT_MASK(64));
	ret = ret ?: misc_register(&shim_device);
	if (ret)
		faux_device_destroy(faux);
	return ret;
}

static void __exit shim_exit(void)
{
	misc_deregister(&shim_device);
	faux_device_destroy(faux);
}

module_init(shim_init);
module_exit(shim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("drm_gpusvm without a GPU, to be judged");
