/* SPDX-License-Identifier: GPL-2.0 */
/* A process that is looked at from outside. */
#ifndef ATTACH_TARGET_H
#define ATTACH_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct target - the process
 * @pid: its number
 * @proc: its folder in /proc; of this very process, should the number be reused
 * @name: what it is called; printable
 */
struct target {
	pid_t pid;
	int proc;
	char name[20];
};

char *target_make_printable(char *name);
void target_open(struct target *target, pid_t pid);
bool target_alive(const struct target *target);
uint64_t target_merged(const struct target *target);

#endif /* ATTACH_TARGET_H */
