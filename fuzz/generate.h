/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random programs, and random changes of programs, from a generator of numbers and
 * nothing else.
 */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include "prng.h"
#include "program.h"

void generate(struct program *program, struct prng *prng);
void mutate(struct program *program, const struct program *other,
	    struct prng *prng);

#endif /* FUZZ_GENERATE_H */
