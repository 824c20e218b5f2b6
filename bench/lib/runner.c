// SPDX-License-Identifier: GPL-2.0
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "basics.h"
#include "own_mirror.h"
#include "runner.h"

/*
 * Many slots show the same memory: a job is long, and has more pages than the engine's
 * TLB.
 */
#define GPA		(1ull << 40)
#define MEMORY		LARGE
#define SHOWN		32u
#define FIRST_SLOT	1024u

/**
 * struct runner_shared - memory of both processes
 * @begun: jobs that have a kernel thread, which may take milliseconds to get
 * @ended: those of them that have ended
 * @stop: no further job is wanted
 */
struct runner_shared {
	atomic_ulong begun;
	atomic_ulong ended;
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

static void run_jobs(void *data, unsigned char what, struct bench_sample *sample)
{
	const struct runner *runner = data;
	struct runner_shared *shared = runner->shared;

	(void)what;
	(void)sample;
	do {
		mirror_begin_touch(runner->engine, GPA, SHOWN * MEMORY);
		atomic_fetch_add(&shared->begun, 1);
		mirror_end_touch(runner->engine, SHOWN * MEMORY);
		atomic_fetch_add(&shared->ended, 1);
	} while (!atomic_load(&shared->stop));
}

/* Let the process run until @jobs jobs are counted. A process that ends prints the reason. */
static void wait_for_jobs(const struct runner *runner, const atomic_ulong *count,
			  unsigned long jobs)
{
	while (atomic_load(count) < jobs) {
		if (waitpid(runner->worker.pid, NULL, WNOHANG))
			exit(1);
		sched_yield();
	}
}

/**
 * runner_start - start the process; it sleeps until runner_go()
 * @runner: filled in; stays where it is
 * @engine: a background engine of a mirror that was given to runner_show()
 * @cpu: its processor, for pin_to_cpu(), and that of the kernel thread that does the work
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
	wait_for_jobs(runner, &runner->shared->ended, 1);
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
	const atomic_ulong *begun = &runner->shared->begun;
	unsigned long before = atomic_load(begun);

	atomic_store(&runner->shared->stop, false);
	worker_request(&runner->worker, 0);
	wait_for_jobs(runner, begun, before + 1);
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
