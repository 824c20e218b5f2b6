// SPDX-License-Identifier: GPL-2.0
/*
 * Each round measures each case once before any case is measured again: what the machine
 * does meanwhile affects all of them alike.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define PROGRESS_NS	2000000000

/**
 * bench_value - look up what tells a case from others
 * @one: the case
 * @key: of its variant, or "pages", or "threads"; or NULL
 *
 * Return: the value, or an empty string.
 */
const char *bench_value(const struct bench_case *one, const char *key)
{
	for (size_t i = 0; key && i < VARIANT_MAX && one->variant[i].key; i++)
		if (!strcmp(one->variant[i].key, key))
			return one->variant[i].value;
	if (key && !strcmp(key, "pages"))
		return format("%ju", (uintmax_t)one->pages);
	if (key && !strcmp(key, "threads"))
		return format("%u", one->threads);
	return "";
}

static bool is_wanted(const struct bench *bench, const struct bench_case *one)
{
	for (size_t i = 0; i < bench->nr_only; i++)
		if (strcmp(bench_value(one, bench->only[i].key), bench->only[i].value))
			return false;
	return true;
}

/**
 * bench_add - add a case, unless --only excludes it
 * @bench: the question that is being measured
 * @one: the case; it is copied, what it points to is not
 */
void bench_add(struct bench *bench, const struct bench_case *one)
{
	struct bench_case *copy;

	if (!is_wanted(bench, one))
		return;
	bench->cases = reallocarray(bench->cases, bench->nr_cases + 1, sizeof(*one));
	if (!bench->cases)
		die("out of memory");
	copy = &bench->cases[bench->nr_cases++];
	*copy = *one;
	copy->values = bench_alloc(bench->repetitions * sizeof(*copy->values));
	if (!copy->threads)
		copy->threads = 1;
}

/* Shuffle numbers, the same way in each run of the program. */
static void shuffle_numbers(unsigned int *numbers, unsigned int nr)
{
	static uint32_t state = 1;

	for (unsigned int i = nr; i > 1; i--) {
		unsigned int *a = &numbers[i - 1], *b, other;

		state = state * 1664525 + 1013904223;
		b = &numbers[((uint64_t)state * i) >> 32];
		other = *a;
		*a = *b;
		*b = other;
	}
}

static void measure_case(const struct bench_case *one, struct bench_sample *sample)
{
	if (one->worker)
		worker_ask(one->worker, one->what, sample);
	else
		one->measure(one->data, sample);
}

static void tell_progress(const struct bench *bench, unsigned int round, unsigned int i)
{
	static uint64_t told;

	/* Not into the middle of a table that goes to a pipe. */
	if ((!bench->output && !isatty(STDOUT_FILENO)) ||
	    (told && clock_ns() - told < PROGRESS_NS))
		return;
	told = clock_ns();
	fprintf(stderr, "%s: round %u of %u, case %u of %u\n", bench->question->name,
		round, bench->repetitions, i + 1, bench->nr_cases);
}

static void run_round(const struct bench *bench, const unsigned int *order,
		      unsigned int round)
{
	for (unsigned int i = 0; i < bench->nr_cases; i++) {
		struct bench_case *one = &bench->cases[order[i]];
		struct bench_sample sample = { 0 };

		if (one->enough && (!round || round > one->enough))
			continue;
		tell_progress(bench, round, i);
		measure_case(one, &sample);
		if (!round)
			continue;
		sample.value = results_convert(one, sample.value);
		results_write(bench, one, &sample, round);
		one->values[one->nr_values++] = sample.value;
		one->last = sample;
	}
}

/**
 * bench_run - measure all cases
 * @bench: the question that is being measured
 *
 * Round 0 warms up and is thrown away. Round 1 measures in the order in which cases were
 * added, so that the results come in that order.
 */
void bench_run(struct bench *bench)
{
	unsigned int *order = bench_alloc(bench->nr_cases * sizeof(*order));

	if (!bench->nr_cases)
		die("there is nothing to measure here");
	for (unsigned int i = 0; i < bench->nr_cases; i++)
		order[i] = i;
	for (unsigned int round = 0; round <= bench->repetitions; round++) {
		run_round(bench, order, round);
		if (round)
			shuffle_numbers(order, bench->nr_cases);
	}
	free(order);
}
