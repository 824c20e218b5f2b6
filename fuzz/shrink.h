/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shrinking: what can be left out of programs that fail, so that they still fail? By
 * halves, quarters and so on: first whole programs, then operations; then what is
 * left is made simpler.
 */
#ifndef FUZZ_SHRINK_H
#define FUZZ_SHRINK_H

#include <stdbool.h>

#include "program.h"

/**
 * struct shrinker - how to shrink
 * @fails: whether these programs, in this order, fail
 * @data: for @fails
 * @tries: how often @fails may still be called
 */
struct shrinker {
	bool (*fails)(const struct suite *suite, void *data);
	void *data;
	unsigned int tries;
};

void shrink(struct shrinker *shrinker, struct suite *suite);

#endif /* FUZZ_SHRINK_H */
