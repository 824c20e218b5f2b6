/* SPDX-License-Identifier: GPL-2.0 */
/* A process that lives in freed memory and notices who writes there. */
#ifndef VMM_CANARY_H
#define VMM_CANARY_H

#include <stdint.h>
#include <sys/types.h>
#include "report.h"

/**
 * struct canary_status - written by the child, read by the parent
 * @pages: pages held so far
 * @violations: pages found changed
 * @word: index of the first changed word in the first such page
 * @value: that word
 */
struct canary_status {
	uint64_t pages;
	uint64_t violations;
	uint64_t word;
	uint64_t value;
};

/**
 * struct canary - the parent's end
 * @pid: the child, or 0
 * @pipe: writing end; closing it (dying will do) ends the child
 * @status: shared with the child
 * @reported: violations reported so far
 * @gone: it has ended before it was stopped
 */
struct canary {
	pid_t pid;
	int pipe;
	struct canary_status *status;
	uint64_t reported;
	bool gone;
};

void canary_start(struct canary *canary);
uint64_t canary_report(struct canary *canary, struct report *report);
void canary_stop(struct canary *canary);

#endif /* VMM_CANARY_H */
