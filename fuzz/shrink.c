// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "shrink.h"
#include "world.h"

/* Does it still fail like this? Then that is what we have. */
static bool take_if_failing(struct shrinker *shrinker, struct suite *suite,
			    struct suite *candidate)
{
	bool fails = false;

	if (shrinker->tries && suite_ops(candidate)) {
		shrinker->tries--;
		fails = shrinker->fails(candidate, shrinker->data);
	}
	if (fails) {
		free(suite->program);
		*suite = *candidate;
	} else {
		free(candidate->program);
	}
	return fails;
}

static void remove_programs(struct suite *suite, uint32_t from, uint32_t count)
{
	suite->nr -= count;
	memmove(&suite->program[from], &suite->program[from + count],
		(suite->nr - from) * sizeof(*suite->program));
}

/* Operations are numbered across programs. */
static void remove_ops(struct suite *suite, uint32_t from, uint32_t count)
{
	for (uint32_t i = 0; i < suite->nr; i++) {
		struct program *program = &suite->program[i];
		uint32_t here = 0;

		if (from < program->nr)
			here = count < program->nr - from ? count :
							    program->nr - from;
		if (here) {
			program->nr -= here;
			memmove(&program->op[from], &program->op[from + here],
				(program->nr - from) * sizeof(struct op));
			count -= here;
		}
		from -= from < program->nr ? from : program->nr;
	}
	for (uint32_t i = suite->nr; i-- > 0;)
		if (!suite->program[i].nr)
			remove_programs(suite, i, 1);
}

static uint32_t count_programs(const struct suite *suite)
{
	return suite->nr;
}

/* Leave out what can be left out, in smaller and smaller pieces. */
static void remove_units(struct shrinker *shrinker, struct suite *suite,
			 uint32_t (*count)(const struct suite *suite),
			 void (*remove)(struct suite *suite, uint32_t from,
					uint32_t count))
{
	uint32_t piece = count(suite) / 2;

	while (piece && shrinker->tries) {
		bool any = false;

		/* From the end: what comes first is what the rest stands on. */
		for (uint32_t end = count(suite); end > 0 && shrinker->tries;) {
			uint32_t from = end > piece ? end - piece : 0;
			struct suite candidate;

			suite_copy(&candidate, suite);
			remove(&candidate, from, end - from);
			any |= take_if_failing(shrinker, suite, &candidate);
			end = from;
		}
		/* What was needed for something that has gone may go, too. */
		if (piece > 1 || !any)
			piece /= 2;
	}
}

/* All by thread 0, all in one round. */
static void simplify_program(struct shrinker *shrinker, struct suite *suite,
			     uint32_t i)
{
	struct suite candidate;

	if (suite->program[i].rounds > 1) {
		suite_copy(&candidate, suite);
		candidate.program[i].rounds = 1;
		take_if_failing(shrinker, suite, &candidate);
	}
	if (program_alone(&suite->program[i]) < suite->program[i].nr) {
		suite_copy(&candidate, suite);
		for (uint32_t j = 0; j < candidate.program[i].nr; j++)
			candidate.program[i].op[j].thread = 0;
		take_if_failing(shrinker, suite, &candidate);
	}
}

/* Zero, or if that will not do, one. */
static void simplify_arg(struct shrinker *shrinker, struct suite *suite,
			 uint32_t i, uint32_t j, unsigned int k)
{
	for (uint64_t value = 0; value < 2; value++) {
		struct suite candidate;

		if (suite->program[i].op[j].arg[k] <= value)
			return;
		suite_copy(&candidate, suite);
		candidate.program[i].op[j].arg[k] = value;
		if (take_if_failing(shrinker, suite, &candidate))
			return;
	}
}

/**
 * shrink - make programs that fail small
 * @shrinker: how
 * @suite: the programs; what is left of them on return still fails
 */
void shrink(struct shrinker *shrinker, struct suite *suite)
{
	remove_units(shrinker, suite, count_programs, remove_programs);
	remove_units(shrinker, suite, suite_ops, remove_ops);
	for (uint32_t i = 0; i < suite->nr; i++)
		simplify_program(shrinker, suite, i);
	for (uint32_t i = 0; i < suite->nr; i++)
		for (uint32_t j = 0; j < suite->program[i].nr; j++)
			for (unsigned int k = 0;
			     k < op_args(suite->program[i].op[j].kind); k++)
				simplify_arg(shrinker, suite, i, j, k);
}
