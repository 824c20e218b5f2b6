// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "message.h"
#include "target.h"

/* In the "flags" of /proc/N/stat: it has begun to exit. */
#define FLAG_EXITING	0x4

static ssize_t read_text(const struct target *target, const char *file,
			 char *text, size_t room)
{
	int fd = openat(target->proc, file, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return -1;
	size = read(fd, text, room - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	return size;
}

/**
 * target_make_printable - cut a name at the end of its line, and make it printable
 * @name: any name, which a terminal must not obey
 *
 * Return: @name.
 */
char *target_make_printable(char *name)
{
	name[strcspn(name, "\n")] = '\0';
	for (char *at = name; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return name;
}

/**
 * target_open - choose a process
 * @target: filled in
 * @pid: its number
 */
void target_open(struct target *target, pid_t pid)
{
	char path[32];

	target->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	target->proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->proc < 0 && errno == ENOENT)
		die("there is no process %d", pid);
	if (target->proc < 0)
		die("cannot open %s: %s", path, strerror(errno));
	if (read_text(target, "comm", target->name, sizeof(target->name)) <= 0)
		die("there is no process %d any more", pid);
	target_make_printable(target->name);
}

/**
 * target_alive - has the process not ended yet?
 * @target: the process
 *
 * Return: false if it is ending, or has ended.
 */
bool target_alive(const struct target *target)
{
	char text[512], *field;
	unsigned long flags;

	if (read_text(target, "stat", text, sizeof(text)) <= 0)
		return false;
	/* Behind the name, which may hold anything: state, five numbers, flags. */
	field = strrchr(text, ')');
	if (!field || sscanf(field + 2, "%*c %*d %*d %*d %*d %*d %lu", &flags) != 1)
		return false;
	return !(flags & FLAG_EXITING);
}

/**
 * target_merged - count the pages that KSM has merged
 * @target: the process
 *
 * Return: their number as the kernel tells it, which notices what was copied when it
 * comes by the next time; 0 if there is no such number.
 */
uint64_t target_merged(const struct target *target)
{
	char text[32];

	if (read_text(target, "ksm_merging_pages", text, sizeof(text)) <= 0)
		return 0;
	return strtoull(text, NULL, 10);
}
