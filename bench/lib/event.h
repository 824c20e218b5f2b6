/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that make the kernel invalidate a range, one event each. */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include "basics.h"

/* Questions that need two kinds of event use the first two. */
enum call { MADVISE, MUNMAP, MPROTECT, CALLS };

#define CALLS_THAT_DROP	MPROTECT

/* As in the results. */
extern const char *const calls[CALLS];

/*
 * Discard, unmap or write-protect @events pieces of @length bytes that lie side by side,
 * with one call each. Returns nanoseconds.
 */
uint64_t event_raise(char *at, size_t length, size_t events, enum call call);

#endif /* BENCH_EVENT_H */
