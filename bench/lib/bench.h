/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all benchmarks share: options, repetitions, the clock, one JSON line per
 * raw result.
 *
 * A program answers one question. It adds cases, each a way of doing the thing
 * asked about, and bench_run() measures all of them once before any is repeated:
 * what the machine does meanwhile hits all alike.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How much to measure: all; what fits into a few minutes; that it works at all. */
enum bench_grid { BENCH_FULL, BENCH_QUICK, BENCH_TINY, BENCH_GRIDS };

/**
 * struct bench_sample - one measurement
 * @value: nanoseconds, or what the case's unit says
 * @counted: there was a mirror, and the next two are what it did
 * @flushes: TLB flushes of the mirror
 * @interrupts: processors it interrupted
 */
struct bench_sample {
	double value;
	bool counted;
	uint64_t flushes;
	uint64_t interrupts;
};

/**
 * struct bench_case - one way of doing the thing
 * @variant: what tells it from other cases: the members of a JSON object
 * @unit: NULL for nanoseconds
 * @pages: pages that one measurement is about, or zero
 * @threads: threads at work
 * @enough: measure it in the first so many rounds only, without warming up: for what
 *	is dear; or zero
 * @measure: measures once; ends the program if it cannot
 * @data: for @measure
 */
struct bench_case {
	char *variant;
	const char *unit;
	uint64_t pages;
	unsigned int threads;
	unsigned int enough;
	void (*measure)(void *data, struct bench_sample *sample);
	void *data;
};

/**
 * struct bench - a benchmark
 * @name: number of the question and a word, as "Q6 join"
 * @about: one sentence for --help
 * @enough: repetitions that are enough, because results hardly vary or take long, or
 *	zero
 * @grid: how much to measure
 * @test_build: a test build of the driver is loaded: add only cases that need one;
 *	results get a member "build" in their variant
 * @repetitions: of each case, not counting the first one, which warms up
 * @output: where results go
 * @cases: what was added
 * @nr_cases: how many
 */
struct bench {
	const char *name;
	const char *about;
	unsigned int enough;
	enum bench_grid grid;
	bool test_build;
	unsigned int repetitions;
	FILE *output;
	struct bench_case *cases;
	unsigned int nr_cases;
};

void bench_init(struct bench *bench, int argc, char **argv);
void bench_add(struct bench *bench, const struct bench_case *one);
void bench_run(struct bench *bench);

uint64_t bench_now(void);
void bench_changes(const char *what);
int bench_open(const char *path, const char *advice);
unsigned int bench_cpus(void);
void bench_pin(unsigned int index);
char *bench_text(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void bench_die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));

#endif /* BENCH_H */
