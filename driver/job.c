// SPDX-License-Identifier: GPL-2.0
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "job.h"

/**
 * secmmu_job_create - prepare an engine for jobs
 * @engine: the engine
 *
 * Return: its job, idle, or NULL if there is no memory.
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

/**
 * secmmu_job_wait_idle - wait until no job runs
 * @job: the job of the engine, locked
 *
 * Context: process; may sleep.
 * Return: 0 or -EINTR.
 */
int secmmu_job_wait_idle(struct secmmu_job *job)
{
	/* Pairs with the release in run_job(). */
	return wait_event_interruptible(job->wait, !smp_load_acquire(&job->running)) ?
	       -EINTR : 0;
}

/**
 * secmmu_job_wait - wait until no job runs, and return the result of the latest
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
	err = secmmu_job_wait_idle(job);
	if (!err) {
		arg->error = -job->err;
		arg->done = job->done;
	}
	mutex_unlock(&job->lock);
	return err;
}

/**
 * secmmu_job_abandon - give up a running job
 * @job: the job of the engine
 * @starter: give it up only if this process has started it; NULL: in any case
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
