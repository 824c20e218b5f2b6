// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "fixed.h"
#include "hypercall.h"
#include "message.h"

/* The guest's image has no variables: see guest.lds. */
static const struct {
	uint64_t gpa;
	uint64_t length;
} ranges[] = {
	{ GUEST_TABLES_GPA, GUEST_MAILBOX_GPA - GUEST_TABLES_GPA },
	{ GUEST_IMAGE_GPA, GUEST_IMAGE_SIZE },
};

#define RANGES	(sizeof(ranges) / sizeof(ranges[0]))

/**
 * fixed_take - remember what is there
 * @fixed: filled in
 * @memory: the guest's memory, ready to be run
 */
void fixed_take(struct fixed *fixed, const struct memory *memory)
{
	uint64_t size = 0;
	char *to;

	for (unsigned int i = 0; i < RANGES; i++)
		size += ranges[i].length;
	fixed->memory = memory;
	fixed->copy = malloc(size);
	if (!fixed->copy)
		die("out of memory");
	to = fixed->copy;
	for (unsigned int i = 0; i < RANGES; i++) {
		memcpy(to, memory_range(memory, ranges[i].gpa,
					ranges[i].length), ranges[i].length);
		to += ranges[i].length;
	}
}

/**
 * fixed_intact - is it still there?
 * @fixed: from fixed_take()
 */
bool fixed_intact(const struct fixed *fixed)
{
	const char *was = fixed->copy;

	for (unsigned int i = 0; i < RANGES; i++) {
		if (memcmp(was, memory_range(fixed->memory, ranges[i].gpa,
					     ranges[i].length),
			   ranges[i].length))
			return false;
		was += ranges[i].length;
	}
	return true;
}

/**
 * fixed_free - forget it
 * @fixed: taken or not
 */
void fixed_free(struct fixed *fixed)
{
	free(fixed->copy);
	fixed->copy = NULL;
}
