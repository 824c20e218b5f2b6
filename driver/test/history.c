// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "../compat/gup.h"
#include "../mirror.h"
#include "../walk.h"
#include "history.h"

#define NR_PAGES	8

/**
 * struct past - one subscriber, behind a descriptor
 * @member: its seat in the chain; one span
 * @span: all it looks at
 * @kind: SECMMU_TEST_GRU, ...
 * @lock: protects what follows; nothing nests inside but the queue's lock
 * @wait: GRU: faults that wait
 * @active: GRU: begins minus ends
 * @lowest: ... and how low that has been
 * @begins: events begun
 * @ends: events ended
 * @present: it has a translation
 * @young: EMM: it has used that
 * @page: XPMEM: the pages it refers to
 * @address: ... and where they are
 */
struct past {
	struct secmmu_member member;
	struct secmmu_span span;
	u32 kind;
	spinlock_t lock;
	wait_queue_head_t wait;
	int active;
	int lowest;
	u32 begins;
	u32 ends;
	bool present;
	bool young;
	struct page *page[NR_PAGES];
	unsigned long address[NR_PAGES];
};

static struct past *to_past(struct secmmu_member *member)
{
	return container_of(member, struct past, member);
}

static void gru_event(struct past *past, bool ends)
{
	/* Faults look whether they must wait, without the lock. */
	WRITE_ONCE(past->active, past->active + (ends ? -1 : 1));
	past->lowest = min(past->lowest, past->active);
	past->present = false;
	if (ends)
		wake_up_all(&past->wait);
}

static void xpmem_event(struct past *past, struct secmmu_walk *walk, bool ends)
{
	unsigned int i;

	for (i = 0; ends && i < NR_PAGES; i++) {
		if (!past->page[i] || past->address[i] < walk->start ||
		    past->address[i] > walk->last)
			continue;
		put_page(past->page[i]);
		past->page[i] = NULL;
	}
}

enum emm_code { EMM_BEGIN, EMM_END, EMM_REFERENCED, EMM_AGE };

static bool emm_callback(struct past *past, enum emm_code code)
{
	bool young = past->young;

	if (code == EMM_BEGIN)
		past->present = false;
	if (code == EMM_BEGIN || code == EMM_AGE)
		past->young = false;
	return young;
}

static void past_invalidate(struct secmmu_member *member,
			    struct secmmu_walk *walk)
{
	bool ends = walk->purpose == SECMMU_INVALIDATE_LATE;
	struct past *past = to_past(member);

	spin_lock(&past->lock);
	past->begins += !ends;
	past->ends += ends;
	if (past->kind == SECMMU_TEST_GRU)
		gru_event(past, ends);
	else if (past->kind == SECMMU_TEST_XPMEM)
		xpmem_event(past, walk, ends);
	else
		emm_callback(past, ends ? EMM_END : EMM_BEGIN);
	spin_unlock(&past->lock);
}

static bool past_age(struct secmmu_member *member, struct secmmu_walk *walk,
		     bool clear)
{
	struct past *past = to_past(member);
	bool young = false;

	spin_lock(&past->lock);
	if (past->kind == SECMMU_TEST_EMM)
		young = emm_callback(past, clear ? EMM_AGE : EMM_REFERENCED);
	spin_unlock(&past->lock);
	return young;
}

static void past_release(struct secmmu_member *member)
{
	struct secmmu_walk all = { .last = ULONG_MAX };
	struct past *past = to_past(member);

	spin_lock(&past->lock);
	past->present = false;
	xpmem_event(past, &all, true);
	spin_unlock(&past->lock);
}

static const struct secmmu_member_ops past_ops = {
	.invalidate = past_invalidate,
	.age = past_age,
	.release = past_release,
};

/* Get a translation, however this kind does it. */
static long past_fault(struct past *past, unsigned long address)
{
	struct mm_struct *mm = past->member.chain->mn.mm;
	struct page *page;
	unsigned int i;
	long got;

	if (past->kind != SECMMU_TEST_XPMEM) {
		if (wait_event_interruptible(past->wait,
					     READ_ONCE(past->active) <= 0))
			return -EINTR;
		spin_lock(&past->lock);
		past->present = past->active <= 0;
		spin_unlock(&past->lock);
		return 0;
	}

	if (!mmget_not_zero(mm))
		return -ESRCH;
	mmap_read_lock(mm);
	got = secmmu_get_user_pages_remote(mm, address, 1, 0, &page, NULL);
	mmap_read_unlock(mm);
	mmput(mm);
	if (got != 1)
		return -EFAULT;
	spin_lock(&past->lock);
	for (i = 0; i < NR_PAGES && past->page[i]; i++)
		;
	if (i < NR_PAGES) {
		past->page[i] = page;
		past->address[i] = address;
	}
	spin_unlock(&past->lock);
	if (i == NR_PAGES)
		put_page(page);
	return i < NR_PAGES ? 0 : -ENOSPC;
}

static void past_state(struct past *past, struct secmmu_test_past *arg)
{
	unsigned int i;

	spin_lock(&past->lock);
	arg->active = past->active;
	arg->lowest = past->lowest;
	arg->begins = past->begins;
	arg->ends = past->ends;
	arg->present = past->present;
	arg->young = past->young;
	arg->held = 0;
	for (i = 0; i < NR_PAGES; i++)
		arg->held += !!past->page[i];
	spin_unlock(&past->lock);
}

static long past_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	struct past *past = file->private_data;
	struct secmmu_test_past arg;
	long ret = 0;

	if (cmd != SECMMU_TEST_PAST)
		return -ENOTTY;
	if (copy_from_user(&arg, (void __user *)user, sizeof(arg)))
		return -EFAULT;
	if (arg.size != sizeof(arg))
		return -EINVAL;
	if (arg.flags & SECMMU_TEST_PAST_FAULT)
		ret = past_fault(past, arg.address);
	if (arg.flags & SECMMU_TEST_PAST_USE) {
		spin_lock(&past->lock);
		past->young = true;
		spin_unlock(&past->lock);
	}
	past_state(past, &arg);
	if (!ret && copy_to_user((void __user *)user, &arg, sizeof(arg)))
		return -EFAULT;
	return ret;
}

static void past_end(struct past *past)
{
	struct secmmu_chain *chain = past->member.chain;

	secmmu_chain_leave(&past->member);
	secmmu_chain_put(chain);
	past_release(&past->member);
	static_branch_dec(&secmmu_holding);
	kfree(past);
}

static int past_close(struct inode *inode, struct file *file)
{
	past_end(file->private_data);
	return 0;
}

static const struct file_operations past_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = past_ioctl,
	.release = past_close,
};

/* A subscriber that has joined; the caller is a user of the mm. */
static struct past *past_create(struct mm_struct *mm,
				const struct secmmu_test_subscribe *arg)
{
	struct past *past = kzalloc(sizeof(*past), GFP_KERNEL_ACCOUNT);
	struct secmmu_chain *chain;

	if (!past)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&past->lock);
	init_waitqueue_head(&past->wait);
	past->kind = arg->kind;
	past->span.by_hva.start = arg->start;
	past->span.by_hva.last = arg->end - 1;
	chain = secmmu_chain_get(mm);
	if (IS_ERR(chain)) {
		kfree(past);
		return ERR_CAST(chain);
	}
	/* So that ends of events are delivered too. */
	static_branch_inc(&secmmu_holding);
	secmmu_chain_join(chain, &past->member, &past_ops);
	secmmu_chain_replace(&past->member, NULL, &past->span);
	return past;
}

/**
 * secmmu_history_subscribe - let a historical user join
 * @mirror: a mirror of the mm
 * @arg: see &struct secmmu_test_subscribe
 *
 * Context: process; sleeps.
 * Return: 0 with a descriptor in @arg, or a negative errno.
 */
long secmmu_history_subscribe(struct secmmu_mirror *mirror,
			      struct secmmu_test_subscribe *arg)
{
	struct mm_struct *mm = mirror->chain->mn.mm;
	struct past *past;

	if (arg->kind >= SECMMU_TEST_KINDS || arg->start >= arg->end)
		return -EINVAL;
	if (!mmget_not_zero(mm))
		return -ESRCH;
	past = past_create(mm, arg);
	mmput(mm);
	if (IS_ERR(past))
		return PTR_ERR(past);
	arg->fd = anon_inode_getfd("[secmmu-past]", &past_fops, past,
				   O_RDWR | O_CLOEXEC);
	if (arg->fd >= 0)
		return 0;
	past_end(past);
	return arg->fd;
}
