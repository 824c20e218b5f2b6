// SPDX-License-Identifier: GPL-2.0
/* Faults against events. */
#include <sys/mman.h>

#include "scenario.h"

static void read_first(struct arena *arena)
{
	arena->seen[0] = engine_get(arena->engines[0], 0);
}

static void write_first(struct arena *arena)
{
	engine_put(arena->engines[0], 0, 77);
}

static void read_all(struct arena *arena)
{
	for (unsigned int page = 0; page < PAGES; page++)
		engine_get(arena->engines[0], page);
}

static void read_run(struct arena *arena)
{
	char buffer[PAGES * PAGE];

	gpa_read(arena->engines[0], buffer, sizeof(buffer), GPA);
}

static void prefault_all(struct arena *arena)
{
	mirror_prefault(arena->mirror, 0, GPA, PAGES * PAGE,
			arena->schedule & 1 ? SECMMU_PREFAULT_WRITE : 0);
}

static void map_all(struct arena *arena)
{
	mirror_prefault(arena->mirror, 0, GPA, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
}

/* Take the first page's contents away, and put others there. */
static void replace_first(struct arena *arena)
{
	switch (arena->schedule % 4) {
	case 0:
		discard(arena->memory, 0, 1);
		break;
	case 1:
		remap(arena->memory, 0, 1);
		break;
	case 2:
		mremap(arena->other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       arena->memory);
		remap(arena->other, 0, 1);
		return;
	case 3:
		discard(arena->memory, 0, PAGES);
		break;
	}
	*word_of(arena->memory, 0) = 201;
}

static void replace_last(struct arena *arena)
{
	discard(arena->memory, PAGES - 1, 1);
	*word_of(arena->memory, PAGES - 1) = 202;
}

static void discard_front(struct arena *arena)
{
	discard(arena->memory, 0, 5);
	*word_of(arena->memory, 3) = 203;
}

static void discard_back(struct arena *arena)
{
	discard(arena->memory, 3, 5);
	*word_of(arena->memory, 4) = 204;
}

static const char *no_page_is_stale(struct arena *arena)
{
	return all_see(arena, arena->memory) ? NULL : "an engine sees a page that is gone";
}

/* What the engine wrote is in the memory, unless the memory came afterwards. */
static const char *no_write_is_lost(struct arena *arena)
{
	uint64_t word = *word_of(arena->memory, 0);

	if (word != 77 && word != 201 && word != 101 && word != 0)
		return "the page has what nobody wrote";
	return no_page_is_stale(arena);
}

/* Raises its event, and sees afterwards what an engine sees that began after it. */
static void discard_and_look(struct arena *arena)
{
	discard(arena->memory, 0, 1);
	*word_of(arena->memory, 0) = 205;
	arena->seen[1] = engine_get(arena->engines[1], 0);
}

static void discard_too(struct arena *arena)
{
	discard(arena->memory, 0, 2);
	if (engine_get(arena->engines[2], 0) == 1)
		arena->numbers[0] = 1;
}

static const char *both_were_done(struct arena *arena)
{
	if (arena->numbers[0])
		return "an event returned before what it took away was gone";
	return no_page_is_stale(arena);
}

/* The processor's next page is the one that it has just given back. */
static void drop_and_reuse(struct arena *arena)
{
	discard(arena->memory, 0, 1);
	*word_of(arena->other, 0) = 206;
}

static void write_often(struct arena *arena)
{
	for (unsigned int i = 0; i < 2; i++)
		engine_put(arena->engines[0], 0, 77);
}

static const char *no_stray_write(struct arena *arena)
{
	if (*word_of(arena->other, 0) != 206)
		return "an engine wrote to a page that had been given away";
	return no_page_is_stale(arena);
}

static void prefault_first(struct arena *arena)
{
	mirror_prefault(arena->mirror, 0, GPA, PAGE, 0);
}

/* A page beside it keeps the table of both from being pruned. */
static void begin_beside(struct arena *arena)
{
	engine_get(arena->engines[0], 4);
}

/* All engines have used the page: they know where it is. */
static void begin_mapped(struct arena *arena)
{
	map_all(arena);
	for (unsigned int i = 0; i < ACTORS; i++)
		engine_get(arena->engines[i], 0);
}

/* The kernel keeps the latest pages of a processor back: make it let go of the first one. */
static void use_more_pages(struct arena *arena)
{
	for (unsigned int i = 0; i < 3; i++) {
		discard(arena->other, 1, PAGES - 1);
		for (unsigned int page = 1; page < PAGES; page++)
			*word_of(arena->other, page) = page;
	}
}

/* There is no other page where the next one is to come. */
static void begin_to_reuse(struct arena *arena)
{
	mirror_prefault(arena->mirror, 0, GPA, PAGE, SECMMU_PREFAULT_WRITE);
	engine_put(arena->engines[0], 0, 1);
	use_more_pages(arena);
	discard(arena->other, 0, 1);
}

static void discard_first(struct arena *arena)
{
	discard(arena->memory, 0, 1);
}

SCENARIO(A7_read) = {
	.name = "A7_read",
	.about = "an engine reads a page while its contents are replaced",
	.actors = { read_first, replace_first },
	.judge = no_page_is_stale,
};

SCENARIO(A8_overtaken) = {
	.name = "A8_overtaken",
	.about = "a fault is overtaken by the begin of an event",
	.before = begin_beside,
	.actors = { prefault_first, discard_first },
	.judge = no_page_is_stale,
};

SCENARIO(A9_write) = {
	.name = "A9_write",
	.about = "an engine writes to a page while its contents are replaced",
	.before = begin_beside,
	.actors = { write_first, replace_first },
	.judge = no_write_is_lost,
};

SCENARIO(A4_overlap) = {
	.name = "A4_overlap",
	.about = "an engine reads pages while two events overlap there",
	.actors = { read_all, discard_front, discard_back },
	.judge = no_page_is_stale,
};

SCENARIO(A8_prefault) = {
	.name = "A8_prefault",
	.about = "a prefault maps several pages while the first and the last go",
	.actors = { prefault_all, replace_first, replace_last },
	.judge = no_page_is_stale,
};

SCENARIO(A6_run) = {
	.name = "A6_run",
	.about = "an engine reads a run of pages while the first and the last go",
	.actors = { read_run, replace_first, replace_last },
	.judge = no_page_is_stale,
};

SCENARIO(B2_both) = {
	.name = "B2_both",
	.about = "two events take the same mapped page away, an engine reads it",
	.before = begin_mapped,
	.actors = { read_first, discard_and_look, discard_too },
	.judge = both_were_done,
};

SCENARIO(B3_reuse) = {
	.name = "B3_reuse",
	.about = "an engine writes to a page that is discarded and given to others",
	.before = begin_to_reuse,
	.actors = { write_often, drop_and_reuse },
	.outsider = true,
	.judge = no_stray_write,
};
