/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A question, and the cases that answer it. A file qNN_NAME.c defines one struct question,
 * and nothing else needs to know it: main.c finds it, and report.pl asks the program for
 * tables, axes and targets (secmmu-bench --describe).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>

#include "basics.h"
#include "worker.h"

/* Everything; what takes a few minutes; the least that shows that it works. */
enum bench_grid { BENCH_FULL, BENCH_QUICK, BENCH_TINY, BENCH_GRIDS };

#define VARIANT_MAX	4

struct pair {
	const char *key;
	const char *value;
};

/**
 * struct bench_case - one way of doing the thing that the question is about
 * @variant: what tells this case from others: keys and values
 * @unit: NULL for the clock's
 * @pages: pages that one measurement is about, or zero
 * @threads: threads at work, or zero for one
 * @enough: if not zero: measure the case in the first @enough rounds only and do not warm
 *	up, because it takes long
 * @worker: the process that measures the case, or NULL
 * @what: for the worker
 * @measure: without a worker: measures once
 * @data: for @measure
 * @values: the values of all rounds so far
 * @nr_values: how many
 * @last: the last measurement
 */
struct bench_case {
	struct pair variant[VARIANT_MAX];
	const char *unit;
	uint64_t pages;
	unsigned int threads;
	unsigned int enough;
	const struct worker *worker;
	unsigned char what;
	void (*measure)(void *data, struct bench_sample *sample);
	void *data;
	double *values;
	unsigned int nr_values;
	struct bench_sample last;
};

/**
 * struct bench - a question that is being measured
 * @question: the question
 * @grid: how much to measure
 * @test_build: a test build of the driver is loaded: only cases that need one are added,
 *	and their variants get a member "build"
 * @repetitions: rounds, not counting the first one, which warms up
 * @only: cases without one of these pairs are left out
 * @nr_only: how many pairs
 * @output: where raw results go, or NULL
 * @table: print a table at the end
 * @cases: the cases, in the order in which they were added
 * @nr_cases: how many
 */
struct bench {
	const struct question *question;
	enum bench_grid grid;
	bool test_build;
	unsigned int repetitions;
	struct pair only[VARIANT_MAX];
	size_t nr_only;
	FILE *output;
	bool table;
	struct bench_case *cases;
	unsigned int nr_cases;
};

/**
 * struct target - a limit for a ratio of medians, or for one median
 * @what: describes the value; "the same" refers to the target before
 * @value: "[CASE]", "[CASE] - [CASE]" or "[CASE] / [CASE]", where CASE is "key=value, ..."
 * @of: what @value is divided by, in the same form; or NULL
 * @limit: the value must not be larger
 */
struct target {
	const char *what;
	const char *value;
	const char *of;
	double limit;
};

/**
 * struct question - one question, all that there is to know about it
 * @word: its name on the command line
 * @name: its number and name in the results
 * @asks: the question, in one sentence
 * @text: stands above the table of results
 * @rows: the keys that tell the lines of the table, and the series of the plot, apart
 * @across: the key that tells the columns, and the points of a series, apart; or NULL
 * @plot: lines, with the axes that have a logarithmic scale ("xy"), or "bars"; NULL for no
 *	plot
 * @panels: the keys whose values bars have a panel each for, with a scale of its own
 * @plotted: the cases that are plotted, "key=value, key!=value"; NULL for all
 * @each: "key=value|value, ...": each target stands for one target for each combination;
 *	{key} in @what is its value, and each CASE that does not name the key has it
 * @targets: the targets; ends with an empty one; or NULL
 * @enough: if not zero: the most rounds that are worth their time
 * @needs: a file without which there is nothing to measure; or NULL
 * @of_test_build: has cases that need a test build
 * @add_cases: adds the cases; the program is on its first processor by then
 */
struct question {
	const char *word;
	const char *name;
	const char *asks;
	const char *text;
	const char *rows[VARIANT_MAX];
	const char *across;
	const char *plot;
	const char *panels[VARIANT_MAX];
	const char *plotted;
	const char *each;
	const struct target *targets;
	unsigned int enough;
	const char *needs;
	bool of_test_build;
	void (*add_cases)(struct bench *bench);
};

/* Let main.c find a question: the linker collects these pointers. */
#define BENCH_QUESTION(name)						\
	static const struct question name;				\
	static const struct question *const name##_pointer		\
		__attribute__((used, section("questions"))) = &name;	\
	static const struct question name

/* rounds.c */
const char *bench_value(const struct bench_case *one, const char *key);
void bench_add(struct bench *bench, const struct bench_case *one);
void bench_run(struct bench *bench);

/* results.c: one line of JSON for each raw result. */
void results_inspect_machine(void);
/* @ns in the unit of the case, which results_unit() names. */
double results_convert(const struct bench_case *one, double ns);
const char *results_unit(const struct bench_case *one);
void results_write(const struct bench *bench, const struct bench_case *one,
		   const struct bench_sample *sample, unsigned int round);
void results_describe(const struct question *const *questions, size_t nr);

/* table.c */
void table_print(const struct bench *bench);

#endif /* BENCH_H */
