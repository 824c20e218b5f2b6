// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer forks an executor for each program, which has a thread for each of the
 * program's, waits for them, ends the processes that they have made, and judges. It is
 * killed with all of them if that takes too long. What survives is stuck in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "complaint.h"
#include "clock.h"
#include "cover.h"
#include "exec.h"
#include "verdict.h"
#include "world.h"

/* No round begins after so many milliseconds. */
#define ROUNDS_MS	100
/* What was killed must die, and let go of the driver, in so many seconds. */
#define PATIENCE_S	30

const char *const verdict_name[] = {
	[VERDICT_FINE] = "fine",
	[VERDICT_KILLED] = "killed",
	[VERDICT_INCOHERENT] = "incoherent",
	[VERDICT_LEFT] = "left",
	[VERDICT_LEAK] = "leak",
	[VERDICT_COMPLAINT] = "complaint",
	[VERDICT_STUCK] = "stuck",
};

/* Shared with the executors. */
static struct outcome *shared;
static unsigned int limit;

/**
 * struct part - what a thread of the executor needs
 * @world: shared
 * @program: the program
 * @alone: operations that thread 0 does before there are others
 * @number: of the thread
 * @together: where all threads meet before the first round
 */
struct part {
	struct world *world;
	const struct program *program;
	unsigned int alone;
	unsigned int number;
	pthread_barrier_t *together;
};

static void do_ops(const struct part *part, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		const struct op *op = &part->program->op[i];

		if (op->thread != part->number)
			continue;
		op_kinds[op->kind].act(part->world, op->arg);
		__atomic_fetch_add(&shared->ops, 1, __ATOMIC_RELAXED);
	}
}

static void *run_part(void *data)
{
	const struct part *part = data;
	uint64_t end;

	part->world->thread[part->number] = syscall(SYS_gettid);
	cover_begin(part->number);
	if (!part->number)
		do_ops(part, 0, part->alone);
	pthread_barrier_wait(part->together);
	end = clock_ms() + ROUNDS_MS;
	for (uint32_t i = 0; i < part->program->rounds && clock_ms() < end; i++)
		do_ops(part, part->alone, part->program->nr);
	cover_end(part->number);
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
}

static unsigned int count_threads(const struct program *program)
{
	unsigned int most = 0;

	for (uint32_t i = 0; i < program->nr; i++)
		if (program->op[i].thread > most)
			most = program->op[i].thread;
	return most + 1;
}

/* The executor: never returns. */
static void execute_program(const struct program *program)
{
	/* Interrupts calls, without ending anything. */
	struct sigaction action = { .sa_handler = on_signal };
	unsigned int nr = count_threads(program);
	pthread_barrier_t together;
	pthread_t thread[NR_THREADS];
	struct part part[NR_THREADS];
	static struct world world;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	sigaction(SIGUSR1, &action, NULL);
	world_init(&world);
	pthread_barrier_init(&together, NULL, nr);
	for (unsigned int i = 0; i < nr; i++) {
		part[i] = (struct part) {
			.world = &world,
			.program = program,
			.alone = program_alone(program),
			.number = i,
			.together = &together,
		};
		if (pthread_create(&thread[i], NULL, run_part, &part[i]))
			_exit(1);
	}
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	world_end_children(&world);
	judge_world(&world, shared);
	_exit(0);
}

/* Waits until the process has ended; returns whether it has. */
static bool wait_for_end(pid_t pid, unsigned int seconds)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int n;

	if (fd < 0)
		return false;
	do {
		n = poll(&pollfd, 1, seconds * 1000);
	} while (n < 0 && errno == EINTR);
	close(fd);
	return n > 0;
}

/* Ends a process, and those that it has left to us; returns whether that worked. */
static bool end_all(pid_t pid)
{
	uint64_t end = clock_ms() + PATIENCE_S * 1000;

	do {
		pid_t dead;

		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		do {
			dead = waitpid(-1, NULL, WNOHANG | __WALL);
		} while (dead > 0);
		if (dead < 0)
			return true;
		usleep(1000);
	} while (clock_ms() < end);
	return false;
}

/**
 * exec_open - get ready to run programs
 * @limit_s: how long one may take, in seconds
 */
void exec_open(unsigned int limit_s)
{
	limit = limit_s;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Children of the executor that outlive it come to us. */
	if (shared == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1)) {
		perror("secmmu-fuzz: cannot get ready to run programs");
		exit(2);
	}
}

static void set_verdict(enum verdict verdict, const char *text)
{
	shared->verdict = verdict;
	if (text)
		snprintf(shared->text, sizeof(shared->text), "%s", text);
}

/* Where those are that cannot be killed goes to the kernel's log. */
static void tell_blocked(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "w", 1) < 0)
		perror("/proc/sysrq-trigger");
	close(fd);
}

/**
 * exec_program - run a program
 * @program: the program
 * @outcome: filled in
 */
void exec_program(const struct program *program, struct outcome *outcome)
{
	char text[sizeof(shared->text)];
	pid_t pid;

	shared->verdict = VERDICT_FINE;
	shared->ops = 0;
	shared->judged = 0;
	shared->entries = 0;
	shared->text[0] = '\0';
	pid = fork();
	if (pid < 0) {
		perror("secmmu-fuzz: cannot fork");
		exit(2);
	}
	if (!pid)
		execute_program(program);
	if (!wait_for_end(pid, limit))
		set_verdict(VERDICT_KILLED, NULL);
	if (!end_all(pid)) {
		set_verdict(VERDICT_STUCK, "it does not die when it is killed");
		tell_blocked();
	} else if (shared->verdict < VERDICT_FAILURE && !judge_unused(PATIENCE_S)) {
		set_verdict(VERDICT_LEAK, "the driver stays in use");
	}
	/* This says most. */
	if (complaint_read(text, sizeof(text)) && shared->verdict != VERDICT_STUCK)
		set_verdict(VERDICT_COMPLAINT, text);
	*outcome = *shared;
}
