/* SPDX-License-Identifier: GPL-2.0 */
/* What flushing costs, by policy: one event over many pages. */
#ifndef VMM_FLUSHBENCH_H
#define VMM_FLUSHBENCH_H

#include <stdbool.h>

/**
 * struct flushbench_options - what to measure
 * @points: anything: small points and few repetitions only
 * @json: where to write the table, or NULL
 */
struct flushbench_options {
	const char *points;
	const char *json;
};

int flushbench_run(const struct flushbench_options *options);

#endif /* VMM_FLUSHBENCH_H */
