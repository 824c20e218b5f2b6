/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stopping a process, all its threads, without its parent noticing. Who stops it
 * is its tracer: should this program die, the process goes on.
 */
#ifndef ATTACH_FREEZE_H
#define ATTACH_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct frozen - a stopped thread
 * @tid: its number
 * @stopped: it has stopped, or ended
 * @signal: what it was about to receive then, to be delivered in the end
 */
struct frozen {
	pid_t tid;
	bool stopped;
	int signal;
};

/**
 * struct freeze - a stopped process
 * @threads: its threads
 * @count: how many
 */
struct freeze {
	struct frozen *threads;
	size_t count;
};

int freeze_begin(struct freeze *freeze, int proc);
void freeze_end(struct freeze *freeze);

#endif /* ATTACH_FREEZE_H */
