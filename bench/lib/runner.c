// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
 * @idle: no job is under way
 */
struct runner_shared {
	atomic_ulong jobs;
	atomic_bool stop;
	atomic_bool idle;
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
		mirror_slot(mirror, FIRST_SLOT + i, GPA + i * MEMORY, memory,
			    MEMORY);
}

/**
 * runner_engine - make an engine for runner_start()
 * @mirror: the mirror, of this process
 *
 * Return: its descriptor.
 */
int runner_engine(int mirror)
{
	return mirror_engine(mirror, SECMMU_ENGINE_BACKGROUND);
}

static void run_job(struct runner_shared *shared, int engine, uint64_t length)
{
	mirror_touch(engine, GPA, length);
	atomic_fetch_add(&shared->jobs, 1);
}

static void serve_requests(struct runner_shared *shared, int engine, int ask)
{
	char byte;

	while (read(ask, &byte, 1) == 1) {
		run_job(shared, engine, SHORT);
		while (!atomic_load(&shared->stop))
			run_job(shared, engine, SHOWN * MEMORY);
		atomic_store(&shared->idle, true);
	}
}

/* Let the process run. If it has ended, it has said why. */
static void yield_to_runner(const struct runner *runner)
{
	if (waitpid(runner->pid, NULL, WNOHANG))
		exit(1);
	sched_yield();
}

/**
 * runner_start - start the process; it sleeps until it is told to run
 * @runner: filled in
 * @engine: from runner_engine(), of a mirror that was given to runner_show()
 * @cpu: its processor, for pin_to_cpu(); the kernel's thread that does the work
 *	begins there, and does not come to the first one: see run.sh
 *
 * When this returns the engine has the mirror loaded, and all of it mapped.
 */
void runner_start(struct runner *runner, int engine, unsigned int cpu)
{
	int ask[2];

	if (pipe(ask))
		bench_die("cannot make a pipe: %s", strerror(errno));
	runner->shared = map_shared(sizeof(*runner->shared));
	runner->ask = ask[1];
	fflush(NULL);
	runner->pid = fork();
	if (runner->pid < 0)
		bench_die("cannot fork: %s", strerror(errno));
	if (!runner->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ask[1]);
		pin_to_cpu(cpu);
		serve_requests(runner->shared, engine, ask[0]);
		_exit(0);
	}
	close(ask[0]);
	runner_go(runner);
	/* The second job is the first one that touches everything. */
	while (atomic_load(&runner->shared->jobs) < 2)
		yield_to_runner(runner);
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
	struct runner_shared *shared = runner->shared;
	unsigned long jobs = atomic_load(&shared->jobs);

	atomic_store(&shared->stop, false);
	atomic_store(&shared->idle, false);
	if (write(runner->ask, "", 1) != 1)
		bench_die("the running engine is gone: %s", strerror(errno));
	while (atomic_load(&shared->jobs) == jobs)
		yield_to_runner(runner);
}

/**
 * runner_halt - let the engine rest
 * @runner: the process
 *
 * Returns when no job is under way.
 */
void runner_halt(const struct runner *runner)
{
	atomic_store(&runner->shared->stop, true);
	while (!atomic_load(&runner->shared->idle))
		yield_to_runner(runner);
}
