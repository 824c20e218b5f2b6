// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "basics.h"
#include "mirror.h"
#include "runner.h"

/*
 * Many slots show the same memory: a job is long, and has more pages than the engine's
 * TLB.
 */
#define GPA		(1ull << 40)
#define MEMORY		LARGE
#define SHOWN		32u
#define FIRST_SLOT	1024u

/* The first job of a run: its end shows that the engine runs. */
#define SHORT		(64 * PAGE)

/**
 * struct runner_shared - memory of both processes
 * @jobs: jobs that have ended
 * @stop: no further job is wanted
 */
struct runner_shared {
	atomic_ulong jobs;
	atomic_bool stop;
};

/**
 * runner_show - let a mirror show the memory that running engines touch
 * @mirror: the mirror, of this process
 */
void runner_show(int mirror)
{
	/* Shared memory: a fork write-protects none of it. */
	void *memory = memset(map_shared(MEMORY), 1, MEMORY);

	for (unsigned int i = 0; i < SHOWN; i++)
		mirror_slot(mirror, FIRST_SLOT + i, GPA + i * MEMORY, memory, MEMORY);
}

static void enter_cpu(void *data)
{
	pin_to_cpu(((const struct runner *)data)->cpu);
}

static void run_job(const struct runner *runner, uint64_t length)
{
	mirror_touch(runner->engine, GPA, length);
	atomic_fetch_add(&runner->shared->jobs, 1);
}

static void run_jobs(void *data, unsigned char what, struct bench_sample *sample)
{
	const struct runner *runner = data;

	(void)what;
	(void)sample;
	run_job(runner, SHORT);
	while (!atomic_load(&runner->shared->stop))
		run_job(runner, SHOWN * MEMORY);
}

/* Let the process run until it has done @jobs jobs. If it has ended, it has said why. */
static void wait_for_jobs(const struct runner *runner, unsigned long jobs)
{
	while (atomic_load(&runner->shared->jobs) < jobs) {
		if (waitpid(runner->worker.pid, NULL, WNOHANG))
			exit(1);
		sched_yield();
	}
}

/**
 * runner_start - start the process; it sleeps until runner_go()
 * @runner: filled in; stays where it is
 * @engine: a background engine of a mirror that was given to runner_show()
 * @cpu: its processor, for pin_to_cpu(). The kernel thread that does the work starts
 *	there, and run.sh keeps it off the first processor.
 *
 * When this returns the engine has the mirror loaded, and all of it mapped.
 */
void runner_start(struct runner *runner, int engine, unsigned int cpu)
{
	runner->engine = engine;
	runner->cpu = cpu;
	runner->shared = map_shared(sizeof(*runner->shared));
	worker_start(&runner->worker, enter_cpu, run_jobs, runner);
	runner_go(runner);
	/* The second job is the first one that touches everything. */
	wait_for_jobs(runner, 2);
	runner_halt(runner);
}

/**
 * runner_go - let the engine run
 * @runner: the process
 *
 * Returns when the engine is running.
 */
void runner_go(const struct runner *runner)
{
	unsigned long jobs = atomic_load(&runner->shared->jobs);

	atomic_store(&runner->shared->stop, false);
	worker_request(&runner->worker, 0);
	wait_for_jobs(runner, jobs + 1);
}

/**
 * runner_halt - let the engine rest
 * @runner: the process
 *
 * Returns when no job is under way.
 */
void runner_halt(const struct runner *runner)
{
	struct bench_sample empty;

	atomic_store(&runner->shared->stop, true);
	worker_await(&runner->worker, &empty);
}
