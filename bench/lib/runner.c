// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "mirror.h"
#include "runner.h"

/*
 * The same memory shows in many places: a job is long, and its pages are too many for
 * the engine's TLB.
 */
#define GPA		(1ull << 40)
#define MEMORY		(512 * 4096ul)
#define SHOWN		32u
#define FIRST_SLOT	1024u

/* The first job of a run, to see it run. */
#define SHORT		(64 * 4096ul)

/**
 * struct runner_shared - seen by both processes
 * @jobs: jobs that have ended
 * @stop: it shall not begin again
 * @idle: it sleeps, or is about to
 */
struct runner_shared {
	atomic_ulong jobs;
	atomic_bool stop;
	atomic_bool idle;
};

/* A fork changes nothing there. */
static void *map_shared(size_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	return at;
}

/**
 * runner_show - let a mirror show what running engines touch
 * @mirror: the mirror, of this process
 */
void runner_show(int mirror)
{
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

static void touch(struct runner_shared *shared, int engine, uint64_t length)
{
	mirror_touch(engine, GPA, length);
	atomic_fetch_add(&shared->jobs, 1);
}

static void run(struct runner_shared *shared, int engine, int ask)
{
	char byte;

	while (read(ask, &byte, 1) == 1) {
		touch(shared, engine, SHORT);
		while (!atomic_load(&shared->stop))
			touch(shared, engine, SHOWN * MEMORY);
		atomic_store(&shared->idle, true);
	}
}

/* Give way, unless the process has ended: it has said why. */
static void wait_a_bit(const struct runner *runner)
{
	if (waitpid(runner->pid, NULL, WNOHANG))
		exit(1);
	sched_yield();
}

/**
 * runner_start - start the process; it sleeps until it is told to run
 * @runner: filled in
 * @engine: from runner_engine(), of a mirror that was given to runner_show()
 * @cpu: its processor, for bench_pin(); the kernel's thread that does the work
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
		bench_pin(cpu);
		run(runner->shared, engine, ask[0]);
		_exit(0);
	}
	close(ask[0]);
	/* The first job is short. */
	runner_go(runner);
	while (atomic_load(&runner->shared->jobs) < 2)
		wait_a_bit(runner);
	runner_halt(runner);
}

/**
 * runner_go - let the engine run
 * @runner: the process
 *
 * Returns when it does.
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
		wait_a_bit(runner);
}

/**
 * runner_halt - let it sleep
 * @runner: the process
 *
 * Returns when it does.
 */
void runner_halt(const struct runner *runner)
{
	atomic_store(&runner->shared->stop, true);
	while (!atomic_load(&runner->shared->idle))
		wait_a_bit(runner);
}
