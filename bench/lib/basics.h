/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file here uses: the clock, memory, processors, the end of the program. A
 * function that fails ends the program with a sentence.
 */
#ifndef BENCH_BASICS_H
#define BENCH_BASICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "message.h"
#include "own_mirror.h"

#define PAGE		4096ul
#define LARGE		(512 * PAGE)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/**
 * struct bench_sample - one measurement
 * @value: nanoseconds, or what the case's unit says
 * @again: measure again: an engine that should run got no processor
 * @counted: there was a mirror, and the next two are what it did
 * @flushes: TLB flushes of the mirror
 * @interrupts: processors that it interrupted
 */
struct bench_sample {
	double value;
	bool again;
	bool counted;
	uint64_t flushes;
	uint64_t interrupts;
};

/* Memory that holds zeroes. */
void *bench_alloc(size_t size);
/* Open a device; if it is missing, @advice says what to do. */
int bench_open(const char *path, const char *advice);
/* Refuse to change a machine that is not the test VM; @what: "overwrites the disk". */
void bench_need_permission(const char *what);

/* Private and anonymous memory; memory that a forked process shares. */
void *map_memory(size_t length);
void *map_shared(size_t length);
/* Private memory that begins at a multiple of @alignment, and is mapped nowhere else. */
char *map_aligned(size_t length, size_t alignment);
void forbid_huge_pages(void);
void discard_memory(void *at, size_t length);

/* Tell what a mirror has done since @before; @after is filled in. */
void bench_count(int mirror, const struct secmmu_stats *before, struct secmmu_stats *after,
		 struct bench_sample *sample);

/* Call one of these before there are threads. */
unsigned int count_cpus(void);
/* Stay on one of these processors; the last one stands in for those that are missing. */
void pin_to_cpu(unsigned int index);
/* Let count_cpus() and pin_to_cpu() know two processors only. */
void limit_to_two_cpus(void);

#endif /* BENCH_BASICS_H */
