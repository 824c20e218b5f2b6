// SPDX-License-Identifier: GPL-2.0
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "engine.h"
#include "job.h"
#include "worker.h"

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
	/* Asynchronously: the last user tears down all of the memory. */
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

		/* Between pieces the engine may be attached elsewhere. */
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

/* The function of the thread. */
static int run_job(void *data)
{
	struct secmmu_job *job = data;
	struct secmmu_engine *engine = job->engine;
	struct mem_cgroup *memcg;

	/*
	 * A caller that keeps to some processors keeps the others free of its work. The
	 * kernel has just let the thread run anywhere.
	 */
	set_cpus_allowed_ptr(current, &job->cpus);
	/* See job.h. */
	allow_kernel_signal(SIGKILL);
	memcg = set_active_memcg(job->memcg);
	do_job(job);
	set_active_memcg(memcg);
	mem_cgroup_put(job->memcg);
	mmdrop(job->mm);
	/* A waiter that reads this sees the result. */
	smp_store_release(&job->running, false);
	wake_up(&job->wait);
	/* This may free the engine, and the job with it. */
	secmmu_engine_put(engine);
	module_put_and_kthread_exit(0);
}

/* Give the job to a new thread; no other one runs, and the lock is held. */
static void set_off(struct secmmu_job *job, struct task_struct *thread,
		    const struct secmmu_start_job *arg)
{
	struct task_struct *old = job->thread;
	struct pid *old_starter = job->starter;

	job->running = true;
	job->mm = current->mm;
	mmgrab(job->mm);
	job->memcg = get_mem_cgroup_from_mm(job->mm);
	cpumask_copy(&job->cpus, current->cpus_ptr);
	job->arg = *arg;
	job->done = 0;
	job->err = 0;
	/* The thread drops both. */
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
 * secmmu_worker_start - start a job, after the one that runs
 * @job: the job of the engine
 * @arg: as the user gave it, checked
 *
 * Context: process; may sleep. The caller has the engine's descriptor.
 * Return: 0, -EINTR, or -ENOMEM if no thread can be created.
 */
int secmmu_worker_start(struct secmmu_job *job, const struct secmmu_start_job *arg)
{
	struct task_struct *thread;
	int err;

	if (mutex_lock_interruptible(&job->lock))
		return -EINTR;
	err = secmmu_job_wait_idle(job);
	if (err)
		goto unlock;
	thread = kthread_create(run_job, job, "secmmu-job");
	if (IS_ERR(thread))
		/* The kernel uses other numbers when there are too many threads. */
		err = PTR_ERR(thread) == -EINTR ? -EINTR : -ENOMEM;
	else
		set_off(job, thread, arg);
unlock:
	mutex_unlock(&job->lock);
	return err;
}
