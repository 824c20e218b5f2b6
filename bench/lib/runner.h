/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A running engine: on a processor other than those of the measurement, it touches page
 * after page in the background, so that windows follow each other with hardly a pause.
 *
 * A process of its own starts the jobs. It does not use the memory that is measured, so
 * the kernel's own TLB flushes for that memory do not go to its processor.
 */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include "worker.h"

/**
 * struct runner - the process
 * @worker: it
 * @engine: the engine
 * @cpu: the index of its processor
 * @shared: memory of both processes
 */
struct runner {
	struct worker worker;
	int engine;
	unsigned int cpu;
	struct runner_shared *shared;
};

void runner_show(int mirror);
void runner_start(struct runner *runner, int engine, unsigned int cpu);
void runner_go(const struct runner *runner);
void runner_halt(const struct runner *runner);

#endif /* BENCH_RUNNER_H */
