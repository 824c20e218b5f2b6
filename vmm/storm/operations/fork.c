// SPDX-License-Identifier: GPL-2.0
/* fork(2): memory that a child shares until somebody writes it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"
#include "stamp.h"

#define MOST_PAGES	64
#define CHILD_US	500
#define CHILD_PATTERN	0x6b6b6b6b6b6b6b6bull

/* How a child ends: all was right, it had nothing to look at, or a page has changed. */
enum {
	CHILD_FINE,
	CHILD_IDLE,
	CHILD_FIRST_PAGE,
};

/* Another operation may have unmapped a page: the kernel says so, a load would be fatal. */
static bool copy_own(char *copy, const char *page)
{
	struct iovec to = { copy, GUEST_PAGE_SIZE };
	struct iovec from = { (void *)page, GUEST_PAGE_SIZE };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == GUEST_PAGE_SIZE;
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
 * In the child: its pages are its own, whoever writes the parent's. At the end it writes
 * some, which the parent's judges call foreign if they ever see it.
 */
static int watch_pages(const struct scene *scene)
{
	static char copies[MOST_PAGES][GUEST_PAGE_SIZE], now[GUEST_PAGE_SIZE];
	bool there[MOST_PAGES], any = false;

	for (uint32_t i = 0; i < scene->count && i < MOST_PAGES; i++) {
		there[i] = copy_own(copies[i], scene->hva + (size_t)i * GUEST_PAGE_SIZE);
		any |= there[i];
	}
	usleep(CHILD_US);
	for (uint32_t i = 0; i < scene->count && i < MOST_PAGES; i++) {
		char *page = scene->hva + (size_t)i * GUEST_PAGE_SIZE;

		if (!there[i] || !copy_own(now, page))
			continue;
		if (memcmp(now, copies[i], sizeof(now)))
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

/**
 * act_fork - a child that looks at its pages while the parent's are written, and writes them
 */
ACT(fork)
{
	pid_t child = fork();
	int status, error;

	if (child < 0)
		return -errno;
	if (!child)
		_exit(watch_pages(scene));
	error = await_child(child, &status);
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
