// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "inside.h"
#include "threads.h"

#define TASKS		"/proc/self/task"
#define ENTRIES_BYTES	4096
#define TEXT_BYTES	4096
#define LINE_BYTES	512
#define THREADS		64

/* "l" has the kernel's log say where each processor is. */
#define SYSRQ		"/proc/sysrq-trigger"
/* Who spends so much of a second in the kernel, and hardly any outside, does not leave it. */
#define BUSY_MS		500

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

/* Where threads spend their time, in clock ticks; more threads than a storm has. */
static struct work {
	int thread;
	unsigned long user;
	unsigned long kernel;
	unsigned long guest;
} works[THREADS];

/* Room for the thread is where it was, or after the last. NULL if there is none. */
static struct work *work_of(int thread)
{
	for (unsigned int i = 0; i < THREADS; i++)
		if (works[i].thread == thread || !works[i].thread)
			return &works[i];
	return NULL;
}

/* One that does not get on does not leave the kernel. */
static bool hangs;

static void note_work(int fd, const char *thread, const char *suspects)
{
	static char stat[TEXT_BYTES];
	struct work *work = work_of(atoi(thread));

	(void)fd;
	(void)suspects;
	if (!work || read_file(thread, "stat", stat))
		return;
	*work = (struct work) {
		.thread = atoi(thread),
		.user = field_of(stat, FIELD_USER),
		.kernel = field_of(stat, FIELD_KERNEL),
		.guest = field_of(stat, FIELD_GUEST),
	};
}

static long ms_since(unsigned long before, const char *stat, unsigned int field)
{
	return (long)(field_of(stat, field) - before) * (1000 / sysconf(_SC_CLK_TCK));
}

/*
 * A thread that runs has no stack to show. Time in a guest is user time as well. Returns true if it
 * does not leave the kernel.
 */
static bool tell_work(int fd, const char *thread, const char *stat)
{
	const struct work *work = work_of(atoi(thread));
	static char line[LINE_BYTES];
	long user, kernel;

	if (!work || !work->thread)
		return false;
	user = ms_since(work->user, stat, FIELD_USER);
	kernel = ms_since(work->kernel, stat, FIELD_KERNEL);
	snprintf(line, sizeof(line), "    of about a second it spends %ld ms in user mode, %ld of them in "
		 "a guest, and %ld ms in the kernel\n", user,
		 ms_since(work->guest, stat, FIELD_GUEST), kernel);
	threads_write(fd, line);
	return kernel > BUSY_MS && kernel / 9 > user;
}

/* In the test VM only, for the kernel's log is the machine's. Nothing is written with -1 for @fd. */
static void tell_processors(int fd)
{
	int sysrq = access(INSIDE_MARK, F_OK) ? -1 : open(SYSRQ, O_WRONLY | O_CLOEXEC);

	if (sysrq < 0)
		return;
	if (fd >= 0 && write(sysrq, "l", 1) == 1)
		threads_write(fd, "  where processors are in the kernel is in the kernel's log\n");
	close(sysrq);
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

static void tell_thread(int fd, const char *thread, const char *suspects)
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
	if ((fd < 0 || state_of(stat) == 'R') && tell_work(fd, thread, stat))
		hangs |= strstr(suspects, name) != NULL;
	tell_stack(fd, thread);
}

/* All threads but the caller. */
static void visit_threads(void (*visit)(int fd, const char *thread, const char *suspects), int fd,
			  const char *suspects)
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
				visit(fd, entry->d_name, suspects);
		}
	}
	close(folder);
}

/**
 * threads_tell - tell where all threads of this process are, but for the caller
 * @fd: where to tell it, or -1, to have everything that this takes in memory
 * @suspects: has the names of those that do not get on. If one of them does not leave the kernel,
 *	and this is the test VM, the kernel's log says where processors are. testvm takes that
 *	for a complaint
 *
 * Allocates nothing, and touches no memory that an earlier call has not touched. Takes a second.
 */
void threads_tell(int fd, const char *suspects)
{
	memset(works, 0, sizeof(works));
	visit_threads(note_work, fd, suspects);
	if (fd >= 0)
		sleep(1);
	hangs = false;
	visit_threads(tell_thread, fd, suspects);
	if (fd < 0 || hangs)
		tell_processors(fd);
}
