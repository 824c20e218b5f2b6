// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "rival_kunit.h"

/* How long something that should not come is given to come. */
#define PATIENCE	(HZ / 10)
/* How long something that must come may take. */
#define LIMIT		(10 * HZ)

static int rival_thread(void *context)
{
	struct secmmu_rival *rival = context;

	complete(&rival->begun);
	rival->work(rival->context);
	complete(&rival->done);
	return 0;
}

/**
 * secmmu_rival_create - create a rival, which does not run yet
 * @test: the test; skipped if there is one CPU only
 * @rival: on the caller's stack; work and context are set
 *
 * From here on the test stays on its CPU; it must not assert until secmmu_rival_destroy().
 */
void secmmu_rival_create(struct kunit *test, struct secmmu_rival *rival)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "one processor only");
	init_completion(&rival->begun);
	init_completion(&rival->done);
	rival->thread = kthread_create(rival_thread, rival, "secmmu-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(rival->thread));
	get_task_struct(rival->thread);
	migrate_disable();
	kthread_bind(rival->thread,
		     cpumask_any_but(cpu_online_mask, raw_smp_processor_id()));
}

static void spin_for(struct completion *event, unsigned long limit)
{
	limit += jiffies;
	while (!completion_done(event) && time_before(jiffies, limit))
		cpu_relax();
}

/**
 * secmmu_rival_waits - let the rival run, and see whether it waits
 * @rival: the rival; the caller holds the lock that it needs
 *
 * (spin_is_contended() does not see waiters in most virtual machines.)
 *
 * Context: never sleeps.
 * Return: false if it has done its work without the lock.
 */
bool secmmu_rival_waits(struct secmmu_rival *rival)
{
	wake_up_process(rival->thread);
	spin_for(&rival->begun, LIMIT);
	spin_for(&rival->done, PATIENCE);
	return !completion_done(&rival->done);
}

/**
 * secmmu_rival_await - wait until the rival has done its work
 * @rival: the rival; the caller holds no lock that it needs
 *
 * Context: never sleeps.
 */
void secmmu_rival_await(struct secmmu_rival *rival)
{
	spin_for(&rival->done, LIMIT);
}

/**
 * secmmu_rival_destroy - wait for the end of the rival
 * @rival: the rival, woken by secmmu_rival_waits(); its lock is free
 */
void secmmu_rival_destroy(struct secmmu_rival *rival)
{
	migrate_enable();
	kthread_stop(rival->thread);
	put_task_struct(rival->thread);
}
