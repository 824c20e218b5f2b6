// SPDX-License-Identifier: GPL-2.0
/* Slots that change while an engine is at work. */
#include <stddef.h>
#include <unistd.h>

#include "scenario.h"

/* Where the first of the other slots is shown. */
#define SHOWN	512u

/* What cannot be read now is fine. */
static void read_pages(struct arena *arena)
{
	uint64_t word;

	for (unsigned int page = 0; page < PAGES; page++)
		gpa_read(arena->engines[0], &word, sizeof(word), GPA + page * PAGE);
}

static void show_other(struct arena *arena)
{
	mirror_slot(arena->mirror, 0, GPA, arena->other, PAGES * PAGE);
}

/* The slot loses its front and its end; slots of the other memory take their places. */
static void show_other_at_ends(struct arena *arena)
{
	mirror_slot(arena->mirror, 0, GPA + PAGE, arena->memory + PAGE,
		    (PAGES - 2) * PAGE);
	mirror_slot(arena->mirror, 1, GPA, arena->other, PAGE);
	mirror_slot(arena->mirror, 2, GPA + (PAGES - 1) * PAGE,
		    arena->other + (PAGES - 1) * PAGE, PAGE);
}

/* The slot loses its last page, to a slot of the other memory. */
static void show_other_at_end(struct arena *arena)
{
	mirror_slot(arena->mirror, 0, GPA, arena->memory, (PAGES - 1) * PAGE);
	mirror_slot(arena->mirror, 2, GPA + (PAGES - 1) * PAGE,
		    arena->other + (PAGES - 1) * PAGE, PAGE);
}

/* The first engine's reads map the pages behind them, too. */
static void begin_around(struct arena *arena)
{
	close(arena->engines[0]);
	arena->engines[0] = mirror_engine(arena->mirror, SECMMU_ENGINE_FAULT_AROUND);
}

static void read_first(struct arena *arena)
{
	uint64_t word;

	gpa_read(arena->engines[0], &word, sizeof(word), GPA);
}

static const char *end_is_seen(struct arena *arena)
{
	return engine_get(arena->engines[1], PAGES - 1) == *word_of(arena->other, PAGES - 1) ?
	       NULL : "an engine sees what its slot showed";
}

static const char *other_is_seen(struct arena *arena)
{
	return all_see(arena, arena->other) ? NULL : "an engine sees what its slot showed";
}

static const char *ends_are_seen(struct arena *arena)
{
	for (unsigned int i = 0; i < ACTORS; i++)
		for (unsigned int page = 0; page < PAGES; page++) {
			char *memory = page && page < PAGES - 1 ? arena->memory :
				       arena->other;

			if (engine_get(arena->engines[i], page) != *word_of(memory, page))
				return "an engine sees what its slot showed";
		}
	return NULL;
}

static void map_all(struct arena *arena)
{
	mirror_prefault(arena->mirror, 0, GPA, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
}

static void discard_other(struct arena *arena)
{
	discard(arena->other, 0, 1);
	*word_of(arena->other, 0) = 301;
}

SCENARIO(A11_moved) = {
	.name = "A11_moved",
	.about = "an engine reads while its slot comes to show other memory",
	.actors = { read_pages, show_other },
	.judge = other_is_seen,
};

SCENARIO(A11_moved_mapped) = {
	.name = "A11_moved_mapped",
	.about = "the same with all pages mapped, and an event in the other memory",
	.before = map_all,
	.actors = { read_pages, show_other, discard_other },
	.judge = other_is_seen,
};

SCENARIO(A11_cut) = {
	.name = "A11_cut",
	.about = "an engine reads while its slot loses both ends to other slots",
	.before = map_all,
	.actors = { read_pages, show_other_at_ends },
	.judge = ends_are_seen,
};

SCENARIO(A11_cut_end) = {
	.name = "A11_cut_end",
	.about = "a fault of several pages is under way while its slot loses the last one",
	.before = begin_around,
	.actors = { read_first, show_other_at_end },
	.judge = end_is_seen,
};

/*
 * The slot of the process's other memory that lies beside the first slot, and the one beyond
 * it: once the third one is there, the second one is the root of their tree.
 */
static char *beside(struct arena *arena)
{
	return arena->other + (arena->other > arena->memory ? 0 : PAGES / 2 * PAGE);
}

static char *beyond(struct arena *arena)
{
	return arena->other + (arena->other > arena->memory ? PAGES / 2 * PAGE : 0);
}

static void begin_beside(struct arena *arena)
{
	mirror_slot(arena->mirror, 1, GPA + SHOWN * PAGE, beside(arena), PAGES / 2 * PAGE);
	mirror_prefault(arena->mirror, 0, GPA + SHOWN * PAGE, PAGE, SECMMU_PREFAULT_WRITE);
}

static void show_beyond(struct arena *arena)
{
	mirror_slot(arena->mirror, 2, GPA + 2 * SHOWN * PAGE, beyond(arena),
		    PAGES / 2 * PAGE);
}

static void discard_beside(struct arena *arena)
{
	discard(beside(arena), 0, 1);
}

static const char *beside_is_gone(struct arena *arena)
{
	return engine_get(arena->engines[0], SHOWN) ? "an engine sees a page that is gone" :
	       NULL;
}

SCENARIO(A1_inserted) = {
	.name = "A1_inserted",
	.about = "an event comes to a slot while another slot is inserted beside it",
	.before = begin_beside,
	.actors = { show_beyond, discard_beside },
	.trees = true,
	.judge = beside_is_gone,
};
