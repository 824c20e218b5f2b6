// SPDX-License-Identifier: GPL-2.0
/* fork(2): memory that a child shares until somebody writes it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"
#include "stamp.h"

/* A child watches its pages for so long at most. */
#define CHILD_US	10000
#define CHILD_PATTERN	0x6b6b6b6b6b6b6b6bull

/* How a child ends: all was right, it had nothing to look at, or a page has changed. */
enum {
	CHILD_FINE,
	CHILD_IDLE,
	CHILD_FIRST_PAGE,
};

/*
 * Another operation may have unmapped a page: the kernel says so, a load would be fatal.
 * process_vm_readv() would not do: it pins, and what is pinned is copied first, if it is shared.
 */
static bool copy_own(int self, char *copy, const char *page)
{
	return pread(self, copy, GUEST_PAGE_SIZE, (off_t)(uintptr_t)page) == GUEST_PAGE_SIZE;
}

/* After MADV_FREE the kernel may give up the child's page as well as the parent's. */
static bool is_blank(const char *page)
{
	return !page[0] && !memcmp(page, page + 1, GUEST_PAGE_SIZE - 1);
}

static void write_own(char *page)
{
	uint64_t word = CHILD_PATTERN;
	struct iovec from = { &word, sizeof(word) };
	struct iovec to = { page + 4 * sizeof(word), sizeof(word) };

	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != sizeof(word))
		return;	/* it is not there */
}

/*
 * Tells the parent that it may go on, and waits until it has, or has died. Other children may
 * have its end, too.
 */
static void wait_for_parent(int to_parent)
{
	char byte = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(to_parent, &byte, 1) != 1 || read(to_parent, &byte, 1) != 1)
		return;	/* there is nobody to tell */
}

/*
 * In the child: its pages are its own, whoever writes the parent's. At the end it writes
 * some, which the parent's judges call foreign if they ever see it. @to_parent is -1 if the
 * parent does nothing by itself.
 */
static int watch_pages(const struct scene *scene, int to_parent, unsigned int us)
{
	static char copies[SOME_PAGES][GUEST_PAGE_SIZE], now[GUEST_PAGE_SIZE];
	int self = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	bool there[SOME_PAGES], any = false;

	for (uint32_t i = 0; i < scene->count && i < SOME_PAGES; i++) {
		there[i] = copy_own(self, copies[i], scene->hva + (size_t)i * GUEST_PAGE_SIZE);
		any |= there[i];
	}
	if (to_parent >= 0)
		wait_for_parent(to_parent);
	usleep(us);
	for (uint32_t i = 0; i < scene->count && i < SOME_PAGES; i++) {
		char *page = scene->hva + (size_t)i * GUEST_PAGE_SIZE;

		if (!there[i] || !copy_own(self, now, page))
			continue;
		if (memcmp(now, copies[i], sizeof(now)) && !is_blank(now))
			return CHILD_FIRST_PAGE + (int)i;
		write_own(page);
	}
	return any ? CHILD_FINE : CHILD_IDLE;
}

static int await_child(pid_t child, int *status)
{
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* The child has ended: what has it seen? */
static int judge_child(struct scene *scene, pid_t child)
{
	int status, error = await_child(child, &status);

	if (error)
		return error;
	if (!WIFEXITED(status))
		return -ECHILD;
	status = WEXITSTATUS(status);
	if (status >= CHILD_FIRST_PAGE)
		scene_violate(scene, scene->first + (uint32_t)(status - CHILD_FIRST_PAGE),
			      STAMP_CHILD, 0);
	scene->reached = status == CHILD_FINE;
	return 0;
}

/**
 * act_fork - a child that looks at its pages while the parent's are written, and writes them
 */
ACT(fork)
{
	unsigned int us = prng_below(scene->prng, CHILD_US);
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child)
		_exit(watch_pages(scene, -1, us));
	return judge_child(scene, child);
}

/* The child has copied its page: the engine writes the parent's. */
static int write_beside(struct scene *scene, int to_child)
{
	char byte;
	int error;

	/* It may have been killed. */
	if (read(to_child, &byte, 1) != 1)
		return -ECHILD;
	error = scene_write_page(scene);
	if (write(to_child, &byte, 1) != 1)
		return -ECHILD;
	return error;
}

/**
 * act_fork_and_write - a child whose page is its own when an engine writes the parent's
 *
 * The engine has written it before: it has an entry that lets it write.
 */
ACT(fork_and_write)
{
	int ends[2], error, seen;
	pid_t child;

	error = scene_write_page(scene);
	if (error)
		return error;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	child = fork();
	if (!child) {
		/* So that it sees the parent's end closed. */
		close(ends[0]);
		_exit(watch_pages(scene, ends[1], 0));
	}
	error = child < 0 ? -errno : 0;
	close(ends[1]);
	if (!error)
		error = write_beside(scene, ends[0]);
	close(ends[0]);
	seen = child < 0 ? 0 : judge_child(scene, child);
	return error ?: seen;
}

/**
 * act_exec - a child that becomes another program
 */
ACT(exec)
{
	static char *const argv[] = { "secmmu-vmm", "storm", "--list", NULL };
	static char *const environment[] = { NULL };
	pid_t child = fork();
	int status, error;

	if (child < 0)
		return -errno;
	if (!child) {
		int fd = open("/dev/null", O_WRONLY);

		if (fd >= 0)
			dup2(fd, STDOUT_FILENO);
		execve("/proc/self/exe", argv, environment);
		_exit(CHILD_IDLE);
	}
	error = await_child(child, &status);
	scene->reached = !error && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_FINE;
	return error;
}
