// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/secmmu_bench: the costs that any driver pays, measured without secmmu. It is a
 * module of its own, so that the driver contains nothing of it.
 */
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/gup.h"
#include "secmmu_bench.h"

/**
 * struct session - an open descriptor
 * @lock: protects @registered and @notifier
 * @registered: @notifier is registered
 * @notifier: a notifier that does nothing
 */
struct session {
	struct mutex lock;
	bool registered;
	struct mmu_notifier notifier;
};

static int empty_start(struct mmu_notifier *notifier,
		       const struct mmu_notifier_range *range)
{
	return 0;
}

static void empty_end(struct mmu_notifier *notifier,
		      const struct mmu_notifier_range *range)
{
}

static const struct mmu_notifier_ops empty_ops = {
	.invalidate_range_start = empty_start,
	.invalidate_range_end = empty_end,
};

static int session_register(struct session *session, u64 *ns)
{
	u64 began;
	int err;

	if (session->registered)
		return -EBUSY;
	session->notifier.ops = &empty_ops;
	began = ktime_get_ns();
	err = mmu_notifier_register(&session->notifier, current->mm);
	*ns = ktime_get_ns() - began;
	session->registered = !err;
	return err;
}

static int session_unregister(struct session *session, u64 *ns)
{
	u64 began;

	if (!session->registered)
		return -ENXIO;
	began = ktime_get_ns();
	mmu_notifier_unregister(&session->notifier, session->notifier.mm);
	*ns = ktime_get_ns() - began;
	session->registered = false;
	return 0;
}

/* Look up one batch. Returns the number of pages, or a negative errno. */
static long gup_batch(unsigned long address, unsigned long nr,
		      unsigned int flags)
{
	struct page *pages[SECMMU_BENCH_MAX_BATCH];
	int locked = 1;
	long i, got;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	got = secmmu_get_user_pages_remote(current->mm, address, nr, flags,
					   pages, &locked);
	if (locked)
		mmap_read_unlock(current->mm);
	for (i = 0; i < got; i++)
		put_page(pages[i]);
	return got ?: -EFAULT;
}

static int gup_all(const struct secmmu_bench_gup __user *user)
{
	struct secmmu_bench_gup arg;
	long got;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!arg.batch || arg.batch > SECMMU_BENCH_MAX_BATCH)
		return -EINVAL;
	while (arg.pages) {
		got = gup_batch(arg.address, min_t(u64, arg.batch, arg.pages),
				arg.write ? FOLL_WRITE : 0);
		if (got < 0)
			return got;
		arg.address += got * PAGE_SIZE;
		arg.pages -= got;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static long session_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct session *session = file->private_data;
	u64 ns;
	int err;

	if (cmd == SECMMU_BENCH_NOTHING)
		return 0;
	if (cmd == SECMMU_BENCH_GUP)
		return gup_all((const void __user *)arg);
	if (cmd != SECMMU_BENCH_REGISTER && cmd != SECMMU_BENCH_UNREGISTER)
		return -ENOTTY;

	mutex_lock(&session->lock);
	if (cmd == SECMMU_BENCH_REGISTER)
		err = session_register(session, &ns);
	else
		err = session_unregister(session, &ns);
	mutex_unlock(&session->lock);
	if (!err && put_user(ns, (u64 __user *)arg))
		err = -EFAULT;
	return err;
}

static int session_open(struct inode *inode, struct file *file)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);

	if (!session)
		return -ENOMEM;
	mutex_init(&session->lock);
	file->private_data = session;
	return 0;
}

static int session_release(struct inode *inode, struct file *file)
{
	struct session *session = file->private_data;
	u64 ns;

	session_unregister(session, &ns);
	mutex_destroy(&session->lock);
	kfree(session);
	return 0;
}

static const struct file_operations session_fops = {
	.owner = THIS_MODULE,
	.open = session_open,
	.release = session_release,
	.unlocked_ioctl = session_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "secmmu_bench",
	.fops = &session_fops,
};
module_misc_device(device);

MODULE_DESCRIPTION("Peers of secmmu's benchmarks");
MODULE_LICENSE("GPL");
