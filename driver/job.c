// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "engine.h"
#include "job.h"
#include "test/inject.h"

/**
 * struct secmmu_job - the job of an engine
 * @engine: the engine
 * @work: what the kernel thread runs
 * @lock: serialises those who start jobs or wait for them
 * @wait: for @running to become false
 * @running: the rest belongs to the thread
 * @file: keeps the engine and this driver while the job runs
 * @mm: the caller's memory; the mm_struct is pinned, not the memory
 * @arg: what to do
 * @done: bytes done
 * @err: what ended it
 */
struct secmmu_job {
	struct secmmu_engine *engine;
	struct work_struct work;
	struct mutex lock;
	wait_queue_head_t wait;
	bool running;
	struct file *file;
	struct mm_struct *mm;
	struct secmmu_start_job arg;
	u64 done;
	int err;
};

static struct workqueue_struct *threads;

/**
 * secmmu_jobs_init - at load
 *
 * Return: 0 or -ENOMEM.
 */
int secmmu_jobs_init(void)
{
	threads = alloc_workqueue("secmmu", WQ_UNBOUND, 0);
	return threads ? 0 : -ENOMEM;
}

/**
 * secmmu_jobs_exit - at unload; jobs have ended, their threads may not have returned
 */
void secmmu_jobs_exit(void)
{
	destroy_workqueue(threads);
}

/* Copy a piece between the bounce buffer and the caller's memory. */
static int copy_piece(struct secmmu_job *job, void *bounce, unsigned int len,
		      bool from_user)
{
	void __user *data = u64_to_user_ptr(job->arg.data + job->done);
	unsigned long left;

	if (!mmget_not_zero(job->mm))
		return -ESRCH;
	kthread_use_mm(job->mm);
	left = from_user ? secmmu_may_fault(copy_from_user(bounce, data, len), len) :
			   secmmu_may_fault(copy_to_user(data, bounce, len), len);
	kthread_unuse_mm(job->mm);
	/* Not here: the last user takes all of the memory down. */
	mmput_async(job->mm);
	return left ? -EFAULT : 0;
}

static int do_piece(struct secmmu_job *job, unsigned int len)
{
	bool write = job->arg.flags & SECMMU_JOB_WRITE;
	struct secmmu_move move = {
		.gpa = job->arg.gpa,
		.done = job->done,
		.left = job->arg.length - job->done,
		.len = job->arg.data ? len : 0,
		.write = write,
	};
	void *bounce = job->engine->bounce + secmmu_move_offset(&move);
	int err = 0;

	if (write && move.len)
		err = copy_piece(job, bounce, len, true);
	if (!err)
		err = secmmu_engine_move(job->engine, &move);
	if (!err && !write && move.len)
		err = copy_piece(job, bounce, len, false);
	return err;
}

static void do_job(struct work_struct *work)
{
	struct secmmu_job *job = container_of(work, struct secmmu_job, work);
	struct file *file = job->file;

	while (job->done < job->arg.length && !job->err) {
		u64 gpa = job->arg.gpa + job->done;
		unsigned int len = min_t(u64, PAGE_SIZE - offset_in_page(gpa),
					 job->arg.length - job->done);

		/* Between pieces it may be attached elsewhere. */
		mutex_lock(&job->engine->lock);
		job->err = do_piece(job, len);
		mutex_unlock(&job->engine->lock);
		if (!job->err)
			job->done += len;
		/* If only the job itself keeps the file, nobody wants the result. */
		if (file_count(file) == 1)
			break;
		cond_resched();
	}
	mmdrop(job->mm);
	/* Whoever sees this sees the result. */
	smp_store_release(&job->running, false);
	wake_up(&job->wait);
	/* The job may go with it. */
	fput(file);
}

/**
 * secmmu_job_create - let an engine have jobs
 * @engine: the engine
 *
 * Return: its job, or NULL if there is no memory.
 */
struct secmmu_job *secmmu_job_create(struct secmmu_engine *engine)
{
	struct secmmu_job *job;

	job = secmmu_may_fail(kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT), NULL);
	if (!job)
		return NULL;
	job->engine = engine;
	INIT_WORK(&job->work, do_job);
	mutex_init(&job->lock);
	init_waitqueue_head(&job->wait);
	return job;
}

/**
 * secmmu_job_free - free the job of an engine
 * @job: the job, which does not run; or NULL
 */
void secmmu_job_free(struct secmmu_job *job)
{
	if (!job)
		return;
	mutex_destroy(&job->lock);
	kfree(job);
}

/* Until no job runs; the lock is held. */
static int wait_idle(struct secmmu_job *job)
{
	/* Pairs with the release in do_job(). */
	return wait_event_interruptible(job->wait, !smp_load_acquire(&job->running)) ?
	       -EINTR : 0;
}

/**
 * secmmu_job_start - start a job, after the one that runs
 * @job: the job of the engine
 * @file: the engine's file
 * @arg: as the user gave it, checked
 *
 * Context: process; may sleep.
 * Return: 0 or -EINTR.
 */
int secmmu_job_start(struct secmmu_job *job, struct file *file,
		     const struct secmmu_start_job *arg)
{
	int err;

	if (mutex_lock_interruptible(&job->lock))
		return -EINTR;
	err = wait_idle(job);
	if (!err) {
		job->running = true;
		job->arg = *arg;
		job->done = 0;
		job->err = 0;
		job->file = get_file(file);
		job->mm = current->mm;
		mmgrab(job->mm);
		queue_work(threads, &job->work);
	}
	mutex_unlock(&job->lock);
	return err;
}

/**
 * secmmu_job_wait - wait until no job runs, and say what the latest came to
 * @job: the job of the engine
 * @arg: filled in, but for the size
 *
 * Context: process; may sleep.
 * Return: 0 or -EINTR.
 */
int secmmu_job_wait(struct secmmu_job *job, struct secmmu_wait_job *arg)
{
	int err;

	if (mutex_lock_interruptible(&job->lock))
		return -EINTR;
	err = wait_idle(job);
	if (!err) {
		arg->error = -job->err;
		arg->done = job->done;
	}
	mutex_unlock(&job->lock);
	return err;
}
