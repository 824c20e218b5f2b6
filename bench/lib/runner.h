/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A running engine: on another processor than those who measure, it touches page after
 * page in the background, so that windows follow each other with hardly a pause.
 *
 * A process of its own starts its jobs, and has no other business in the memory that is
 * measured: the kernel's own TLB flushes there do not concern its processor.
 */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include <sys/types.h>

struct runner_shared;

/**
 * struct runner - the process
 * @pid: its number
 * @ask: pipe; a byte, run
 * @shared: how it stops
 */
struct runner {
	pid_t pid;
	int ask;
	struct runner_shared *shared;
};

void runner_show(int mirror);
int runner_engine(int mirror);
void runner_start(struct runner *runner, int engine, unsigned int cpu);
void runner_go(const struct runner *runner);
void runner_halt(const struct runner *runner);

#endif /* BENCH_RUNNER_H */
