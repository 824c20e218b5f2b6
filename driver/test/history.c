// SPDX-License-Identifier: GPL-2.0
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "../compat/gup.h"
#include "../host.h"
#include "../mirror.h"
#include "../trace.h"
#include "../walk.h"
#include "history.h"

/**
 * struct past - one subscriber, behind a descriptor
 * @mirror: the mirror that it was made with; a reference. XPMEM flushes its engines
 * @member: its seat in the chain; one span
 * @span: all it looks at
 * @kind: SECMMU_TEST_GRU, ...
 * @lock: protects what follows; nothing nests inside but the queue's lock
 * @wait: GRU: faults that wait
 * @active: GRU: begins minus ends
 * @lowest: GRU: the lowest that @active has been
 * @begins: events begun
 * @ends: events ended
 * @present: it has a translation
 * @young: EMM: it has used that
 * @held: XPMEM: pages that it refers to
 * @page: XPMEM: these pages, one entry for each page of @span
 */
struct past {
	struct secmmu_mirror *mirror;
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
	u32 held;
	struct page **page;
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

static struct page **xpmem_entry(struct past *past, unsigned long address)
{
	return &past->page[(address >> PAGE_SHIFT) - (past->span.by_hva.start >> PAGE_SHIFT)];
}

static void xpmem_flush(struct past *past, struct page **array, unsigned int nr)
{
	if (nr)
		secmmu_flush(&past->mirror->tlbs, nr);
	past->held -= nr;
	while (nr)
		put_page(array[--nr]);
}

/* Gather the pages of a range in an array; flush when it is full, then let them go. */
static void xpmem_let_go(struct past *past, unsigned long start, unsigned long last)
{
	struct page **at = xpmem_entry(past, max(start, past->span.by_hva.start));
	struct page **end = xpmem_entry(past, min(last, past->span.by_hva.last)) + 1;
	struct page *array[SECMMU_TEST_PAST_BATCH];
	unsigned int nr = 0;

	for (; at < end; at++) {
		if (!*at)
			continue;
		array[nr++] = *at;
		*at = NULL;
		if (nr == ARRAY_SIZE(array)) {
			xpmem_flush(past, array, nr);
			nr = 0;
		}
	}
	xpmem_flush(past, array, nr);
}

enum emm_code { EMM_BEGIN, EMM_REFERENCED, EMM_AGE };

static bool emm_callback(struct past *past, enum emm_code code)
{
	bool young = past->young;

	if (code == EMM_BEGIN)
		past->present = false;
	if (code == EMM_BEGIN || code == EMM_AGE)
		past->young = false;
	return young;
}

/* Callback: see secmmu_member_ops. */
static void past_note_begin(struct secmmu_member *member, struct secmmu_walk *walk)
{
	struct past *past = to_past(member);

	spin_lock(&past->lock);
	past->begins++;
	if (past->kind == SECMMU_TEST_GRU)
		gru_event(past, false);
	else if (past->kind == SECMMU_TEST_EMM)
		emm_callback(past, EMM_BEGIN);
	spin_unlock(&past->lock);
}

/* Probe of a tracepoint: no member of a chain is told that an event ends. */
static void past_note_end(void *data, const void *chain, unsigned long start,
			  unsigned long end)
{
	struct past *past = data;

	if (chain != past->member.chain || start > past->span.by_hva.last ||
	    end <= past->span.by_hva.start)
		return;
	spin_lock(&past->lock);
	past->ends++;
	if (past->kind == SECMMU_TEST_GRU)
		gru_event(past, true);
	else if (past->kind == SECMMU_TEST_XPMEM)
		xpmem_let_go(past, start, end - 1);
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
	struct past *past = to_past(member);

	spin_lock(&past->lock);
	past->present = false;
	xpmem_let_go(past, 0, ULONG_MAX);
	spin_unlock(&past->lock);
}

static const struct secmmu_member_ops past_ops = {
	.invalidate = past_note_begin,
	.age = past_age,
	.release = past_release,
};

static long gru_fault(struct past *past)
{
	if (wait_event_interruptible(past->wait, READ_ONCE(past->active) <= 0))
		return -EINTR;
	spin_lock(&past->lock);
	past->present = past->active <= 0;
	spin_unlock(&past->lock);
	return 0;
}

static long xpmem_fault(struct past *past, unsigned long address)
{
	struct mm_struct *mm = past->member.chain->mn.mm;
	struct page *page, **entry;
	int locked = 1;
	long got;

	if (address < past->span.by_hva.start || address > past->span.by_hva.last)
		return -EFAULT;
	got = secmmu_host_lock(mm);
	if (got)
		return got;
	got = secmmu_get_user_pages_remote(mm, address, 1, 0, &page, &locked);
	secmmu_host_unlock(mm, locked);
	if (got != 1)
		return -EFAULT;
	entry = xpmem_entry(past, address);
	spin_lock(&past->lock);
	if (!*entry) {
		past->held++;
		swap(*entry, page);
	}
	spin_unlock(&past->lock);
	if (page)
		put_page(page);
	return 0;
}

/* Get translations, however this kind does it. */
static long past_fault(struct past *past, const struct secmmu_test_past *arg)
{
	long ret = 0;
	u32 i;

	if (past->kind != SECMMU_TEST_XPMEM)
		return gru_fault(past);
	for (i = 0; i < arg->pages && !ret; i++)
		ret = xpmem_fault(past, arg->address + i * PAGE_SIZE);
	return ret;
}

static void past_state(struct past *past, struct secmmu_test_past *arg)
{
	spin_lock(&past->lock);
	arg->active = past->active;
	arg->lowest = past->lowest;
	arg->begins = past->begins;
	arg->ends = past->ends;
	arg->present = past->present;
	arg->young = past->young;
	arg->held = past->held;
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
		ret = past_fault(past, &arg);
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

static void past_destroy(struct past *past)
{
	secmmu_chain_leave(&past->member);
	unregister_trace_secmmu_event_end(past_note_end, past);
	tracepoint_synchronize_unregister();
	/* Looks may still pass by the member: see secmmu_chain_leave(). */
	synchronize_rcu();
	past_release(&past->member);
	secmmu_mirror_put(past->mirror);
	kvfree(past->page);
	kfree(past);
}

static int past_close(struct inode *inode, struct file *file)
{
	past_destroy(file->private_data);
	return 0;
}

static const struct file_operations past_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = past_ioctl,
	.release = past_close,
};

/* A subscriber that has joined. */
static struct past *past_create(struct secmmu_mirror *mirror,
				const struct secmmu_test_subscribe *arg)
{
	struct past *past = kzalloc(sizeof(*past), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!past)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&past->lock);
	init_waitqueue_head(&past->wait);
	past->mirror = mirror;
	past->kind = arg->kind;
	past->span.by_hva.start = arg->start;
	past->span.by_hva.last = arg->end - 1;
	past->page = kvcalloc(((arg->end - 1) >> PAGE_SHIFT) - (arg->start >> PAGE_SHIFT) + 1,
			      sizeof(*past->page), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (past->page)
		err = register_trace_secmmu_event_end(past_note_end, past);
	if (err) {
		kvfree(past->page);
		kfree(past);
		return ERR_PTR(err);
	}
	secmmu_mirror_get(mirror);
	secmmu_chain_join(mirror->chain, &past->member, &past_ops);
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
	struct past *past;

	if (arg->kind >= SECMMU_TEST_KINDS || arg->start >= arg->end)
		return -EINVAL;
	past = past_create(mirror, arg);
	if (IS_ERR(past))
		return PTR_ERR(past);
	arg->fd = anon_inode_getfd("[secmmu-past]", &past_fops, past,
				   O_RDWR | O_CLOEXEC);
	if (arg->fd >= 0)
		return 0;
	past_destroy(past);
	return arg->fd;
}
