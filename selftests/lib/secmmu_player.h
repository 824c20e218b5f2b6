/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other side of an actor: the process that plays it, and what it shares with the
 * test. Only secmmu_actor.c needs this.
 */
#ifndef SECMMU_PLAYER_H
#define SECMMU_PLAYER_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

#include "secmmu_actor.h"

/**
 * struct line - one thread's orders and answers
 * @ordered: number of the last order; the test writes it
 * @done: number of the last answer; the thread writes it
 * @tid: the thread, for the kernel
 * @op: what to do
 * @arg: ... and with what
 * @result: zero or an error
 * @value: more of the answer
 */
struct line {
	unsigned int ordered;
	unsigned int done;
	pid_t tid;
	enum actor_op op;
	__u64 arg[5];
	int result;
	__u64 value;
};

/**
 * struct actor_shared - what both sides see
 * @mem: address of the memory, in the player
 * @pages: size of the memory
 * @huge: kilobytes of huge pages in it, at the start
 * @line: one for each thread
 */
struct actor_shared {
	char *mem;
	long pages;
	long huge;
	struct line line[ACTOR_THREADS];
};

/**
 * struct player_start - what it is told when it starts
 * @shared: orders and answers
 * @dev: the device
 * @sock: where its descriptors go: the first mirror and the engines of that
 * @pages: size of its memory
 * @policy: of its mirrors
 * @batch: likewise
 * @huge: the memory is to be of huge pages
 */
struct player_start {
	struct actor_shared *shared;
	int dev, sock;
	long pages;
	__u32 policy, batch;
	bool huge;
};

/*
 * For child_start(), with a struct player_start: sets up, hands the descriptors over,
 * then does as told.
 */
int player_run(void *data);

#endif /* SECMMU_PLAYER_H */
