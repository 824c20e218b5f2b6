// SPDX-License-Identifier: GPL-2.0
/* Operations on the life of processes and threads. */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act.h"

/* What a child does: values of "life". */
enum life {
	LIFE_WAITS,
	LIFE_WRITES_AND_WAITS,
	LIFE_WRITES_AND_ENDS,
	LIFE_EXECUTES,
	LIFE_SHARES_MEMORY,	/* ... with its parent, as a thread does */
	LIFE_USES_ENGINE,	/* for ever */
	LIFE_DISCARDS,		/* its own memory, for ever */
	LIFE_WRITES_EXECUTES,
};

_Static_assert(LIFE_WRITES_EXECUTES + 1 == NR_LIVES, "all lives");

#define STACK	(16 * PAGE)

struct child {
	struct world *world;
	uint64_t life, page, pages, engine;
};

/*
 * Only system calls from here on: the parent may have had other threads. The arena's
 * pages are written to by a call that cannot kill.
 */
static void write_pages(const struct child *child)
{
	for (uint64_t i = 0; i < child->pages && i < 64; i++)
		if (read(child->world->zero, arena_page(child->page + i), 8) < 0)
			return;
}

static void use_engine(const struct child *child)
{
	char word[8] = { 0 };
	int fd = child->world->engine[child->engine];

	for (uint64_t i = 0;; i++) {
		off_t at = (off_t)((child->page + i % (child->pages + 1)) * PAGE);

		if ((i % 4 ? pread(fd, word, 8, at) : pwrite(fd, word, 8, at)) < 0)
			usleep(1000);
	}
}

static void discard_forever(const struct child *child)
{
	for (;;) {
		write_pages(child);
		madvise(arena_page(child->page), child->pages % 64 * PAGE,
			MADV_DONTNEED);
	}
}

static int live_as_child(void *data)
{
	const struct child *child = data;

	switch (child->life) {
	case LIFE_WRITES_AND_WAITS:
		write_pages(child);
		break;
	case LIFE_WRITES_AND_ENDS:
	case LIFE_SHARES_MEMORY:
		write_pages(child);
		_exit(0);
	case LIFE_WRITES_EXECUTES:
		write_pages(child);
		/* fall through */
	case LIFE_EXECUTES:
		execl("/bin/true", "true", NULL);
		_exit(1);
	case LIFE_USES_ENGINE:
		use_engine(child);
		break;
	case LIFE_DISCARDS:
		discard_forever(child);
		break;
	}
	for (;;)
		pause();
}

/* A child that shares the parent's memory needs a stack of its own in there. */
static pid_t start_sharing(struct child *child)
{
	static char stack[NR_CHILDREN][STACK] __attribute__((aligned(16)));
	static struct child copy[NR_CHILDREN];
	static unsigned int next;
	unsigned int at = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);

	/* Each stack is used once: nobody knows whether its user has ended. */
	if (at >= NR_CHILDREN)
		return -1;
	copy[at] = *child;
	return clone(live_as_child, stack[at] + STACK, CLONE_VM | SIGCHLD, &copy[at]);
}

void act_fork(struct world *world, const uint64_t *arg)
{
	struct child child = {
		.world = world,
		.life = arg[1],
		.page = arg[2],
		.pages = arg[3],
		.engine = arg[4],
	};
	pid_t pid, before;

	/* Not more children than there are places. */
	before = __atomic_exchange_n(&world->child[arg[0]], 0, __ATOMIC_RELAXED);
	if (before > 0) {
		kill(before, SIGKILL);
		waitpid(before, NULL, __WALL);
	}
	if (child.life == LIFE_SHARES_MEMORY)
		pid = start_sharing(&child);
	else
		pid = fork();
	if (!pid)
		live_as_child(&child);
	if (pid > 0)
		__atomic_store_n(&world->child[arg[0]], pid, __ATOMIC_RELAXED);
}

/* Wait: 0 no, 1 yes, 2 without killing, and only if it has ended. */
void act_kill(struct world *world, const uint64_t *arg)
{
	pid_t pid = world->child[arg[0]];

	if (pid <= 0)
		return;
	if (arg[1] == 2) {
		waitpid(pid, NULL, WNOHANG | __WALL);
		return;
	}
	kill(pid, SIGKILL);
	if (arg[1])
		waitpid(pid, NULL, __WALL);
}

/* Memory of a child, from outside. */
void act_remote(struct world *world, const uint64_t *arg)
{
	pid_t pid = world->child[arg[0]];
	struct iovec range = {
		.iov_base = arena_page(arg[2] % ARENA_PAGES),
		.iov_len = arg[3] % ARENA_PAGES * PAGE,
	};
	char word[8] = { 0 };
	struct iovec local = { .iov_base = word, .iov_len = sizeof(word) };
	int fd;

	if (pid <= 0)
		return;
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return;
	switch (arg[1]) {
	case 0:
		syscall(SYS_process_madvise, fd, &range, 1UL, MADV_PAGEOUT, 0);
		break;
	case 1:
		syscall(SYS_process_madvise, fd, &range, 1UL, MADV_COLLAPSE, 0);
		break;
	case 2:
		kill(pid, SIGKILL);
		syscall(SYS_process_mrelease, fd, 0);
		break;
	default:
		syscall(SYS_process_vm_writev, pid, &local, 1UL, &range, 1UL, 0UL);
		break;
	}
	close(fd);
}

void act_exec(struct world *world, const uint64_t *arg)
{
	(void)world;
	(void)arg;
	execl("/bin/true", "true", NULL);
}

void act_exit(struct world *world, const uint64_t *arg)
{
	(void)world;
	/* A thread alone must not end: it is waited for. */
	if (arg[0])
		_exit(0);
}

void act_signal(struct world *world, const uint64_t *arg)
{
	pid_t thread = world->thread[arg[0] % NR_THREADS];

	if (thread)
		syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
}

/* This thread is nobody from here on. */
void act_drop(struct world *world, const uint64_t *arg)
{
	(void)world;
	(void)arg;
	syscall(SYS_setresuid, 65534, 65534, 65534);
}

void act_nap(struct world *world, const uint64_t *arg)
{
	struct timespec time = { .tv_nsec = 10000L << (3 * (arg[0] & 3)) };

	(void)world;
	nanosleep(&time, NULL);
}
