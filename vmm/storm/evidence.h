/* SPDX-License-Identifier: GPL-2.0 */
/* By what a run knows that an operation has reached its path in the kernel. */
#ifndef STORM_EVIDENCE_H
#define STORM_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>
#include "operation.h"

/* Of an entry of /proc/PID/pagemap. */
#define PAGEMAP_PRESENT		(1ull << 63)
#define PAGEMAP_SWAPPED		(1ull << 62)
#define PAGEMAP_USERFAULT_WP	(1ull << 57)
#define PAGEMAP_SOFT_DIRTY	(1ull << 55)
#define PAGEMAP_FRAME		((1ull << 55) - 1)

/**
 * struct evidence - what was seen before
 * @value: the entry of the page, or the counter
 */
struct evidence {
	uint64_t value;
};

uint64_t pagemap_entry(const void *hva);
uint64_t vmstat_counter(const char *name);
void evidence_begin(struct evidence *evidence, const struct scene *scene);
bool evidence_end(const struct evidence *evidence, const struct scene *scene);

#endif /* STORM_EVIDENCE_H */
