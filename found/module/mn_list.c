// SPDX-License-Identifier: GPL-2.0
/*
 * A subscriber of the list of MMU notifiers that does what the interface allows, and no more:
 * it counts secondary TLB flushes, or refuses ranges that must not block. A subscriber of
 * ranges may refuse if it has no invalidate_range_end; it must not ask for flushes as well.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "mn_list.h"

/**
 * struct mn_list - an open file
 * @subscribe: protects @registered
 * @registered: @notifier is registered
 * @notifier: the subscription, which holds the mm
 * @lock: protects @counts; taken in callbacks with interrupts off
 * @counts: since they were taken
 */
struct mn_list {
	struct mutex subscribe;
	bool registered;
	struct mmu_notifier notifier;
	spinlock_t lock;
	struct mn_list_counts counts;
};

static void count_flush(struct mmu_notifier *notifier, struct mm_struct *mm, unsigned long start,
			unsigned long end)
{
	struct mn_list *list = container_of(notifier, struct mn_list, notifier);
	unsigned long flags;

	spin_lock_irqsave(&list->lock, flags);
	list->counts.flushes++;
	if (!start && end == ULONG_MAX)
		list->counts.full++;
	spin_unlock_irqrestore(&list->lock, flags);
}

static int refuse_range(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct mn_list *list = container_of(notifier, struct mn_list, notifier);
	unsigned long flags;

	if (mmu_notifier_range_blockable(range))
		return 0;
	spin_lock_irqsave(&list->lock, flags);
	list->counts.refused++;
	spin_unlock_irqrestore(&list->lock, flags);
	return -EAGAIN;
}

static const struct mmu_notifier_ops count_ops = {
	.arch_invalidate_secondary_tlbs = count_flush,
};

static const struct mmu_notifier_ops refuse_ops = {
	.invalidate_range_start = refuse_range,
};

static int mn_list_subscribe(struct mn_list *list, const struct mmu_notifier_ops *ops)
{
	int ret = -EBUSY;

	mutex_lock(&list->subscribe);
	if (!list->registered) {
		list->notifier.ops = ops;
		ret = mmu_notifier_register(&list->notifier, current->mm);
		list->registered = !ret;
	}
	mutex_unlock(&list->subscribe);
	return ret;
}

static int mn_list_take(struct mn_list *list, struct mn_list_counts __user *user)
{
	struct mn_list_counts counts;

	spin_lock_irq(&list->lock);
	counts = list->counts;
	memset(&list->counts, 0, sizeof(list->counts));
	spin_unlock_irq(&list->lock);
	return copy_to_user(user, &counts, sizeof(counts)) ? -EFAULT : 0;
}

static long mn_list_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mn_list *list = file->private_data;

	switch (cmd) {
	case MN_LIST_COUNT:
		return mn_list_subscribe(list, &count_ops);
	case MN_LIST_REFUSE:
		return mn_list_subscribe(list, &refuse_ops);
	case MN_LIST_TAKE:
		return mn_list_take(list, (struct mn_list_counts __user *)arg);
	default:
		return -ENOTTY;
	}
}

static int mn_list_open(struct inode *inode, struct file *file)
{
	struct mn_list *list = kzalloc(sizeof(*list), GFP_KERNEL);

	if (!list)
		return -ENOMEM;
	mutex_init(&list->subscribe);
	spin_lock_init(&list->lock);
	file->private_data = list;
	return 0;
}

static int mn_list_release(struct inode *inode, struct file *file)
{
	struct mn_list *list = file->private_data;

	if (list->registered)
		mmu_notifier_unregister(&list->notifier, list->notifier.mm);
	kfree(list);
	return 0;
}

static const struct file_operations mn_list_fops = {
	.owner = THIS_MODULE,
	.open = mn_list_open,
	.release = mn_list_release,
	.unlocked_ioctl = mn_list_ioctl,
};

static struct miscdevice mn_list_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = MN_LIST_NAME,
	.fops = &mn_list_fops,
};

module_misc_device(mn_list_device);

MODULE_DESCRIPTION("MMU notifier subscriber for reproducers");
MODULE_LICENSE("GPL");
