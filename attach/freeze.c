// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "freeze.h"
#include "list.h"
#include "message.h"

/* A thread that has not stopped by then waits for something else. */
#define PATIENCE_MS	10000
#define TURN_US		500

static struct frozen *find_thread(struct freeze *freeze, pid_t tid)
{
	for (size_t i = 0; i < freeze->count; i++)
		if (freeze->threads[i].tid == tid)
			return &freeze->threads[i];
	return NULL;
}

/* A thread that has ended cannot be traced, and needs no stopping. */
static bool has_ended(int tasks, pid_t tid)
{
	char path[32], text[512], *state;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%d/stat", tid);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size <= 0)
		return true;
	text[size] = '\0';
	/* Behind the name, which may hold anything. */
	state = strrchr(text, ')');
	return state && (state[2] == 'Z' || state[2] == 'X');
}

/* Asks a thread to stop. Zero, also if it has ended, or -EPERM after a message. */
static int seize_thread(struct freeze *freeze, int tasks, pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, 0, 0)) {
		if (errno == ESRCH || has_ended(tasks, tid))
			return 0;
		say("cannot stop thread %d: %s; does a debugger hold it?", tid,
		    strerror(errno));
		return -EPERM;
	}
	freeze->threads = list_grow(freeze->threads, freeze->count,
				    sizeof(*freeze->threads));
	freeze->threads[freeze->count++] = (struct frozen) { .tid = tid };
	/* Fails only if it has ended since. */
	ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	return 0;
}

/* Asks all threads not yet asked. Their number, or an errno. */
static int seize_all(struct freeze *freeze, int proc)
{
	int tasks = openat(proc, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t before = freeze->count;
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	if (tasks < 0)
		return -ESRCH;
	dir = fdopendir(tasks);
	if (!dir)
		die("out of memory");
	while (!err && (entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);

		if (tid > 0 && !find_thread(freeze, tid))
			err = seize_thread(freeze, tasks, tid);
	}
	closedir(dir);
	return err ? err : (int)(freeze->count - before);
}

/* Has it stopped by now, or ended? */
static bool has_stopped(struct frozen *thread)
{
	int status;
	pid_t tid = waitpid(thread->tid, &status, __WALL | WNOHANG);

	if (!tid)
		return false;
	thread->stopped = true;
	/* A stop of its own kind, unless a signal was on its way. */
	if (tid > 0 && WIFSTOPPED(status) && !(status >> 16))
		thread->signal = WSTOPSIG(status);
	return true;
}

static int wait_for(struct frozen *thread)
{
	for (int us = 0; us < PATIENCE_MS * 1000; us += TURN_US) {
		if (has_stopped(thread))
			return 0;
		usleep(TURN_US);
	}
	say("thread %d does not stop; it waits for something that no signal interrupts",
	    thread->tid);
	return -EBUSY;
}

/**
 * freeze_begin - stop a process
 * @freeze: filled in
 * @proc: descriptor of the process's folder in /proc
 *
 * Return: 0, all threads being stopped, or a negative errno, none being so:
 * -ESRCH without a message if there is no such process any more, else after one.
 */
int freeze_begin(struct freeze *freeze, int proc)
{
	size_t waited = 0;
	int fresh;

	freeze->count = 0;
	/* Running threads make new ones: until nobody has. */
	while ((fresh = seize_all(freeze, proc)) > 0) {
		for (; waited < freeze->count; waited++) {
			int err = wait_for(&freeze->threads[waited]);

			if (!err)
				continue;
			freeze_end(freeze);
			return err;
		}
	}
	if (!fresh && !freeze->count)
		fresh = -ESRCH;
	if (fresh)
		freeze_end(freeze);
	return fresh;
}

/**
 * freeze_end - let a process go on
 * @freeze: stopped
 */
void freeze_end(struct freeze *freeze)
{
	for (size_t i = 0; i < freeze->count; i++) {
		struct frozen *thread = &freeze->threads[i];

		/* One that has not stopped cannot be let go; our end does it. */
		ptrace(PTRACE_DETACH, thread->tid, 0, thread->signal);
	}
	freeze->count = 0;
}
