/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that measures in an address space of its own, so that a listener that is
 * registered for one case does not slow down the others.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <sys/types.h>

#include "basics.h"

/**
 * struct worker - the process
 * @pid: its number
 * @ask: a pipe; one byte says what to measure
 * @answer: a pipe; a struct bench_sample
 * @next: the worker that was started before
 */
struct worker {
	pid_t pid;
	int ask;
	int answer;
	struct worker *next;
};

void worker_start(struct worker *worker, void (*prepare)(void *data),
		  void (*measure)(void *data, unsigned char what,
				  struct bench_sample *sample),
		  void *data);
/* Let a worker measure; wait for its answer; both. */
void worker_request(const struct worker *worker, unsigned char what);
void worker_await(const struct worker *worker, struct bench_sample *sample);
void worker_ask(const struct worker *worker, unsigned char what,
		struct bench_sample *sample);
/* End all workers, and wait until their address spaces are gone. */
void workers_stop(void);

#endif /* BENCH_WORKER_H */
