/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Short races without gates: two or three threads, a few pages, and nothing else. Each
 * thread has a processor of its own; QEMU's plugin lets processors give way inside the
 * driver, differently for each schedule. What must hold afterwards is judged, in terms of
 * what the process itself sees.
 */
#ifndef EXPLORE_SCENARIO_H
#define EXPLORE_SCENARIO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "own_mirror.h"

#define PAGE		4096ul
#define PAGES		8u
#define GPA		0x40000000ull
#define ACTORS		3

/**
 * struct arena - where a scenario plays
 * @device: /dev/secmmu
 * @mirror: of this process, with a slot 0 that shows @memory at GPA; made anew for each
 *	schedule
 * @engines: of that mirror
 * @memory: PAGES pages that are private and anonymous
 * @other: PAGES pages that no slot shows
 * @schedule: number of the schedule, for variants
 * @seen: what the threads have seen
 * @numbers: for a scenario's own use, zero at the start of each schedule
 */
struct arena {
	int device;
	int mirror;
	int engines[ACTORS];
	char *memory;
	char *other;
	unsigned int schedule;
	uint64_t seen[ACTORS];
	atomic_long numbers[8];
};

/**
 * struct scenario - one race
 * @name: the property it tests, and a word
 * @about: what happens, in a sentence
 * @before: called before each schedule, or NULL
 * @actors: run at the same time; the rest is NULL
 * @outsider: the first actor is a process of its own, with the descriptors and the numbers
 *	of this one, but not its memory. The kernel makes every processor that runs a thread
 *	of a process let go of the pages that the process gives back, and so waits for the
 *	windows of that process's engines, too; for those of an outsider only the driver does.
 * @trees: processors give way also where the kernel changes trees of ranges
 * @judge: called afterwards; returns what is wrong, or NULL
 */
struct scenario {
	const char *name;
	const char *about;
	void (*before)(struct arena *arena);
	void (*actors[ACTORS])(struct arena *arena);
	bool outsider;
	bool trees;
	const char *(*judge)(struct arena *arena);
};

/* Let main.c find a scenario: the linker collects these pointers. */
#define SCENARIO(id)							\
	static const struct scenario id;				\
	static const struct scenario *const id##_pointer		\
		__attribute__((used, section("scenarios"))) = &id;	\
	static const struct scenario id

/* ranges.c: say where processors give way: in the driver, and in such functions */
void tell_ranges(bool with_trees);

/* arena.c */
void arena_open(struct arena *arena);
void arena_begin(struct arena *arena);
void arena_end(struct arena *arena);
uint64_t *word_of(char *memory, unsigned int page);
/* A word of a page by an engine; an error ends the program. */
uint64_t engine_get(int engine, unsigned int page);
void engine_put(int engine, unsigned int page, uint64_t value);
/* Take away what is in pages; what is there afterwards is zero. */
void discard(char *memory, unsigned int page, unsigned int pages);
void remap(char *memory, unsigned int page, unsigned int pages);
/* Does each of the arena's engines see what is in @memory? */
bool all_see(const struct arena *arena, char *memory);

#endif
