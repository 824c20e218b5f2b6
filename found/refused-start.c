// SPDX-License-Identifier: GPL-2.0
/*
 * A subscriber of the list may refuse a range that must not block. The core then forgets
 * that it has begun an invalidation for the interval subscribers: they wait for its end for
 * ever. Here that is a process which has both, is killed, and is reaped by
 * process_mrelease(2) before it takes its memory down itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "dmirror.h"
#include "found.h"
#include "message.h"
#include "module/mn_list.h"

#define MEMORY		(256 * PAGE)
/* An exit takes milliseconds. */
#define EXIT_SECONDS	20

static void __attribute__((noreturn)) be_victim(bool refuse, int ready)
{
	char buffer[PAGE], *memory = map_private(MEMORY);
	int list = open("/dev/" MN_LIST_NAME, O_RDWR | O_CLOEXEC);

	memset(memory, 1, MEMORY);
	dmirror_read(dmirror_open(), memory, buffer);
	if (list < 0)
		die("cannot open /dev/" MN_LIST_NAME ": %s", strerror(errno));
	if (refuse && ioctl(list, MN_LIST_REFUSE))
		die("cannot subscribe: %s", strerror(errno));
	if (write(ready, "", 1) != 1)
		die("cannot tell the parent: %s", strerror(errno));
	for (;;)
		pause();
}

static pid_t start_victim(bool refuse)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		die("cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid)
		be_victim(refuse, ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the process to be killed did not get ready");
	close(ready[0]);
	return pid;
}

/* Kills it, and reaps its memory while it stands at the beginning of its exit. */
static void kill_and_reap(pid_t pid, bool refuse)
{
	int status, ret, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 || ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT))
		die("cannot trace the process: %s", strerror(errno));
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, __WALL) != pid ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8))
		die("the process does not stop at its exit");
	ret = (int)syscall(SYS_process_mrelease, pidfd, 0);
	if (!!ret != refuse || (ret && errno != EAGAIN))
		die("process_mrelease, with %s subscriber: %s", refuse ? "a refusing" : "no",
		    ret ? strerror(errno) : "it succeeds");
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	close(pidfd);
}

static bool ends(pid_t pid)
{
	uint64_t limit = clock_ms() + EXIT_SECONDS * 1000;

	while (clock_ms() < limit) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

/* The function that the process sleeps in. */
static void find_function(pid_t pid, char *function, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(function, size, "?");
	snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
	file = fopen(path, "re");
	if (file && !fgets(function, (int)size, file))
		snprintf(function, size, "?");
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	char function[64];
	pid_t pid;

	begin(argc, argv, "refused-start",
	      "Kills a process that has an interval subscriber, reaps its memory while a "
	      "subscriber of the list refuses, and waits for the process to end.");
	pid = start_victim(false);
	kill_and_reap(pid, false);
	if (!ends(pid))
		die("without a refusal the process does not end either");
	pid = start_victim(true);
	kill_and_reap(pid, true);
	if (ends(pid))
		conclude(false, "process_mrelease: EAGAIN; the process ends");
	find_function(pid, function, sizeof(function));
	conclude(true, "process_mrelease: EAGAIN; after %d s the killed process is still in %s",
		 EXIT_SECONDS, function);
}
