// SPDX-License-Identifier: GPL-2.0
/* The end of the process whose memory it is, with accessors at work. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define TIMES		3
#define WORKERS		2
#define AREA_PAGES	64
/* One that waits leaves the processors to those at work. */
#define WAIT_US		500

struct worker {
	struct trial trial;
	uint64_t *accesses;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	for (size_t i = 0;; i++) {
		char *page = page_at(&worker->trial, i % AREA_PAGES);

		if (i % 2)
			read_page(&worker->trial, page);
		else
			write_page(&worker->trial, page, next_stamp());
		__atomic_add_fetch(worker->accesses, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Lets accessors work, each on a thread; returns when each has got on. */
static void begin_work(struct trial *trial, uint64_t *accesses)
{
	unsigned int workers = trial_cannot(trial, SUBJECT_ONE_ACCESSOR) ? 1 : WORKERS;
	static struct worker list[WORKERS];
	pthread_t thread;

	for (unsigned int i = 0; i < workers; i++) {
		list[i].accesses = accesses;
		if (i)
			trial_second(trial, &list[i].trial);
		else
			list[i].trial = *trial;
		need(trial, !pthread_create(&thread, NULL, work, &list[i]), "start a thread");
	}
}

static uint64_t *map_counter(const struct trial *trial)
{
	uint64_t *counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				 -1, 0);

	need(trial, counter != MAP_FAILED, "map a counter");
	return counter;
}

/* A process with accessors at work that ends itself by @end, or is killed. */
static void end_owner(struct trial *trial, void (*end)(struct trial *trial))
{
	uint64_t *accesses = map_counter(trial);
	pid_t owner = fork();

	need(trial, owner >= 0, "fork");
	if (!owner) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		trial_begin(trial);
		begin_work(trial, accesses);
		while (__atomic_load_n(accesses, __ATOMIC_ACQUIRE) < 2 * AREA_PAGES)
			usleep(WAIT_US);
		if (end)
			end(trial);
		for (;;)
			pause();
	}
	while (__atomic_load_n(accesses, __ATOMIC_ACQUIRE) < 4 * AREA_PAGES &&
	       waitpid(owner, NULL, WNOHANG | __WNOTHREAD) == 0)
		usleep(WAIT_US);
	kill(owner, SIGKILL);
	/* It may have been waited for above. If it does not end, this does not either. */
	while (waitpid(owner, NULL, 0) < 0 && errno == EINTR)
		;
}

static void exit_now(struct trial *trial)
{
	(void)trial;
	_exit(0);
}

/* Its descriptors are closed by the call, its memory goes with it. */
static void exec_now(struct trial *trial)
{
	char *arguments[] = { "secmmu-judge", "--list", NULL };
	char *environment[] = { NULL };

	need(trial, !close(1), "close the output");
	execve("/proc/self/exe", arguments, environment);
	need(trial, false, "execute another program");
}

CHECK(owner_exits, .summary = "the process exits while accessors are at work", .bare = true)
{
	for (int i = 0; i < TIMES; i++)
		end_owner(trial, exit_now);
}

CHECK(owner_is_killed, .summary = "the process is killed while accessors are at work", .bare = true)
{
	for (int i = 0; i < TIMES; i++)
		end_owner(trial, NULL);
}

CHECK(owner_execs, .summary = "the process executes another program while accessors are at work",
      .bare = true)
{
	for (int i = 0; i < TIMES; i++)
		end_owner(trial, exec_now);
}

/* A child with the accessor, which it uses while the owner dies and after. */
static void outlive(struct trial *trial, uint64_t *accesses, int gone)
{
	char *page = page_at(trial, 0);
	bool late;
	char byte;

	do {
		/* Nothing there: the owner lives. The end of the file: it has gone. */
		late = read(gone, &byte, 1) == 0;
		if (read_page(trial, page) >= 0 && late)
			convict(trial, VERDICT_LEAK, "the memory of a process that has gone "
				"can be read");
		if (write_page(trial, page, next_stamp()) >= 0 && late)
			convict(trial, VERDICT_LEAK, "the memory of a process that has gone "
				"can be written");
		__atomic_add_fetch(accesses, 1, __ATOMIC_RELEASE);
	} while (!late);
}

/* The child of the owner must not be waited for by it: it is its grandparent's. */
static void run_owner(struct trial *trial, uint64_t *accesses, const int *gone)
{
	pid_t child;

	trial_begin(trial);
	cpu_fill(trial, trial->arena, 1);
	read_page(trial, trial->arena);
	child = fork();
	need(trial, child >= 0, "fork");
	if (!child) {
		close(gone[1]);
		outlive(trial, accesses, gone[0]);
		_exit(0);
	}
	for (;;)
		pause();
}

CHECK(child_outlives, .summary = "a child's accessor finds nothing once the process has gone",
      .unless = SUBJECT_NO_CHILD, .bare = true)
{
	uint64_t *accesses = map_counter(trial);
	int gone[2];
	pid_t owner;

	need(trial, !pipe2(gone, O_NONBLOCK), "make a pipe");
	/* The child becomes this process's when its parent goes. */
	need(trial, !prctl(PR_SET_CHILD_SUBREAPER, 1), "become a reaper");
	owner = fork();
	need(trial, owner >= 0, "fork");
	if (!owner)
		run_owner(trial, accesses, gone);
	while (__atomic_load_n(accesses, __ATOMIC_ACQUIRE) < 16)
		usleep(WAIT_US);
	end_child(owner);
	/* Its memory has gone: the child may look for the last time. */
	close(gone[1]);
	while (waitpid(-1, NULL, 0) > 0)
		;
}
