/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A script says what discarders do, one operation after the other. It is text, a line an item:
 *
 *	# a comment
 *	discarder 0
 *	unmap 100 12		operation, first page, pages
 *	barrier			all discarders of the script wait for each other
 *	pause 500		microseconds
 *	discarder 1
 *	...
 *
 * At its end all wait for each other, and it begins again.
 */
#ifndef STORM_SCRIPT_H
#define STORM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hypercall.h"

#define SCRIPT_THREADS	MAX_DISCARDERS

struct memory;
struct operation;

enum script_kind {
	SCRIPT_OPERATION,
	SCRIPT_BARRIER,
	SCRIPT_PAUSE,
};

/**
 * struct script_step - what a discarder does next
 * @kind: which of these
 * @operation: index of the operation
 * @first: number of its first page; microseconds of a pause
 * @count: how many pages
 */
struct script_step {
	enum script_kind kind;
	uint32_t operation;
	uint32_t first;
	uint32_t count;
};

/**
 * struct script_part - the steps of a discarder
 * @steps: a list
 * @count: its length
 * @room: what it is allocated for
 */
struct script_part {
	struct script_step *steps;
	size_t count;
	size_t room;
};

/**
 * struct script - all of them
 * @parts: by discarder
 * @arrived: discarders that have come to a barrier, ever
 */
struct script {
	struct script_part parts[SCRIPT_THREADS];
	uint64_t arrived;
};

void script_read(struct script *script, const char *path);
void script_check(const struct script *script, const struct memory *memory);
void script_free(struct script *script);
bool script_uses(const struct script *script, size_t operation);
void script_wait(struct script *script, const bool *stop);

int script_write(const struct script *script, const char *path);
void script_reserve(struct script_part *part);
void script_append(struct script_part *part, const struct script_step *step);

#endif /* STORM_SCRIPT_H */
