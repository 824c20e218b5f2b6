/* SPDX-License-Identifier: GPL-2.0 */
/* The table that compares flush policies: on the screen and in files. */
#ifndef VMM_FLUSHTABLE_H
#define VMM_FLUSHTABLE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct flushtable_row - a line of the table
 * @policy: name of the flush policy
 * @pages: pages per event
 * @events: events measured
 * @flushes: flushes of all of them
 * @ns_per_page: median over the events
 */
struct flushtable_row {
	const char *policy;
	uint64_t pages;
	uint64_t events;
	uint64_t flushes;
	uint64_t ns_per_page;
};

void flushtable_print(const struct flushtable_row *row, bool header);
int flushtable_write(const char *path, const struct flushtable_row *rows,
		     unsigned int count);
char *flushtable_read(const char *path);

#endif /* VMM_FLUSHTABLE_H */
