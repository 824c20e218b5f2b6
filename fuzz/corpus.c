// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "corpus.h"
#include "generate.h"
#include "list.h"

/* One program in so many is new altogether. */
#define NEW_ONE_IN	5

/**
 * corpus_add - keep a program
 * @corpus: gets a copy
 * @program: not empty
 */
void corpus_add(struct suite *corpus, const struct program *program)
{
	corpus->program = list_grow(corpus->program, corpus->nr, sizeof(*corpus->program));
	corpus->program[corpus->nr++] = *program;
}

/* Every other time one of the latest quarter: what they lead to is not known yet. */
static const struct program *choose_program(const struct suite *corpus,
					    struct prng *prng)
{
	uint32_t from = 0;

	if (prng_below(prng, 2))
		from = corpus->nr - (corpus->nr + 3) / 4;
	return &corpus->program[from + prng_below(prng, corpus->nr - from)];
}

/**
 * corpus_next - the program to be run next
 * @corpus: to choose from
 * @prng: decides
 * @program: overwritten
 */
void corpus_next(const struct suite *corpus, struct prng *prng,
		 struct program *program)
{
	if (!corpus->nr || !prng_below(prng, NEW_ONE_IN)) {
		generate(program, prng);
		return;
	}
	*program = *choose_program(corpus, prng);
	mutate(program, choose_program(corpus, prng), prng);
}
