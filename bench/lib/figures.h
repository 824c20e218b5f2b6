/* SPDX-License-Identifier: GPL-2.0 */
/* Several figures of one measurement, each a case of its own. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "bench.h"

#define FIGURES_MAX	9

/**
 * struct figures - one measurement
 * @measure: measures, and sets @value and @sample
 * @data: for @measure
 * @value: the figures
 * @sample: what all cases report besides their value
 * @taken: a bit for each figure that was reported since the last measurement
 */
struct figures {
	void (*measure)(struct figures *figures);
	void *data;
	double value[FIGURES_MAX];
	struct bench_sample sample;
	unsigned int taken;
};

/* One figure: its index, its name in the results, its unit or NULL. */
struct figure {
	unsigned int index;
	const char *what;
	const char *unit;
};

/* The figures of a list of times. */
enum { FIGURE_MEAN, FIGURE_P50, FIGURE_P99, FIGURE_MAX, FIGURES_OF_TIMES };

void figures_add(struct bench *bench, struct figures *figures,
		 const struct bench_case *like, const struct figure *list,
		 size_t nr);
void figures_of_times(struct figures *figures, uint64_t *times, size_t nr);

#endif /* BENCH_FIGURES_H */
