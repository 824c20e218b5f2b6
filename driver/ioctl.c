// SPDX-License-Identifier: GPL-2.0
/*
 * The user interface: one table of calls for each kind of descriptor. Handlers
 * check what they were given and call the mechanism, which lives elsewhere.
 */
#include <linux/anon_inodes.h>
#include <linux/build_bug.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "compat/trace_right.h"
#include "debugfs.h"
#include "dirty.h"
#include "engine.h"
#include "fault.h"
#include "ioctl.h"
#include "mirror.h"
#include "test/control.h"
#include "test/inject.h"

union argument {
	u32 size;
	struct secmmu_info info;
	struct secmmu_create_mirror create_mirror;
	struct secmmu_set_slot set_slot;
	struct secmmu_create_engine create_engine;
	struct secmmu_stats stats;
	struct secmmu_prefault prefault;
	struct secmmu_get_dirty_log get_dirty_log;
};

/**
 * struct call - one ioctl
 * @cmd: its number
 * @min_size: size of the structure's first version, in bytes
 * @size: size of the structure as the driver knows it
 * @answers: the structure is copied back
 * @handler: gets the mirror (NULL on the device) and the structure
 */
struct call {
	unsigned int cmd;
	u32 min_size;
	u32 size;
	bool answers;
	long (*handler)(struct secmmu_mirror *mirror, union argument *arg);
};

static long get_info(struct secmmu_mirror *mirror, union argument *arg)
{
	arg->info.abi_version = SECMMU_ABI_VERSION;
	arg->info.features = IS_ENABLED(CONFIG_SECMMU_TEST) ?
			     SECMMU_FEATURE_TEST : 0;
	arg->info.max_slots = SECMMU_MAX_SLOTS;
	arg->info.max_flush_batch = SECMMU_MAX_FLUSH_BATCH;
	arg->info.gpa_bits = SECMMU_GPA_BITS;
	arg->info.page_shift = PAGE_SHIFT;
	return 0;
}

/* The number of dropped entries that makes a flush due; zero: bad policy. */
static unsigned int flush_batch(const struct secmmu_create_mirror *arg)
{
	if (arg->flush_policy == SECMMU_FLUSH_ARRAY ||
	    arg->flush_policy == SECMMU_FLUSH_END_ARRAY)
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

/* The mm of a task that the caller may mirror, as one of its users. */
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
		/* Asked of this mm: the task may execute another program. */
		err = secmmu_trace_right(task, mm);
		if (err)
			mmput(mm);
	} while (err == -EAGAIN);
	return err ? ERR_PTR(err) : mm;
}

/* ... of a process, by its number; zero is the caller. */
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

static long create_mirror(struct secmmu_mirror *none, union argument *arg)
{
	struct secmmu_create_mirror *create = &arg->create_mirror;
	unsigned int batch = flush_batch(create);
	bool hold = create->flush_policy == SECMMU_FLUSH_END_ARRAY;
	struct secmmu_mirror *mirror;
	struct mm_struct *mm;
	int fd;

	if (create->flags || create->reserved || create->pid < 0 || !batch)
		return -EINVAL;
	if (hold && !IS_ENABLED(CONFIG_SECMMU_TEST))
		return -EOPNOTSUPP;
	mm = get_mm(create->pid);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	mirror = secmmu_mirror_create(mm, batch, hold);
	mmput(mm);
	if (IS_ERR(mirror))
		return PTR_ERR(mirror);
	secmmu_debugfs_add(mirror);
	fd = secmmu_may_fail(anon_inode_getfd("[secmmu-mirror]", &mirror_fops, mirror,
					      O_RDWR | O_CLOEXEC), -ENOMEM);
	if (fd < 0)
		secmmu_mirror_put(mirror);
	return fd;
}

static long set_slot(struct secmmu_mirror *mirror, union argument *arg)
{
	if (!secmmu_mirror_owned(mirror))
		return -EPERM;
	if (arg->set_slot.reserved)
		return -EINVAL;
	return secmmu_slot_set(&mirror->slots, &arg->set_slot);
}

static long create_engine(struct secmmu_mirror *mirror, union argument *arg)
{
	if (!secmmu_mirror_owned(mirror))
		return -EPERM;
	if (arg->create_engine.flags & ~SECMMU_ENGINE_FAULT_AROUND)
		return -EINVAL;
	return secmmu_engine_open(mirror, arg->create_engine.flags);
}

static long get_stats(struct secmmu_mirror *mirror, union argument *arg)
{
	if (arg->stats.reserved)
		return -EINVAL;
	secmmu_mirror_stats(mirror, &arg->stats);
	return 0;
}

static long prefault(struct secmmu_mirror *mirror, union argument *arg)
{
	struct secmmu_prefault *range = &arg->prefault;
	gfn_t gfn = range->gpa >> PAGE_SHIFT;
	u64 pages = range->length >> PAGE_SHIFT, last;
	int err;

	if (range->flags & ~SECMMU_PREFAULT_WRITE || !range->length ||
	    !PAGE_ALIGNED(range->gpa) || !PAGE_ALIGNED(range->length) ||
	    check_add_overflow(range->gpa, range->length - 1, &last) ||
	    last >> SECMMU_GPA_BITS)
		return -EINVAL;
	err = secmmu_prefault(mirror, &gfn, &pages,
			      range->flags ? SECMMU_FAULT_WRITE : 0);
	range->gpa = gfn << PAGE_SHIFT;
	range->length = pages << PAGE_SHIFT;
	return err;
}

static long get_dirty_log(struct secmmu_mirror *mirror, union argument *arg)
{
	if (!secmmu_mirror_owned(mirror))
		return -EPERM;
	return secmmu_dirty_log(&mirror->slots, &arg->get_dirty_log);
}

#define CALL(number, type, last, handles, out) {			\
	.cmd = number,							\
	.min_size = offsetofend(struct type, last),			\
	.size = sizeof(struct type),					\
	.answers = out,							\
	.handler = handles,						\
}

static const struct call device_calls[] = {
	CALL(SECMMU_GET_INFO, secmmu_info, page_shift, get_info, true),
	CALL(SECMMU_CREATE_MIRROR, secmmu_create_mirror, reserved,
	     create_mirror, false),
};

static const struct call mirror_calls[] = {
	CALL(SECMMU_SET_SLOT, secmmu_set_slot, length, set_slot, false),
	CALL(SECMMU_CREATE_ENGINE, secmmu_create_engine, flags, create_engine,
	     false),
	CALL(SECMMU_GET_STATS, secmmu_stats, unsplit, get_stats, true),
	CALL(SECMMU_PREFAULT, secmmu_prefault, length, prefault, true),
	CALL(SECMMU_GET_DIRTY_LOG, secmmu_get_dirty_log, bitmap, get_dirty_log,
	     false),
};

static long dispatch(const struct call *calls, unsigned int nr,
		     struct secmmu_mirror *mirror, unsigned int cmd,
		     void __user *user)
{
	const struct call *call = calls;
	union argument arg;
	u32 size;
	long ret;

	while (call < calls + nr && call->cmd != cmd)
		call++;
	if (call == calls + nr)
		return secmmu_test_call(mirror, cmd, user);

	if (secmmu_may_fault(get_user(size, (u32 __user *)user), -EFAULT))
		return -EFAULT;
	if (size < call->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	memset(&arg, 0, sizeof(arg));
	ret = secmmu_may_fault(copy_struct_from_user(&arg, call->size, user, size),
			       -EFAULT);
	if (ret)
		return ret;
	arg.size = size;

	ret = call->handler(mirror, &arg);
	if (ret >= 0 && call->answers &&
	    secmmu_may_fault(copy_to_user(user, &arg, min(size, call->size)), 1))
		return -EFAULT;
	return ret;
}

static long mirror_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dispatch(mirror_calls, ARRAY_SIZE(mirror_calls),
			file->private_data, cmd, (void __user *)arg);
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

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return dispatch(device_calls, ARRAY_SIZE(device_calls), NULL, cmd,
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

/* The layout is fixed: no padding that a compiler could choose. */
static void check_abi(void)
{
	BUILD_BUG_ON(sizeof(struct secmmu_info) != 32);
	BUILD_BUG_ON(sizeof(struct secmmu_create_mirror) != 24);
	BUILD_BUG_ON(sizeof(struct secmmu_set_slot) != 40);
	BUILD_BUG_ON(sizeof(struct secmmu_create_engine) != 8);
	BUILD_BUG_ON(sizeof(struct secmmu_stats) != 192);
	BUILD_BUG_ON(sizeof(struct secmmu_prefault) != 24);
	BUILD_BUG_ON(sizeof(struct secmmu_get_dirty_log) != 32);
}

/**
 * secmmu_device_register - let users in
 *
 * Return: 0 or a negative errno.
 */
int secmmu_device_register(void)
{
	check_abi();
	return misc_register(&device);
}

/**
 * secmmu_device_unregister - let nobody in any more; no descriptor is open
 */
void secmmu_device_unregister(void)
{
	misc_deregister(&device);
}
