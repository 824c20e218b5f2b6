// SPDX-License-Identifier: GPL-2.0
/* Logs of what was written. */
#include <stddef.h>
#include <sys/mman.h>

#include "scenario.h"

static void log_begin(struct arena *arena)
{
	mirror_need(secmmu_set_slot(arena->mirror, 0, SECMMU_SLOT_LOG_DIRTY, GPA,
				    arena->memory, PAGES * PAGE), "keep a log");
}

/* The engine has written before, and the log of that was taken. */
static void log_begin_again(struct arena *arena)
{
	uint64_t bits;

	log_begin(arena);
	engine_put(arena->engines[0], 0, 76);
	mirror_need(secmmu_dirty_log(arena->mirror, 0, 0, PAGES, &bits), "take the log");
}

/* The engine may write again without the kernel's notice: it has marked the page. */
static void log_begin_marked(struct arena *arena)
{
	log_begin_again(arena);
	engine_put(arena->engines[0], 0, 76);
}

static void write_first(struct arena *arena)
{
	engine_put(arena->engines[0], 0, 77);
}

static void take_log(struct arena *arena)
{
	uint64_t bits = 0;

	mirror_need(secmmu_dirty_log(arena->mirror, 0, 0, PAGES, &bits), "take the log");
	if (bits & 1)
		arena->numbers[0] = 1;
}

static void discard_first(struct arena *arena)
{
	discard(arena->memory, 0, 1);
}

static const char *is_logged(struct arena *arena)
{
	return arena->numbers[0] ? NULL : "a page that was written is in no log";
}

static const char *write_is_logged(struct arena *arena)
{
	take_log(arena);
	return is_logged(arena);
}

/* A write that comes after the log was taken is in the next one. */
static void write_twice(struct arena *arena)
{
	bool begun;

	engine_put(arena->engines[0], 0, 77);
	begun = arena->numbers[1];
	engine_put(arena->engines[0], 0, 78);
	arena->numbers[2] = begun;
}

static void take_log_twice(struct arena *arena)
{
	take_log(arena);
	arena->numbers[0] = 0;
	arena->numbers[1] = 1;
	take_log(arena);
}

static const char *second_is_logged(struct arena *arena)
{
	if (!arena->numbers[2])
		return NULL;
	return write_is_logged(arena);
}

static void protect_first(struct arena *arena)
{
	mirror_need(mprotect(arena->memory, PAGE, PROT_READ), "protect a page");
}

/* Where the event is ahead, the page cannot be written any more. */
static void log_and_write(struct arena *arena)
{
	uint64_t word = 78;

	take_log(arena);
	arena->numbers[0] = 0;
	arena->numbers[1] = gpa_write(arena->engines[0], &word, sizeof(word), GPA) ==
			    sizeof(word);
	take_log(arena);
}

static const char *late_write_is_logged(struct arena *arena)
{
	mirror_need(mprotect(arena->memory, PAGE, PROT_READ | PROT_WRITE), "unprotect a page");
	return arena->numbers[1] ? write_is_logged(arena) : NULL;
}

static void log_other(struct arena *arena)
{
	mirror_need(secmmu_set_slot(arena->mirror, 0, SECMMU_SLOT_LOG_DIRTY, GPA,
				    arena->other, PAGES * PAGE), "show other memory");
}

static void try_to_write(struct arena *arena)
{
	uint64_t word = 77;

	gpa_write(arena->engines[0], &word, sizeof(word), GPA);
}

/* A write to what the slot shows now is in the log that it has now. */
static const char *write_to_other_is_logged(struct arena *arena)
{
	return *word_of(arena->other, 0) == 77 ? write_is_logged(arena) : NULL;
}

SCENARIO(C2_protected) = {
	.name = "C2_protected",
	.about = "an event takes the right to write, the log is taken, an engine writes after that",
	.before = log_begin_marked,
	.actors = { protect_first, log_and_write },
	.judge = late_write_is_logged,
};

SCENARIO(C2_replaced) = {
	.name = "C2_replaced",
	.about = "an engine writes while its slot comes to show other memory, and a new log",
	.before = log_begin,
	.actors = { log_other, try_to_write },
	.judge = write_to_other_is_logged,
};

SCENARIO(C2_event) = {
	.name = "C2_event",
	.about = "an engine writes, an event takes the page, the log is taken",
	.before = log_begin_again,
	.actors = { write_first, discard_first, take_log },
	.judge = write_is_logged,
};

SCENARIO(C2_before) = {
	.name = "C2_before",
	.about = "an engine has written, an event takes the page while the log is taken",
	.before = log_begin_marked,
	.actors = { discard_first, take_log },
	.judge = is_logged,
};

SCENARIO(C2_again) = {
	.name = "C2_again",
	.about = "an engine writes twice while the log is taken twice",
	.before = log_begin_again,
	.actors = { write_twice, take_log_twice },
	.judge = second_is_logged,
};
