/* SPDX-License-Identifier: GPL-2.0 */
/* What was done to which pages lately, for whoever finds one of them wrong. */
#ifndef STORM_HISTORY_H
#define STORM_HISTORY_H

#include <stdint.h>

/* Operations that are remembered; older ones are forgotten. */
#define HISTORY_DEEDS	4096

/**
 * struct history_deed - an operation that was performed
 * @turn: number of the deed + 1; 0 while it is filled in
 * @begin: when it began, in microseconds since the storm did
 * @end: when it had returned; 0: it has not
 * @first: number of its first page
 * @count: how many
 * @error: what it returned
 * @who: the thread
 * @what: the operation
 */
struct history_deed {
	uint64_t turn;
	uint64_t begin;
	uint64_t end;
	uint32_t first;
	uint32_t count;
	int error;
	const char *who;
	const char *what;
};

/**
 * struct history - the last deeds of all threads
 * @start: when the storm began, in nanoseconds
 * @turns: deeds so far
 * @deeds: a ring
 */
struct history {
	uint64_t start;
	uint64_t turns;
	struct history_deed deeds[HISTORY_DEEDS];
};

void history_start(struct history *history);
uint64_t history_begin(struct history *history, const char *who, const char *what,
		       uint32_t first, uint32_t count);
void history_end(struct history *history, uint64_t turn, int error);
void history_print(const struct history *history, uint32_t page);

#endif /* STORM_HISTORY_H */
