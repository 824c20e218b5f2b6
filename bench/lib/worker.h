/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that measures in an address space of its own: what one case has
 * registered there does not burden the others.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <sys/types.h>

#include "bench.h"

/**
 * struct worker - the process
 * @pid: its number
 * @ask: pipe; a byte, what to measure
 * @answer: pipe; a struct bench_sample
 */
struct worker {
	pid_t pid;
	int ask;
	int answer;
};

void worker_start(struct worker *worker, void (*prepare)(void *data),
		  void (*measure)(void *data, unsigned char what,
				  struct bench_sample *sample),
		  void *data);
void worker_ask(const struct worker *worker, unsigned char what,
		struct bench_sample *sample);
void worker_stop(const struct worker *worker);

#endif /* BENCH_WORKER_H */
