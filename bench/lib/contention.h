/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Acquisitions of kernel locks that had to wait, told apart by whose locks these are. The kernel's
 * own tracing counts them: a probe at each function that begins to wait, and a histogram of
 * stacks. One user at a time; what fails ends the program.
 */
#ifndef BENCH_CONTENTION_H
#define BENCH_CONTENTION_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct contention - acquisitions that had to wait
 * @module: of locks that functions of the module take
 * @rest: of all other locks
 */
struct contention {
	uint64_t module;
	uint64_t rest;
};

/* Can this kernel count them? */
bool contention_is_counted(void);
void contention_begin(void);
/* Stop counting. @module: the beginning of its name. */
void contention_end(const char *module, struct contention *counts);

#endif /* BENCH_CONTENTION_H */
