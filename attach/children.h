/* SPDX-License-Identifier: GPL-2.0 */
/* Processes and their parents, as /proc tells them. */
#ifndef ATTACH_CHILDREN_H
#define ATTACH_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct child - a process with a parent
 * @pid: its number
 * @parent: its parent's
 * @began: when it began, in clock ticks; tells it from others of the same number
 * @alive: it has not ended yet
 * @has_memory: it has an address space: kernel threads have none, and a process that ends gives
 *	it up before it has ended
 */
struct child {
	pid_t pid;
	pid_t parent;
	uint64_t began;
	bool alive;
	bool has_memory;
};

/**
 * struct children - all processes of the machine
 * @list: them
 * @count: how many
 */
struct children {
	struct child *list;
	size_t count;
};

void children_read(struct children *children);
bool children_look(pid_t pid, struct child *child);

#endif /* ATTACH_CHILDREN_H */
