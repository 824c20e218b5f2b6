/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that make the kernel invalidate a range, one event each. */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stddef.h>
#include <stdint.h>

/* Where a benchmark has two kinds, they are the first two. */
enum call { MADVISE, MUNMAP, MPROTECT, CALLS };

#define CALLS_THAT_DROP	MPROTECT

/* As in the results. */
extern const char *const calls[CALLS];

/*
 * Discard, unmap or write-protect memory, so many pieces of @length bytes that lie side
 * by side, one call each. Returns nanoseconds; what fails ends the program.
 */
uint64_t event_raise(char *at, size_t length, size_t events, enum call call);

#endif /* BENCH_EVENT_H */
