// SPDX-License-Identifier: GPL-2.0
/*
 * The user interface: one table of calls for each kind of descriptor. Handlers check
 * their argument and call the mechanism, which lives elsewhere.
 */
#include <linux/anon_inodes.h>
#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "call.h"
#include "compat/trace_right.h"
#include "debugfs.h"
#include "dirty.h"
#include "fault.h"
#include "ioctl.h"
#include "refiller.h"
#include "space.h"
#include "tag.h"

static long get_info(struct file *file, union secmmu_argument *arg)
{
	arg->info.abi_version = SECMMU_ABI_VERSION;
	arg->info.features = SECMMU_TEST_FEATURES;
	arg->info.max_slots = SECMMU_MAX_SLOTS;
	arg->info.max_flush_batch = SECMMU_MAX_FLUSH_BATCH;
	arg->info.gpa_bits = SECMMU_GPA_BITS;
	arg->info.page_shift = PAGE_SHIFT;
	arg->info.max_domains = SECMMU_MAX_DOMAINS;
	arg->info.max_keys = SECMMU_MAX_KEYS;
	return 0;
}

/* The number of dropped entries that makes a flush due; zero if the policy is invalid. */
static unsigned int flush_batch(const struct secmmu_create_mirror *arg)
{
	if (arg->flush_policy == SECMMU_FLUSH_ARRAY)
		return arg->flush_batch <= SECMMU_MAX_FLUSH_BATCH ?
		       arg->flush_batch : 0;
	if (arg->flush_batch)
		return 0;
	switch (arg->flush_policy) {
	case SECMMU_FLUSH_RANGE:
		return UINT_MAX;
	case SECMMU_FLUSH_EACH:
		return 1;
	default:
		return 0;
	}
}

static const struct file_operations mirror_fops;

/* Become a user of the mm of a task, if the caller may mirror it. */
static struct mm_struct *get_mm_of(struct task_struct *task)
{
	struct mm_struct *mm;
	int err;

	do {
		mm = get_task_mm(task);
		if (!mm)
			return ERR_PTR(-ESRCH);
		if (mm == current->mm)
			return mm;
		/* Check this mm: the task may execute another program meanwhile. */
		err = secmmu_trace_right(task, mm);
		if (err)
			mmput(mm);
	} while (err == -EAGAIN);
	return err ? ERR_PTR(err) : mm;
}

/* Become a user of the mm of process @nr; zero is the caller. */
static struct mm_struct *get_mm(pid_t nr)
{
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *pid;

	if (!nr) {
		mmget(current->mm);
		return current->mm;
	}
	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return ERR_PTR(-ESRCH);
	mm = get_mm_of(task);
	put_task_struct(task);
	return mm;
}

static long create_mirror(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_create_mirror *create = &arg->create_mirror;
	unsigned int batch = flush_batch(create);
	struct secmmu_mirror *mirror;
	struct mm_struct *mm;
	int fd;

	if (create->flags & ~SECMMU_MIRROR_REFILL || create->pid < 0 || !batch ||
	    !secmmu_tag_bits_valid(create->tag_bits))
		return -EINVAL;
	mm = get_mm(create->pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	mirror = secmmu_mirror_create(mm, batch);
	mmput(mm);
	if (IS_ERR(mirror))
		return PTR_ERR(mirror);
	secmmu_set_tag_bits(mirror, create->tag_bits);
	if (create->flags & SECMMU_MIRROR_REFILL)
		secmmu_refiller_start(mirror);
	secmmu_debugfs_add(mirror);
	fd = anon_inode_getfd("[secmmu-mirror]", &mirror_fops, mirror,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0)
		secmmu_mirror_put(mirror);
	return fd;
}

static long set_slot(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	if (arg->set_slot.length &&
	    !secmmu_key_allocated(&mirror->keys, arg->set_slot.key))
		return -EINVAL;
	return secmmu_slot_set(&mirror->slots, &arg->set_slot);
}

static long create_engine(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	if (arg->create_engine.flags & ~(SECMMU_ENGINE_FAULT_AROUND |
					 SECMMU_ENGINE_LEAVE_DOMAIN |
					 SECMMU_ENGINE_BACKGROUND |
					 SECMMU_ENGINE_NOFAULT))
		return -EINVAL;
	return secmmu_engine_open(mirror, arg->create_engine.flags);
}

static long get_stats(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	if (arg->stats.reserved)
		return -EINVAL;
	secmmu_mirror_stats(mirror, &arg->stats);
	return 0;
}

static long prefault_range(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;
	struct secmmu_prefault *range = &arg->prefault;
	struct secmmu_access access = {
		.domain = range->domain,
		.flags = range->flags ? SECMMU_FAULT_WRITE : 0,
	};
	gfn_t gfn = range->gpa >> PAGE_SHIFT;
	u64 pages = range->length >> PAGE_SHIFT, last;
	int err;

	if (range->flags & ~SECMMU_PREFAULT_WRITE || !range->length ||
	    !PAGE_ALIGNED(range->gpa) || !PAGE_ALIGNED(range->length) ||
	    check_add_overflow(range->gpa, range->length - 1, &last) ||
	    last >> SECMMU_GPA_BITS || range->domain >= SECMMU_MAX_DOMAINS ||
	    range->reserved)
		return -EINVAL;
	if (!secmmu_root(&mirror->roots, range->domain))
		return -ENXIO;
	err = secmmu_prefault(mirror, &gfn, &pages, &access);
	if (err == -EXDEV)
		err = -EACCES;
	range->gpa = gfn << PAGE_SHIFT;
	range->length = pages << PAGE_SHIFT;
	return err;
}

static long get_dirty_log(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	return secmmu_dirty_log(&mirror->slots, &arg->get_dirty_log);
}

static long set_tag_bits(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	return secmmu_set_tag_bits(mirror, arg->set_tag_bits.tag_bits);
}

static long alloc_key(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	return arg->key.key ? -EINVAL : secmmu_key_alloc(&mirror->keys);
}

static long free_key(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	return secmmu_key_free(&mirror->keys, arg->key.key);
}

static long create_domain(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror = file->private_data;

	if (!arg->domain.domain || arg->domain.domain >= SECMMU_MAX_DOMAINS)
		return -EINVAL;
	return secmmu_domain_create(&mirror->roots, mirror->chain, arg->domain.domain);
}

static const struct secmmu_call device_calls[] = {
	SECMMU_CALL(SECMMU_GET_INFO, secmmu_info, max_keys, get_info, CALL_ANSWERS),
	SECMMU_CALL(SECMMU_CREATE_MIRROR, secmmu_create_mirror, tag_bits,
		    create_mirror, 0),
};

static const struct secmmu_call mirror_calls[] = {
	SECMMU_CALL(SECMMU_SET_SLOT, secmmu_set_slot, length, set_slot, CALL_OWNER),
	SECMMU_CALL(SECMMU_CREATE_ENGINE, secmmu_create_engine, flags,
		    create_engine, CALL_OWNER),
	SECMMU_CALL(SECMMU_GET_STATS, secmmu_stats, left, get_stats, CALL_ANSWERS),
	SECMMU_CALL(SECMMU_PREFAULT, secmmu_prefault, reserved,
		    prefault_range, CALL_ANSWERS),
	SECMMU_CALL(SECMMU_GET_DIRTY_LOG, secmmu_get_dirty_log, bitmap,
		    get_dirty_log, CALL_OWNER),
	SECMMU_CALL(SECMMU_SET_TAG_BITS, secmmu_set_tag_bits, tag_bits,
		    set_tag_bits, CALL_OWNER),
	SECMMU_CALL(SECMMU_KEY_ALLOC, secmmu_key, key, alloc_key, CALL_OWNER),
	SECMMU_CALL(SECMMU_KEY_FREE, secmmu_key, key, free_key, CALL_OWNER),
	SECMMU_CALL(SECMMU_CREATE_DOMAIN, secmmu_domain, domain,
		    create_domain, CALL_OWNER),
};

static long mirror_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return secmmu_call(mirror_calls, ARRAY_SIZE(mirror_calls), file, cmd,
			   (void __user *)arg);
}

static int mirror_release(struct inode *inode, struct file *file)
{
	secmmu_mirror_put(file->private_data);
	return 0;
}

static const struct file_operations mirror_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = mirror_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = mirror_release,
};

/**
 * secmmu_mirror_from_file - get the mirror of an open file
 * @file: the file
 *
 * Return: the mirror, valid as long as the file is open, or NULL if it is no mirror's.
 */
struct secmmu_mirror *secmmu_mirror_from_file(struct file *file)
{
	return file->f_op == &mirror_fops ? file->private_data : NULL;
}

/**
 * secmmu_mirror_from_fd - get the mirror of a descriptor
 * @fd: the descriptor
 *
 * Return: the mirror with a reference, or -EBADF as an error pointer.
 */
struct secmmu_mirror *secmmu_mirror_from_fd(int fd)
{
	struct file *file = fget(fd);
	struct secmmu_mirror *mirror;

	if (!file)
		return ERR_PTR(-EBADF);
	mirror = secmmu_mirror_from_file(file);
	if (mirror)
		secmmu_mirror_get(mirror);
	fput(file);
	return mirror ?: ERR_PTR(-EBADF);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return secmmu_call(device_calls, ARRAY_SIZE(device_calls), file, cmd,
			   (void __user *)arg);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "secmmu",
	.fops = &device_fops,
};

/* The layout is fixed: no padding that a compiler may choose. */
static void check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct secmmu_info) != 40);
	BUILD_BUG_ON(sizeof(struct secmmu_create_mirror) != 24);
	BUILD_BUG_ON(sizeof(struct secmmu_set_slot) != 40);
	BUILD_BUG_ON(sizeof(struct secmmu_create_engine) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_stats) != 216);
	BUILD_BUG_ON(sizeof(struct secmmu_prefault) != 32);
	BUILD_BUG_ON(sizeof(struct secmmu_get_dirty_log) != 32);
	BUILD_BUG_ON(sizeof(struct secmmu_set_tag_bits) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_key) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_rights) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_domain) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_attach) != 16);
	BUILD_BUG_ON(sizeof(struct secmmu_detach) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_start_job) != 32);
	BUILD_BUG_ON(sizeof(struct secmmu_wait_job) != 16);
}

/**
 * secmmu_device_register - create the device
 *
 * Return: 0 or a negative errno.
 */
int secmmu_device_register(void)
{
	check_abi();
	return misc_register(&device);
}

/**
 * secmmu_device_unregister - remove the device; no descriptor is open
 */
void secmmu_device_unregister(void)
{
	misc_deregister(&device);
}
