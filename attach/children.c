// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "children.h"
#include "list.h"
#include "message.h"

/**
 * children_look - look at one process
 * @pid: its number
 * @child: filled in
 *
 * Return: whether there is such a process.
 */
bool children_look(pid_t pid, struct child *child)
{
	char path[32], text[1024], state, *field;
	unsigned long bytes;
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	/* Behind the name, which may hold anything: fields 3, 4, 22 and 23. */
	field = strrchr(text, ')');
	child->pid = pid;
	if (!field || sscanf(field + 2,
			     "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64 " %lu",
			     &state, &child->parent, &child->began, &bytes) != 4)
		return false;
	child->alive = state != 'Z' && state != 'X';
	child->has_memory = bytes;
	return true;
}

/**
 * children_read - list all processes
 * @children: filled in
 */
void children_read(struct children *children)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	struct child child;

	if (!dir)
		die("cannot read /proc: %s", strerror(errno));
	children->count = 0;
	while ((entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || !children_look(pid, &child))
			continue;
		children->list = list_grow(children->list, children->count,
					   sizeof(*children->list));
		children->list[children->count++] = child;
	}
	closedir(dir);
}
