// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "gate.h"
#include "stranger.h"

static int stranger_range_start(struct mmu_notifier *mn,
				const struct mmu_notifier_range *range)
{
	if (mmu_notifier_range_blockable(range))
		secmmu_gate(STRANGER, range->start);
	return 0;
}

static const struct mmu_notifier_ops stranger_ops = {
	.invalidate_range_start = stranger_range_start,
};

static int stranger_release(struct inode *inode, struct file *file)
{
	struct mmu_notifier *mn = file->private_data;

	mmu_notifier_unregister(mn, mn->mm);
	kfree(mn);
	return 0;
}

static const struct file_operations stranger_fops = {
	.owner = THIS_MODULE,
	.release = stranger_release,
};

/**
 * secmmu_stranger_register - let a stranger subscribe to the caller's memory
 * @arg: gets its descriptor
 *
 * Context: process; may sleep.
 * Return: 0 or a negative errno.
 */
long secmmu_stranger_register(struct secmmu_test_stranger *arg)
{
	struct mmu_notifier *mn = kzalloc(sizeof(*mn), GFP_KERNEL);
	int err;

	if (!mn)
		return -ENOMEM;
	mn->ops = &stranger_ops;
	err = mmu_notifier_register(mn, current->mm);
	if (err) {
		kfree(mn);
		return err;
	}
	arg->fd = anon_inode_getfd("[secmmu-stranger]", &stranger_fops, mn, O_CLOEXEC);
	if (arg->fd >= 0)
		return 0;
	mmu_notifier_unregister(mn, mn->mm);
	kfree(mn);
	return arg->fd;
}
