// SPDX-License-Identifier: GPL-2.0
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "engine.h"
#include "job.h"

/**
 * struct secmmu_job - the job of an engine
 * @engine: the engine
 * @lock: serialises those who start jobs or wait for them
 * @wait: for @running to become false
 * @running: what follows @abandoned belongs to the thread
 * @thread_lock: protects @thread and @starter, and setting @abandoned; the thread's
 *	siglock nests inside
 * @thread: the thread of the latest job, with a reference, or NULL
 * @starter: the process that started it, with a reference
 * @abandoned: nobody wants the result
 * @mm: the caller's memory; the mm_struct is pinned, not the memory
 * @memcg: the caller's cgroup, to which the thread's allocations are charged
 * @arg: what to do
 * @done: bytes done
 * @err: what ended it
 */
struct secmmu_job {
	struct secmmu_engine *engine;
	struct mutex lock;
	wait_queue_head_t wait;
	bool running;
	spinlock_t thread_lock;
	struct task_struct *thread;
	struct pid *starter;
	bool abandoned;
	struct mm_struct *mm;
	struct mem_cgroup *memcg;
	struct secmmu_start_job arg;
	u64 done;
	int err;
};

/* Copy a piece between the bounce buffer and the caller's memory. */
static int copy_user(struct secmmu_job *job, void *bounce, unsigned int len,
		      bool from_user)
{
	void __user *data = u64_to_user_ptr(job->arg.data + job->done);
	unsigned long left;

	if (!mmget_not_zero(job->mm))
		return -ESRCH;
	kthread_use_mm(job->mm);
	left = from_user ? copy_from_user(bounce, data, len) :
			   copy_to_user(data, bounce, len);
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
		err = copy_user(job, bounce, len, true);
	if (!err)
		err = secmmu_engine_move(job->engine, &move);
	if (!err && !write && move.len)
		err = copy_user(job, bounce, len, false);
	return err;
}

static void do_job(struct secmmu_job *job)
{
	while (job->done < job->arg.length && !job->err && !READ_ONCE(job->abandoned)) {
		u64 gpa = job->arg.gpa + job->done;
		unsigned int len = min_t(u64, PAGE_SIZE - offset_in_page(gpa),
					 job->arg.length - job->done);

		/* Between pieces it may be attached elsewhere. */
		job->err = -EINTR;
		if (mutex_lock_killable(&job->engine->lock))
			break;
		job->err = do_piece(job, len);
		mutex_unlock(&job->engine->lock);
		if (!job->err)
			job->done += len;
		cond_resched();
	}
	/* The signal made the last piece fail in one way or another. */
	if (READ_ONCE(job->abandoned) && job->done < job->arg.length)
		job->err = -ESRCH;
}

/* The thread. */
static int run_job(void *data)
{
	struct secmmu_job *job = data;
	struct secmmu_engine *engine = job->engine;
	struct mem_cgroup *memcg;

	/* See job.h. */
	allow_kernel_signal(SIGKILL);
	memcg = set_active_memcg(job->memcg);
	do_job(job);
	set_active_memcg(memcg);
	mem_cgroup_put(job->memcg);
	mmdrop(job->mm);
	/* Whoever sees this sees the result. */
	smp_store_release(&job->running, false);
	wake_up(&job->wait);
	/* The job may go with it. */
	secmmu_engine_put(engine);
	module_put_and_kthread_exit(0);
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

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	job->engine = engine;
	mutex_init(&job->lock);
	spin_lock_init(&job->thread_lock);
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
	if (job->thread)
		put_task_struct(job->thread);
	put_pid(job->starter);
	mutex_destroy(&job->lock);
	kfree(job);
}

/* Until no job runs; the lock is held. */
static int wait_idle(struct secmmu_job *job)
{
	/* Pairs with the release in run_job(). */
	return wait_event_interruptible(job->wait, !smp_load_acquire(&job->running)) ?
	       -EINTR : 0;
}

/* Let a new thread loose; no other one runs, and the lock is held. */
static void set_off(struct secmmu_job *job, struct task_struct *thread,
		    const struct secmmu_start_job *arg)
{
	struct task_struct *old = job->thread;
	struct pid *old_starter = job->starter;

	job->running = true;
	job->mm = current->mm;
	mmgrab(job->mm);
	job->memcg = get_mem_cgroup_from_mm(job->mm);
	job->arg = *arg;
	job->done = 0;
	job->err = 0;
	/* Both are the thread's to drop. */
	secmmu_engine_get(job->engine);
	__module_get(THIS_MODULE);
	get_task_struct(thread);
	spin_lock(&job->thread_lock);
	job->thread = thread;
	job->starter = get_pid(task_tgid(current));
	WRITE_ONCE(job->abandoned, false);
	spin_unlock(&job->thread_lock);
	wake_up_process(thread);
	if (old)
		put_task_struct(old);
	put_pid(old_starter);
}

/**
 * secmmu_job_start - start a job, after the one that runs
 * @job: the job of the engine
 * @arg: as the user gave it, checked
 *
 * Context: process; may sleep. The caller has the engine's descriptor.
 * Return: 0, -EINTR, or -ENOMEM if there can be no thread.
 */
int secmmu_job_start(struct secmmu_job *job, const struct secmmu_start_job *arg)
{
	struct task_struct *thread;
	int err;

	if (mutex_lock_interruptible(&job->lock))
		return -EINTR;
	err = wait_idle(job);
	if (err)
		goto unlock;
	thread = kthread_create(run_job, job, "secmmu-job");
	if (IS_ERR(thread))
		/* The kernel has other numbers for too many threads. */
		err = PTR_ERR(thread) == -EINTR ? -EINTR : -ENOMEM;
	else
		set_off(job, thread, arg);
unlock:
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

/**
 * secmmu_job_abandon - give up a job that runs
 * @job: the job of the engine
 * @starter: only if this process has started it; NULL: whichever has
 *
 * Context: process; does not wait for the job.
 */
void secmmu_job_abandon(struct secmmu_job *job, const struct pid *starter)
{
	spin_lock(&job->thread_lock);
	if (job->thread && (!starter || starter == job->starter)) {
		WRITE_ONCE(job->abandoned, true);
		send_sig(SIGKILL, job->thread, 1);
	}
	spin_unlock(&job->thread_lock);
}
