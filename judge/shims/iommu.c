// SPDX-License-Identifier: GPL-2.0
/*
 * A device that reaches a process's memory by DMA, through a page table of the IOMMU that
 * follows the process's: pages are mapped when the device is to touch them, without being
 * pinned, and are unmapped when an MMU notifier says that they go. It is what a device with
 * page faults and its driver do, but that the driver looks before the device touches memory.
 *
 * Locks: unit->slot_lock is held for writing while the slot changes, for reading by
 * transfers. unit->lock is the innermost one, which invalidations take, too: nothing waits
 * for memory under it. It is held from the look at the table until the device has done its
 * DMA, for a device that is blocked says nothing.
 *
 * Three parameters make mistakes on purpose, so that a test can show that it notices them. They
 * may change while no card is open. With the first two, the device reaches pages that have gone:
 * these stay allocated meanwhile, so that only the slot's user sees wrong things.
 */
#include <linux/fs.h>
#include <linux/hmm.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>
#include "card.h"
#include "shims.h"

/* Slots are below, and below the addresses of interrupts. */
#define SLOTS_END	(3ull * SZ_1G)
/* What the device has of its own: rings, and a buffer of two pages (a packet is one at most). */
#define RINGS_IOVA	(4ull * SZ_1G)
#define BUFFER_IOVA	(RINGS_IOVA + SZ_64K)
#define BUFFER_ORDER	1

/* The tag of an entry of unit->mapped. */
#define WRITABLE	1

static bool no_unmap;
module_param(no_unmap, bool, 0644);
MODULE_PARM_DESC(no_unmap, "Mistake: leave pages mapped that go away");

static bool no_sync;
module_param(no_sync, bool, 0644);
MODULE_PARM_DESC(no_sync, "Mistake: leave translations in the IOTLB");

static bool no_dirty;
module_param(no_dirty, bool, 0644);
MODULE_PARM_DESC(no_dirty, "Mistake: keep silent about what the device has written");

static unsigned int pages_per_sync;
module_param(pages_per_sync, uint, 0644);
MODULE_PARM_DESC(pages_per_sync,
		 "Take pages out of the IOTLB that many at a time (0, the default: all of an event at once)");

/**
 * struct unit - a card behind an IOMMU, and the memory that it is shown
 * @list: in the list of all, under units_lock
 * @busy: somebody has it open; under units_lock
 * @card: the card; under @lock
 * @domain: its address space; under @lock
 * @rings: memory of the card
 * @buffer: memory of the card, from and to which it copies; under @lock
 * @lock: see above
 * @slot_lock: see above
 * @address: of the slot in @domain; under @slot_lock
 * @length: of the slot, 0: there is none; under @slot_lock
 * @notifier: tells of changes to the slot's memory; is there while there is a slot
 * @mapped: from page numbers of the slot to pages that are in @domain, with %WRITABLE if the
 *	device may write; under @lock
 * @held: pages that a mistake lets the device reach until the slot goes; under @lock
 */
struct unit {
	struct list_head list;
	bool busy;
	struct card card;
	struct iommu_domain *domain;
	struct page *rings;
	struct page *buffer;
	struct mutex lock;
	struct rw_semaphore slot_lock;
	u64 address;
	u64 length;
	struct mmu_interval_notifier notifier;
	struct xarray mapped;
	struct xarray held;
};

static LIST_HEAD(units);
static DEFINE_MUTEX(units_lock);

static u64 iova_of(const struct unit *unit, unsigned long index)
{
	return unit->address + ((u64)index << PAGE_SHIFT);
}

static bool leaves_pages(void)
{
	return no_unmap || no_sync;
}

/* Keeps a page allocated until release_held(). */
static int hold_page(struct unit *unit, struct page *page)
{
	u32 id;
	int ret;

	lockdep_assert_held(&unit->lock);
	ret = xa_alloc(&unit->held, &id, page, xa_limit_32b, GFP_ATOMIC);
	if (!ret)
		get_page(page);
	return ret;
}

/* Once nothing is mapped any more. */
static void release_held(struct unit *unit)
{
	struct page *page;
	unsigned long id;

	lockdep_assert_held(&unit->lock);
	if (xa_empty(&unit->held))
		return;
	iommu_flush_iotlb_all(unit->domain);
	xa_for_each(&unit->held, id, page) {
		xa_erase(&unit->held, id);
		put_page(page);
	}
}

/*
 * Takes pages of the slot from the device: out of the table, then out of the IOTLB, as many
 * at once as the parameter says. Only when that is done, the pages may go.
 */
static void unmap_pages(struct unit *unit, unsigned long first, unsigned long last)
{
	unsigned int most = READ_ONCE(pages_per_sync) ?: UINT_MAX, pages = 0;
	struct iommu_iotlb_gather gather;
	unsigned long index;
	void *entry;

	lockdep_assert_held(&unit->lock);
	iommu_iotlb_gather_init(&gather);
	xa_for_each_range(&unit->mapped, index, entry, first, last) {
		iommu_unmap_fast(unit->domain, iova_of(unit, index), PAGE_SIZE, &gather);
		/* The device sets no dirty bit that anybody else would see. */
		if (xa_pointer_tag(entry) == WRITABLE && !no_dirty)
			set_page_dirty(xa_untag_pointer(entry));
		xa_erase(&unit->mapped, index);
		if (++pages < most)
			continue;
		/* This starts a new gather, too. */
		if (!no_sync)
			iommu_iotlb_sync(unit->domain, &gather);
		pages = 0;
	}
	if (pages && !no_sync)
		iommu_iotlb_sync(unit->domain, &gather);
}

static bool invalidate(struct mmu_interval_notifier *notifier,
		       const struct mmu_notifier_range *event, unsigned long seq)
{
	struct unit *unit = container_of(notifier, struct unit, notifier);
	unsigned long base = notifier->interval_tree.start;
	unsigned long start = max(event->start, base);
	unsigned long last = min(event->end - 1, notifier->interval_tree.last);

	if (mmu_notifier_range_blockable(event))
		mutex_lock(&unit->lock);
	else if (!mutex_trylock(&unit->lock))
		return false;
	mmu_interval_set_seq(notifier, seq);
	if (!no_unmap)
		unmap_pages(unit, (start - base) >> PAGE_SHIFT, (last - base) >> PAGE_SHIFT);
	mutex_unlock(&unit->lock);
	return true;
}

static const struct mmu_interval_notifier_ops notifier_ops = { .invalidate = invalidate };

/*
 * Maps one page. It replaces what is there: a mapping cannot be widened. Only what the device
 * is to write it may write, since each page that it may write counts as dirty.
 */
static int map_page(struct unit *unit, unsigned long index, struct page *page, bool write)
{
	int prot = IOMMU_READ | IOMMU_CACHE | (write ? IOMMU_WRITE : 0);
	void *entry = xa_tag_pointer(page, write ? WRITABLE : 0);
	int ret;

	lockdep_assert_held(&unit->lock);
	if (xa_load(&unit->mapped, index)) {
		iommu_unmap(unit->domain, iova_of(unit, index), PAGE_SIZE);
		xa_erase(&unit->mapped, index);
	}
	ret = leaves_pages() ? hold_page(unit, page) : 0;
	ret = ret ?: xa_err(xa_store(&unit->mapped, index, entry, GFP_ATOMIC));
	if (ret)
		return ret;
	ret = iommu_map(unit->domain, iova_of(unit, index), page_to_phys(page), PAGE_SIZE, prot,
			GFP_ATOMIC);
	if (ret)
		xa_erase(&unit->mapped, index);
	return ret;
}

/* Looks a page up in the process and maps it, unless it has gone meanwhile: -EAGAIN. */
static int fault(struct unit *unit, unsigned long index, bool write)
{
	unsigned long address = unit->notifier.interval_tree.start + (index << PAGE_SHIFT);
	unsigned long pfn = 0;
	struct hmm_range range = {
		.notifier = &unit->notifier,
		.start = address,
		.end = address + PAGE_SIZE,
		.hmm_pfns = &pfn,
		.default_flags = HMM_PFN_REQ_FAULT | (write ? HMM_PFN_REQ_WRITE : 0),
	};
	int ret;

	if (!mmget_not_zero(unit->notifier.mm))
		return -ESRCH;
	ret = hmm_range_fault_unlocked_timeout(&range,
					       msecs_to_jiffies(HMM_RANGE_DEFAULT_TIMEOUT));
	mmput(unit->notifier.mm);
	if (ret)
		return ret == -EBUSY ? -EAGAIN : ret;
	mutex_lock(&unit->lock);
	if (mmu_interval_read_retry(&unit->notifier, range.notifier_seq))
		ret = -EAGAIN;
	else
		ret = map_page(unit, index, hmm_pfn_to_page(pfn), write);
	mutex_unlock(&unit->lock);
	return ret;
}

static bool is_mapped(struct unit *unit, unsigned long index, bool write)
{
	void *entry = xa_load(&unit->mapped, index);

	return entry && (!write || xa_pointer_tag(entry) == WRITABLE);
}

/* Returns 0 with unit->lock held and all pages from @index to @last mapped. */
static int map_and_lock(struct unit *unit, unsigned long index, unsigned long last, bool write,
			u64 *misses)
{
	unsigned long missing;
	int ret;

	for (;;) {
		mutex_lock(&unit->lock);
		for (missing = index; missing <= last; missing++)
			if (!is_mapped(unit, missing, write))
				break;
		if (missing > last)
			return 0;
		mutex_unlock(&unit->lock);
		++*misses;
		ret = fault(unit, missing, write);
		if (ret && ret != -EAGAIN)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

/* Called with unit->slot_lock held. */
static int copy_in_slot(struct unit *unit, struct judge_transfer *t, void *data, bool write)
{
	u64 offset = t->address - unit->address;
	int ret;

	ret = map_and_lock(unit, offset >> PAGE_SHIFT, (offset + t->length - 1) >> PAGE_SHIFT,
			   write, &t->misses);
	if (ret)
		return ret;
	if (write) {
		memcpy(page_address(unit->buffer), data, t->length);
		ret = card_copy(&unit->card, t->address, BUFFER_IOVA, t->length);
	} else {
		ret = card_copy(&unit->card, BUFFER_IOVA, t->address, t->length);
		memcpy(data, page_address(unit->buffer), t->length);
	}
	mutex_unlock(&unit->lock);
	return ret;
}

static long transfer(struct unit *unit, struct judge_transfer *t, bool write)
{
	void *data __free(kfree) = kmalloc(CARD_MOST, GFP_KERNEL);
	void __user *user = u64_to_user_ptr(t->buffer);
	long ret = -ENXIO;

	t->misses = 0;
	if (!data)
		return -ENOMEM;
	t->length = min_t(u64, t->length, CARD_MOST);
	if (write && copy_from_user(data, user, t->length))
		return -EFAULT;
	down_read(&unit->slot_lock);
	if (t->address >= unit->address && t->address - unit->address < unit->length) {
		t->length = min(t->length, unit->address + unit->length - t->address);
		ret = -EINVAL;
		if (t->length && (!write || t->length >= CARD_LEAST))
			ret = copy_in_slot(unit, t, data, write);
	}
	up_read(&unit->slot_lock);
	if (!ret && !write && copy_to_user(user, data, t->length))
		ret = -EFAULT;
	return ret ?: t->length;
}

/*
 * The pages go from the device while the notifier is still there: without it nobody says that
 * they are others by now. No transfer is under way that would map them again.
 */
static void drop_slot(struct unit *unit)
{
	lockdep_assert_held_write(&unit->slot_lock);
	if (!unit->length)
		return;
	mutex_lock(&unit->lock);
	unmap_pages(unit, 0, ULONG_MAX);
	release_held(unit);
	mutex_unlock(&unit->lock);
	mmu_interval_notifier_remove(&unit->notifier);
	unit->length = 0;
}

static int set_slot(struct unit *unit, const struct judge_slot *slot)
{
	int ret = 0;

	if (!PAGE_ALIGNED(slot->address | slot->hva | slot->length) ||
	    slot->address > SLOTS_END || slot->length > SLOTS_END - slot->address)
		return -EINVAL;
	down_write(&unit->slot_lock);
	drop_slot(unit);
	if (slot->length)
		ret = mmu_interval_notifier_insert(&unit->notifier, current->mm, slot->hva,
						   slot->length, &notifier_ops);
	if (!ret) {
		unit->address = slot->address;
		unit->length = slot->length;
	}
	up_write(&unit->slot_lock);
	return ret;
}

/* The table itself is asked: what is thought to be in it is in unit->mapped. */
static u64 count_mapped(struct unit *unit)
{
	u64 mapped = 0;

	down_read(&unit->slot_lock);
	mutex_lock(&unit->lock);
	for (u64 offset = 0; offset < unit->length; offset += PAGE_SIZE)
		if (iommu_iova_to_phys(unit->domain, unit->address + offset))
			mapped += PAGE_SIZE;
	mutex_unlock(&unit->lock);
	up_read(&unit->slot_lock);
	return mapped;
}

static long unit_ioctl(struct file *file, unsigned int cmd, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	struct judge_transfer t;
	struct judge_slot slot;
	long ret;

	switch (cmd) {
	case JUDGE_SLOT:
		if (copy_from_user(&slot, user, sizeof(slot)))
			return -EFAULT;
		return set_slot(file->private_data, &slot);
	case JUDGE_READ:
	case JUDGE_WRITE:
		if (copy_from_user(&t, user, sizeof(t)))
			return -EFAULT;
		ret = transfer(file->private_data, &t, cmd == JUDGE_WRITE);
		return copy_to_user(user, &t, sizeof(t)) ? -EFAULT : ret;
	case JUDGE_MAPPED:
		return put_user(count_mapped(file->private_data), (u64 __user *)user);
	default:
		return -ENOTTY;
	}
}

/* Whoever opens the device gets a card that nobody else has. */
static int unit_open(struct inode *inode, struct file *file)
{
	struct unit *unit;

	guard(mutex)(&units_lock);
	list_for_each_entry(unit, &units, list) {
		if (unit->busy)
			continue;
		unit->busy = true;
		file->private_data = unit;
		return 0;
	}
	return -EBUSY;
}

static int unit_release(struct inode *inode, struct file *file)
{
	struct unit *unit = file->private_data;

	down_write(&unit->slot_lock);
	drop_slot(unit);
	up_write(&unit->slot_lock);
	guard(mutex)(&units_lock);
	unit->busy = false;
	return 0;
}

static const struct file_operations unit_fops = {
	.owner = THIS_MODULE,
	.open = unit_open,
	.release = unit_release,
	.unlocked_ioctl = unit_ioctl,
};

static struct miscdevice unit_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "judge_iommu",
	.fops = &unit_fops,
};

static int map_own(struct unit *unit, u64 iova, struct page *page, size_t size)
{
	return iommu_map(unit->domain, iova, page_to_phys(page), size,
			 IOMMU_READ | IOMMU_WRITE | IOMMU_CACHE, GFP_KERNEL);
}

/* A domain of the driver's own, in which the device sees nothing but its own memory. */
static int attach(struct unit *unit, struct device *dev)
{
	int ret;

	unit->domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(unit->domain))
		return PTR_ERR(unit->domain);
	ret = map_own(unit, RINGS_IOVA, unit->rings, CARD_MEMORY);
	ret = ret ?: map_own(unit, BUFFER_IOVA, unit->buffer, PAGE_SIZE << BUFFER_ORDER);
	ret = ret ?: iommu_attach_device(unit->domain, dev);
	if (ret)
		iommu_domain_free(unit->domain);
	return ret;
}

static void detach(struct unit *unit, struct device *dev)
{
	iommu_detach_device(unit->domain, dev);
	iommu_domain_free(unit->domain);
}

static struct unit *alloc_unit(void)
{
	struct unit *unit = kzalloc(sizeof(*unit), GFP_KERNEL);

	if (!unit)
		return NULL;
	mutex_init(&unit->lock);
	init_rwsem(&unit->slot_lock);
	xa_init(&unit->mapped);
	xa_init_flags(&unit->held, XA_FLAGS_ALLOC);
	unit->rings = alloc_page(GFP_KERNEL | __GFP_ZERO);
	unit->buffer = alloc_pages(GFP_KERNEL | __GFP_ZERO, BUFFER_ORDER);
	return unit;
}

static void free_unit(struct unit *unit)
{
	if (unit->rings)
		__free_page(unit->rings);
	if (unit->buffer)
		__free_pages(unit->buffer, BUFFER_ORDER);
	xa_destroy(&unit->mapped);
	kfree(unit);
}

static int probe(struct pci_dev *pci, const struct pci_device_id *id)
{
	struct unit *unit;
	int ret;

	if (!device_iommu_mapped(&pci->dev))
		return -ENODEV;
	unit = alloc_unit();
	if (!unit)
		return -ENOMEM;
	ret = unit->rings && unit->buffer ? pcim_enable_device(pci) : -ENOMEM;
	if (ret)
		goto free;
	ret = attach(unit, &pci->dev);
	if (ret)
		goto free;
	ret = card_start(&unit->card, pci, page_address(unit->rings), RINGS_IOVA);
	if (ret)
		goto detach;
	pci_set_drvdata(pci, unit);
	guard(mutex)(&units_lock);
	list_add_tail(&unit->list, &units);
	return 0;

detach:
	detach(unit, &pci->dev);
free:
	free_unit(unit);
	return ret;
}

/* Nobody has the card open: the module would be in use, and no card can be unplugged. */
static void remove(struct pci_dev *pci)
{
	struct unit *unit = pci_get_drvdata(pci);

	scoped_guard(mutex, &units_lock)
		list_del(&unit->list);
	card_stop(&unit->card, pci);
	detach(unit, &pci->dev);
	free_unit(unit);
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x100e) },
	{ }
};

static struct pci_driver unit_driver = {
	.name = "judge_iommu",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	/* No unbinding under open files. */
	.driver.suppress_bind_attrs = true,
};

static int __init unit_init(void)
{
	int ret = pci_register_driver(&unit_driver);

	if (ret)
		return ret;
	ret = misc_register(&unit_device);
	if (ret)
		pci_unregister_driver(&unit_driver);
	return ret;
}

static void __exit unit_exit(void)
{
	misc_deregister(&unit_device);
	pci_unregister_driver(&unit_driver);
}

module_init(unit_init);
module_exit(unit_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("DMA through an IOMMU that follows a process's memory, to be judged");
