// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "figures.h"

/**
 * struct part - data of one case
 * @figures: the measurement
 * @index: which of its figures
 */
struct part {
	struct figures *figures;
	unsigned int index;
};

/* The first case of a measurement that a round comes to measures for all of them. */
static void measure_part(void *data, struct bench_sample *sample)
{
	const struct part *part = data;
	struct figures *figures = part->figures;
	unsigned int bit = 1u << part->index;

	if (figures->taken & bit) {
		figures->measure(figures);
		figures->taken = 0;
	}
	figures->taken |= bit;
	*sample = figures->sample;
	sample->value = figures->value[part->index];
}

/**
 * figures_add - add the cases of a measurement
 * @bench: the question that is being measured
 * @figures: the measurement
 * @like: what the cases have in common; each gets one more member "what" in its variant
 * @list: the figures
 * @nr: how many
 */
void figures_add(struct bench *bench, struct figures *figures,
		 const struct bench_case *like, const struct figure *list, size_t nr)
{
	size_t last = 0;

	while (like->variant[last].key)
		last++;
	figures->taken = ~0u;
	for (size_t i = 0; i < nr; i++) {
		struct part *part = bench_alloc(sizeof(*part));
		struct bench_case one = *like;

		*part = (struct part) { figures, list[i].index };
		one.variant[last].key = "what";
		one.variant[last].value = list[i].what;
		one.unit = list[i].unit;
		one.measure = measure_part;
		one.data = part;
		bench_add(bench, &one);
	}
}

static int compare_times(const void *one, const void *other)
{
	const uint64_t *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

/**
 * figures_of_times - compute mean and percentiles
 * @figures: where to put them
 * @times: the times; sorted on return
 * @nr: how many
 */
void figures_of_times(struct figures *figures, uint64_t *times, size_t nr)
{
	double sum = 0;

	qsort(times, nr, sizeof(*times), compare_times);
	for (size_t i = 0; i < nr; i++)
		sum += (double)times[i];
	figures->value[FIGURE_MEAN] = sum / (double)nr;
	figures->value[FIGURE_P50] = (double)times[nr / 2];
	figures->value[FIGURE_P99] = (double)times[nr - 1 - nr / 100];
	figures->value[FIGURE_MAX] = (double)times[nr - 1];
}
