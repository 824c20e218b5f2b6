// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "threads.h"

#define TASKS		"/proc/self/task"
#define ENTRIES_BYTES	4096
#define TEXT_BYTES	4096
#define LINE_BYTES	512

/* Fields of a stat file, as proc(5) counts them. */
#define FIELD_USER	14u
#define FIELD_KERNEL	15u
#define FIELD_GUEST	43u

/* A file of a thread; what cannot be read is empty. Returns 0 or a negative errno. */
static int read_file(const char *thread, const char *name, char *text)
{
	char path[64];
	ssize_t size;
	int fd;

	text[0] = '\0';
	snprintf(path, sizeof(path), TASKS "/%.16s/%s", thread, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size = read(fd, text, TEXT_BYTES - 1);
	if (size < 0)
		size = -errno;
	close(fd);
	if (size < 0)
		return (int)size;
	text[size] = '\0';
	return 0;
}

/**
 * threads_write - write a line
 * @fd: where to, or -1
 * @line: the line
 */
void threads_write(int fd, const char *line)
{
	if (fd >= 0 && write(fd, line, strlen(line)) < 0)
		return;	/* there is nowhere else to tell it */
}

/* The state is the letter behind the name, which may hold anything. */
static char state_of(const char *stat)
{
	const char *name = strrchr(stat, ')');

	return name && name[1] == ' ' ? name[2] : '?';
}

/* A number in clock ticks; 0 if there is none. */
static unsigned long field_of(const char *stat, unsigned int field)
{
	const char *at = strrchr(stat, ')');

	for (field -= 2; at && field; field--)
		at = strchr(at + 1, ' ');
	return at ? strtoul(at, NULL, 10) : 0;
}

/* A thread that runs has no stack to show, so see where it spends a second. */
static void tell_modes(int fd, const char *thread, char *stat)
{
	unsigned long ms = 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
	unsigned long user = field_of(stat, FIELD_USER), kernel = field_of(stat, FIELD_KERNEL);
	unsigned long guest = field_of(stat, FIELD_GUEST);
	static char line[LINE_BYTES];

	if (fd >= 0)
		sleep(1);
	read_file(thread, "stat", stat);
	user = field_of(stat, FIELD_USER) - user;
	kernel = field_of(stat, FIELD_KERNEL) - kernel;
	guest = field_of(stat, FIELD_GUEST) - guest;
	snprintf(line, sizeof(line), "    of a second it spends %lu ms in user mode, %lu ms in the "
		 "kernel, %lu ms in a guest\n", (user - guest) * ms, kernel * ms, guest * ms);
	threads_write(fd, line);
}

static void tell_stack(int fd, const char *thread)
{
	static char stack[TEXT_BYTES], line[LINE_BYTES];
	int ret = read_file(thread, "stack", stack);

	if (ret) {
		snprintf(line, sizeof(line), "    (its stack cannot be read: %s)\n",
			 strerror(-ret));
		threads_write(fd, line);
	}
	for (char *at = stack, *end; *at; at = end) {
		end = at + strcspn(at, "\n");
		snprintf(line, sizeof(line), "    %.*s\n", (int)(end - at), at);
		threads_write(fd, line);
		end += *end == '\n';
	}
}

static void tell_thread(int fd, const char *thread)
{
	static char name[TEXT_BYTES], stat[TEXT_BYTES], where[TEXT_BYTES];
	static char line[LINE_BYTES];

	/* It has ended meanwhile. */
	if (read_file(thread, "comm", name) || read_file(thread, "stat", stat))
		return;
	name[strcspn(name, "\n")] = '\0';
	read_file(thread, "wchan", where);
	snprintf(line, sizeof(line), "  thread \"%.32s\" (%.16s), state %c, in %.64s\n",
		 name, thread, state_of(stat),
		 *where && strcmp(where, "0") ? where : "no place to wait");
	threads_write(fd, line);
	if (fd < 0 || state_of(stat) == 'R')
		tell_modes(fd, thread, stat);
	tell_stack(fd, thread);
}

/**
 * threads_tell - tell where all threads of this process are, but for the caller
 * @fd: where to tell it, or -1, to have everything that this takes in memory
 *
 * Allocates nothing, and touches no memory that an earlier call has not touched.
 */
void threads_tell(int fd)
{
	static char entries[ENTRIES_BYTES] __attribute__((aligned(8)));
	pid_t self = (pid_t)syscall(SYS_gettid);
	int folder = open(TASKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t size;

	if (folder < 0)
		return;
	while ((size = getdents64(folder, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *entry = (void *)(entries + at);

			at += entry->d_reclen;
			if (entry->d_name[0] != '.' &&
			    (fd < 0 || atoi(entry->d_name) != self))
				tell_thread(fd, entry->d_name);
		}
	}
	close(folder);
}
