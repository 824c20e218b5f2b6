// SPDX-License-Identifier: GPL-2.0
/* Events that must not return before engines are done with what they drop. */
#include <stddef.h>
#include <unistd.h>

#include "scenario.h"

/* Here pages 0 to 3 have one table of the mirror, 4 to 7 the next one. */
#define EDGE	(GPA + (2ul << 20) - 4 * PAGE)

#define BATCH	4u

static void map_page(struct arena *arena, uint64_t gpa)
{
	mirror_prefault(arena->mirror, 0, gpa, PAGE, SECMMU_PREFAULT_WRITE);
}

static uint64_t get(int engine, uint64_t gpa)
{
	uint64_t word = 0;

	mirror_need(gpa_read(engine, &word, sizeof(word), gpa) == sizeof(word) ? 0 : -1,
		    "read by an engine");
	return word;
}

/* The first page is mapped alone, and all engines have used it. */
static void begin_mapped(struct arena *arena)
{
	map_page(arena, GPA);
	for (unsigned int i = 0; i < ACTORS; i++)
		engine_get(arena->engines[i], 0);
}

/* What was there before is gone, whoever has dropped it. */
static void discard_and_look(struct arena *arena, unsigned int engine)
{
	discard(arena->memory, 0, 1);
	if (engine_get(arena->engines[engine], 0) == 1)
		arena->numbers[0] = 1;
}

static void discard_first(struct arena *arena)
{
	discard_and_look(arena, 0);
}

static void discard_second(struct arena *arena)
{
	discard_and_look(arena, 1);
}

static const char *nothing_was_early(struct arena *arena)
{
	return arena->numbers[0] ? "an event returned before what it took away was gone" :
	       NULL;
}

/*
 * Pages 0 and 7 are mapped, and all engines have used the first one. A flush has been since
 * then, so that the second table does not look as if one were pending.
 */
static void begin_at_edge(struct arena *arena)
{
	mirror_slot(arena->mirror, 1, EDGE, arena->other, PAGES * PAGE);
	map_page(arena, GPA + PAGE);
	map_page(arena, EDGE);
	map_page(arena, EDGE + 7 * PAGE);
	discard(arena->memory, 1, 1);
	for (unsigned int i = 0; i < ACTORS; i++)
		get(arena->engines[i], EDGE);
}

static void discard_at_edge(struct arena *arena)
{
	discard(arena->other, 0, 1);
}

/* Beyond the page there is a table with nothing to drop. */
static void discard_over_edge(struct arena *arena)
{
	discard(arena->other, 0, 7);
	if (get(arena->engines[1], EDGE) == 101)
		arena->numbers[0] = 1;
}

/* A mirror that flushes whenever BATCH pages have been dropped; two batches are mapped. */
static void begin_in_batches(struct arena *arena)
{
	arena_end(arena);
	arena->mirror = mirror_need(secmmu_create_mirror(arena->device, SECMMU_FLUSH_ARRAY,
							 BATCH), "create a mirror");
	mirror_slot(arena->mirror, 0, GPA, arena->memory, PAGES * PAGE);
	for (unsigned int i = 0; i < ACTORS; i++)
		arena->engines[i] = mirror_engine(arena->mirror, 0);
	begin_at_edge(arena);
	for (unsigned int page = 0; page < PAGES; page++) {
		map_page(arena, EDGE + page * PAGE);
		get(arena->engines[0], EDGE + page * PAGE);
	}
}

static void discard_batches(struct arena *arena)
{
	discard(arena->other, 0, PAGES);
	for (unsigned int page = 0; page < PAGES; page++)
		if (get(arena->engines[0], EDGE + page * PAGE) == page + 101)
			arena->numbers[0] = 1;
}

static void read_at_edge(struct arena *arena)
{
	get(arena->engines[1], EDGE);
}

SCENARIO(B2_same) = {
	.name = "B2_same",
	.about = "two events take the same page away; each engine looks after its own",
	.before = begin_mapped,
	.actors = { discard_first, discard_second },
	.judge = nothing_was_early,
};

SCENARIO(B2_tables) = {
	.name = "B2_tables",
	.about = "the same, while one of the events also meets a table with nothing in it",
	.before = begin_at_edge,
	.actors = { discard_at_edge, discard_over_edge },
	.judge = nothing_was_early,
};

SCENARIO(B1_batches) = {
	.name = "B1_batches",
	.about = "an event that flushes twice takes pages away from two tables",
	.before = begin_in_batches,
	.actors = { discard_batches, read_at_edge },
	.judge = nothing_was_early,
};
