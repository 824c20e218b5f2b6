// SPDX-License-Identifier: GPL-2.0
/* Mirrors that come while events are under way. */
#include <stddef.h>
#include <unistd.h>

#include "scenario.h"

static void join(struct arena *arena)
{
	int mirror = mirror_create(arena->device), engine = mirror_engine(mirror, 0);
	uint64_t word;

	mirror_slot(mirror, 0, GPA, arena->memory, PAGES * PAGE);
	for (unsigned int page = 0; page < 2; page++)
		gpa_read(engine, &word, sizeof(word), GPA + page * PAGE);
	arena->numbers[0] = mirror;
	arena->numbers[1] = engine;
}

static void replace_two(struct arena *arena)
{
	for (unsigned int page = 0; page < 2; page++) {
		discard(arena->memory, page, 1);
		*word_of(arena->memory, page) = 302 + page;
	}
}

static void replace_both(struct arena *arena)
{
	discard(arena->memory, 0, 2);
	*word_of(arena->memory, 1) = 304;
}

/* Without a mirror of this process before, the first one registers with the kernel. */
static void leave(struct arena *arena)
{
	for (unsigned int i = 0; i < ACTORS; i++)
		close(arena->engines[i]);
	close(arena->mirror);
}

static const char *joined_sees(struct arena *arena)
{
	const char *wrong = NULL;

	for (unsigned int page = 0; page < 2; page++)
		if (engine_get(arena->numbers[1], page) != *word_of(arena->memory, page))
			wrong = "an engine of the new mirror sees a page that is gone";
	close(arena->numbers[1]);
	close(arena->numbers[0]);
	return wrong;
}

static const char *first_sees(struct arena *arena)
{
	const char *wrong = joined_sees(arena);

	/* For the end of the schedule. */
	arena->mirror = mirror_create(arena->device);
	for (unsigned int i = 0; i < ACTORS; i++)
		arena->engines[i] = mirror_engine(arena->mirror, 0);
	return wrong;
}

SCENARIO(A2_second_joins) = {
	.name = "A2_second_joins",
	.about = "a second mirror comes, and its engine reads, while two events are raised",
	.actors = { join, replace_two, replace_both },
	.judge = joined_sees,
};

SCENARIO(A1_first_joins) = {
	.name = "A1_first_joins",
	.about = "the first mirror comes, and its engine reads, while two events are raised",
	.before = leave,
	.actors = { join, replace_two, replace_both },
	.judge = first_sees,
};
