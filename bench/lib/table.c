// SPDX-License-Identifier: GPL-2.0
/* A table with a line for each case, to be read where the question was measured. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define COLUMNS	(VARIANT_MAX + 2)

static const char *key_of(const struct bench_case *one, unsigned int column)
{
	return column < VARIANT_MAX ? one->variant[column].key :
	       column == VARIANT_MAX ? "pages" : "threads";
}

static int compare_values(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/* The median, half of the interquartile range, and the flushes of the last measurement. */
static void print_numbers(const struct bench_case *one)
{
	double *sorted = one->values, median, spread;
	unsigned int last = one->nr_values - 1;

	qsort(sorted, one->nr_values, sizeof(*sorted), compare_values);
	median = (sorted[last / 2] + sorted[(last + 1) / 2]) / 2;
	spread = (sorted[last - last / 4] - sorted[last / 4]) / 2;
	printf("%12.*f %-12s ±%3.0f%%", median < 100 ? 2 : 0, median, results_unit(one),
	       median ? 100 * spread / median : 0);
	if (one->last.counted)
		printf("  %8ju", (uintmax_t)one->last.flushes);
	putchar('\n');
}

/**
 * table_print - print a line for each case
 * @bench: a question that was measured
 */
void table_print(const struct bench *bench)
{
	int width[COLUMNS] = { 0 };

	for (unsigned int i = 0; i < COLUMNS * bench->nr_cases; i++) {
		const struct bench_case *one = &bench->cases[i / COLUMNS];
		const char *key = key_of(one, i % COLUMNS);
		int *w = &width[i % COLUMNS];

		if (key && *w < (int)strlen(key))
			*w = strlen(key);
		if (key && *w < (int)strlen(bench_value(one, key)))
			*w = strlen(bench_value(one, key));
	}
	printf("\n%s\n", bench->question->asks);
	for (unsigned int i = 0; i < COLUMNS; i++)
		if (width[i])
			printf("%-*s  ", width[i], key_of(&bench->cases[0], i));
	printf("%12s %-12s %6s  %8s\n", "median", "", "spread", "flushes");
	for (unsigned int n = 0; n < bench->nr_cases; n++) {
		for (unsigned int i = 0; i < COLUMNS; i++)
			if (width[i])
				printf("%-*s  ", width[i],
				       bench_value(&bench->cases[n],
						   key_of(&bench->cases[n], i)));
		if (bench->cases[n].nr_values)
			print_numbers(&bench->cases[n]);
	}
}
