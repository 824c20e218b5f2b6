/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Jobs: transfers of an engine that a kernel thread makes, while the caller does
 * something else. Each job has a thread of its own (worker.c), so that a job that waits
 * delays no other one.
 *
 * The thread is a user of the caller's memory while it copies a page, and of the mirrored
 * memory while a fault asks for one. Both may wait for another process for any time, with
 * userfaultfd for example. So the driver kills the thread when the result is of no use:
 * when the engine's last descriptor is closed, or when the process that started the job
 * exits. Neither waits for the thread, which has a reference to the engine and one to this
 * module and drops them when it ends. It runs on the processors that the caller was allowed
 * when it started the job.
 *
 *	thread of the job			close or exit
 *	-----------------			-------------
 *	allow the signal [siglock]		set @abandoned
 *	read @abandoned				send the signal [siglock]
 *
 * If the signal comes before the thread allows it, it is lost, and the thread reads
 * @abandoned. If it comes later, it stays pending and ends every wait.
 */
#ifndef SECMMU_JOB_H
#define SECMMU_JOB_H

#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/secmmu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct pid;
struct secmmu_engine;

/**
 * struct secmmu_job - the job of an engine
 * @engine: the engine
 * @lock: serialises calls that start a job or wait for one
 * @wait: for @running to become false
 * @running: the fields after @abandoned belong to the thread
 * @thread_lock: protects @thread and @starter, and setting @abandoned; the thread's
 *	siglock nests inside
 * @thread: the thread of the latest job, with a reference, or NULL
 * @starter: the process that started it, with a reference
 * @abandoned: the result is of no use any more
 * @mm: the caller's memory; the mm_struct is pinned, not the memory
 * @cpus: the processors that the caller was allowed
 * @memcg: the caller's cgroup, to which the thread's allocations are charged
 * @arg: the transfer
 * @done: bytes done
 * @err: the error that ended it, or zero
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
	struct cpumask cpus;
	struct mem_cgroup *memcg;
	struct secmmu_start_job arg;
	u64 done;
	int err;
};

struct secmmu_job *secmmu_job_create(struct secmmu_engine *engine);
void secmmu_job_free(struct secmmu_job *job);
int secmmu_job_wait_idle(struct secmmu_job *job);
int secmmu_job_wait(struct secmmu_job *job, struct secmmu_wait_job *arg);
void secmmu_job_abandon(struct secmmu_job *job, const struct pid *starter);

#endif
