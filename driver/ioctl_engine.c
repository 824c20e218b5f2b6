// SPDX-License-Identifier: GPL-2.0
/*
 * The descriptor of an engine: a file whose offsets are guest physical addresses, and
 * its calls.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "call.h"
#include "engine.h"
#include "ioctl.h"
#include "job.h"
#include "worker.h"

static long set_rights(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_engine *engine = file->private_data;

	WRITE_ONCE(engine->rights, arg->rights.rights);
	return 0;
}

static long get_rights(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_engine *engine = file->private_data;

	arg->rights.rights = READ_ONCE(engine->rights);
	return 0;
}

static long enter_domain(struct file *file, union secmmu_argument *arg)
{
	if (arg->domain.domain >= SECMMU_MAX_DOMAINS)
		return -EINVAL;
	return secmmu_engine_enter(file->private_data, arg->domain.domain);
}

static long attach_engine(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_mirror *mirror;
	int err;

	if (arg->attach.reserved || arg->attach.domain >= SECMMU_MAX_DOMAINS)
		return -EINVAL;
	mirror = secmmu_mirror_from_fd(arg->attach.mirror);
	if (IS_ERR(mirror))
		return PTR_ERR(mirror);
	err = secmmu_mirror_owned(mirror) ?
	      secmmu_engine_attach(file->private_data, mirror, arg->attach.domain) :
	      -EPERM;
	secmmu_mirror_put(mirror);
	return err;
}

static long detach_engine(struct file *file, union secmmu_argument *arg)
{
	if (arg->detach.flags)
		return -EINVAL;
	return secmmu_engine_detach(file->private_data);
}

static long start_job(struct file *file, union secmmu_argument *arg)
{
	const struct secmmu_start_job *start = &arg->start_job;
	struct secmmu_engine *engine = file->private_data;

	if (!engine->job || start->flags & ~SECMMU_JOB_WRITE || !start->length ||
	    start->gpa > S64_MAX || start->length > S64_MAX - start->gpa)
		return -EINVAL;
	return secmmu_worker_start(engine->job, start);
}

static long wait_job(struct file *file, union secmmu_argument *arg)
{
	struct secmmu_engine *engine = file->private_data;

	if (!engine->job)
		return -EINVAL;
	return secmmu_job_wait(engine->job, &arg->wait_job);
}

static const struct secmmu_call engine_calls[] = {
	SECMMU_CALL(SECMMU_SET_RIGHTS, secmmu_rights, rights, set_rights, 0),
	SECMMU_CALL(SECMMU_GET_RIGHTS, secmmu_rights, rights, get_rights, CALL_ANSWERS),
	SECMMU_CALL(SECMMU_ENTER_DOMAIN, secmmu_domain, domain, enter_domain, 0),
	SECMMU_CALL(SECMMU_ATTACH, secmmu_attach, reserved, attach_engine, 0),
	SECMMU_CALL(SECMMU_DETACH, secmmu_detach, flags, detach_engine, 0),
	SECMMU_CALL(SECMMU_START_JOB, secmmu_start_job, data, start_job, 0),
	SECMMU_CALL(SECMMU_WAIT_JOB, secmmu_wait_job, done, wait_job, CALL_ANSWERS),
};

static long engine_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return secmmu_call(engine_calls, ARRAY_SIZE(engine_calls), file, cmd,
			   (void __user *)arg);
}

static ssize_t transfer_iter(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	struct secmmu_engine *engine = iocb->ki_filp->private_data;

	if (engine->job)
		return -EINVAL;
	return secmmu_engine_transfer(engine, &iocb->ki_pos, iter, write);
}

static ssize_t engine_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return transfer_iter(iocb, to, false);
}

static ssize_t engine_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return transfer_iter(iocb, from, true);
}

/*
 * A position is an address, with a tag or without. SEEK_END counts from the end of the
 * addresses, which with 15 tag bits is also address 0 with another tag.
 */
static loff_t engine_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE,
					BIT_ULL(SECMMU_GPA_BITS));
}

/*
 * A process whose last thread exits abandons the job that it has started, even if other
 * processes have the engine too.
 */
static int engine_flush(struct file *file, fl_owner_t owner)
{
	struct secmmu_engine *engine = file->private_data;

	if (engine->job && !atomic_read(&current->signal->live))
		secmmu_job_abandon(engine->job, task_tgid(current));
	return 0;
}

static int engine_release(struct inode *inode, struct file *file)
{
	struct secmmu_engine *engine = file->private_data;

	if (engine->job)
		secmmu_job_abandon(engine->job, NULL);
	secmmu_engine_put(engine);
	return 0;
}

static const struct file_operations engine_fops = {
	.owner = THIS_MODULE,
	.read_iter = engine_read_iter,
	.write_iter = engine_write_iter,
	.llseek = engine_llseek,
	.unlocked_ioctl = engine_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.flush = engine_flush,
	.release = engine_release,
};

/**
 * secmmu_engine_open - create an engine and a descriptor for it
 * @mirror: the mirror
 * @flags: SECMMU_ENGINE_*, checked
 *
 * Context: may sleep; no locks.
 * Return: the descriptor, or a negative errno.
 */
int secmmu_engine_open(struct secmmu_mirror *mirror, u32 flags)
{
	struct secmmu_engine *engine = secmmu_engine_create(mirror, flags);
	struct file *file;
	int fd;

	if (!engine)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		secmmu_engine_put(engine);
		return fd;
	}
	file = anon_inode_getfile("[secmmu-engine]", &engine_fops, engine, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		secmmu_engine_put(engine);
		return PTR_ERR(file);
	}
	if (!engine->job)
		secmmu_freeze_tag_bits(mirror);
	/* The offset is an address. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	fd_install(fd, file);
	return fd;
}
