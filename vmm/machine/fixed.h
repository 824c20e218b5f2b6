/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of the fixed region that nobody has a reason to write: descriptors, page
 * tables and code of the guest. Whether it is as it was tells who broke a vCPU that
 * cannot go on: its memory, or the machine.
 */
#ifndef VMM_FIXED_H
#define VMM_FIXED_H

#include <stdbool.h>
#include "memory.h"

/**
 * struct fixed - what the guest's constant memory held
 * @memory: the guest's memory
 * @copy: the copy of it
 */
struct fixed {
	const struct memory *memory;
	char *copy;
};

void fixed_take(struct fixed *fixed, const struct memory *memory);
bool fixed_intact(const struct fixed *fixed);
void fixed_free(struct fixed *fixed);

#endif /* VMM_FIXED_H */
