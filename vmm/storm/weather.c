// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include "judge.h"
#include "mix.h"
#include "operation.h"
#include "weather.h"

/* Turns of one swarm. */
#define SWARM_TURNS	5
/* If it hails at all: in one swarm of so many. */
#define HAIL_ONE_OF	4
/* The same for huge pages. */
#define HUGE_ONE_OF	4

/**
 * weather_init - nothing is in the air yet
 * @weather: filled in
 * @judge: has the window
 * @mix: prepared
 * @swarm: only some operations are performed at a time
 * @seed: the storm's
 *
 * Hail keeps mmap_lock, and huge pages take their time: some bugs need them, and most are seen
 * later for them. So hail is for every second seed, and huge pages are for every third.
 */
void weather_init(struct weather *weather, struct judge *judge, struct mix *mix, bool swarm,
		  uint64_t seed)
{
	*weather = (struct weather) {
		.judge = judge,
		.mix = mix,
		.swarm = swarm,
		.hails = seed % 2 == 0,
		.huge = seed % 3 == 0,
	};
	prng_init(&weather->prng, seed, MAX_PARTICIPANTS);
}

/*
 * Where the window goes, in the first @pages. Of those of a storm that aims, half lie across a
 * border of two tables, the process's or a mirror's.
 */
static uint32_t choose_window(struct weather *weather, uint32_t pages)
{
	const struct judge *judge = weather->judge;
	const struct memory *memory = judge->memory;
	uint32_t page = prng_below(&weather->prng, pages), back;
	uint64_t address = judge_gpa(judge, page);

	if (!judge->aim || prng_below(&weather->prng, 2))
		return page;
	if (prng_below(&weather->prng, 2))
		address = (uintptr_t)memory_range(memory, address, GUEST_PAGE_SIZE);
	back = (uint32_t)(address / GUEST_PAGE_SIZE % HUGE_PAGES) + judge->hot_pages / 2;
	return page - (back < page ? back : page);
}

static enum prelude choose_prelude(struct weather *weather)
{
	if (weather->hails && !prng_below(&weather->prng, HAIL_ONE_OF))
		return PRELUDE_HAIL;
	if (weather->huge && !prng_below(&weather->prng, HUGE_ONE_OF))
		return PRELUDE_HUGE;
	return PRELUDE_NONE;
}

/* A narrow one begins with empty tables. Large entries are for the first slot only. */
static void change_swarm(struct weather *weather)
{
	const struct memory *memory = weather->judge->memory;
	bool narrow = prng_below(&weather->prng, 2);
	enum prelude prelude = choose_prelude(weather);
	uint32_t pages = prelude == PRELUDE_HUGE ? memory->arena[0].pages : memory->pages;

	judge_set_hot(weather->judge, choose_window(weather, pages), narrow);
	mix_rest(weather->mix, &weather->prng);
	__atomic_store_n(&weather->prelude, prelude, __ATOMIC_RELAXED);
	weather->swarms++;
	weather->narrow += narrow;
	if (narrow)
		track_empty();
}

/**
 * weather_change - a turn of the storm begins
 * @weather: the weather
 * @turn: its number
 *
 * A swarm takes several turns, so that what is slow meets the same pages again.
 */
void weather_change(struct weather *weather, uint64_t turn)
{
	if (!weather->swarm)
		judge_set_hot(weather->judge, choose_window(weather, weather->judge->memory->pages),
			      false);
	else if (turn % SWARM_TURNS == 0)
		change_swarm(weather);
}

/**
 * weather_has - does something come before operations, for now?
 * @weather: the weather
 * @prelude: what
 *
 * Return: true if it does.
 */
bool weather_has(const struct weather *weather, enum prelude prelude)
{
	return __atomic_load_n(&weather->prelude, __ATOMIC_RELAXED) == prelude;
}

/**
 * weather_note - count what an operation met with
 * @weather: the weather
 * @chance: what
 */
void weather_note(struct weather *weather, enum chance chance)
{
	__atomic_add_fetch(&weather->chances[chance], 1, __ATOMIC_RELAXED);
}

/**
 * weather_print - print what the weather was
 * @weather: the weather, at rest
 */
void weather_print(const struct weather *weather)
{
	const uint64_t *chances = weather->chances;

	if (weather->judge->aim)
		printf("met      %" PRIu64 " operations at the page of another, %" PRIu64
		       " of them took it away; %" PRIu64 " sent where an engine wrote\n",
		       chances[CHANCE_MET], chances[CHANCE_TAKING], chances[CHANCE_BUSY]);
	if (!weather->swarm)
		return;
	printf("swarms   %" PRIu64 ", %" PRIu64 " of them narrow\n", weather->swarms,
	       weather->narrow);
	printf("before   operations: %" PRIu64 " events over all memory, %" PRIu64 " huge pages\n",
	       chances[CHANCE_HAIL], chances[CHANCE_HUGE]);
}

/**
 * weather_json - the same for other programs
 * @weather: the weather, at rest
 * @json: the object that "met", "taking", "busy", "swarms", "narrow", "hail" and "huge" become
 *	members of
 */
void weather_json(const struct weather *weather, struct json *json)
{
	const uint64_t *chances = weather->chances;

	json_number(json, "met", chances[CHANCE_MET]);
	json_number(json, "taking", chances[CHANCE_TAKING]);
	json_number(json, "busy", chances[CHANCE_BUSY]);
	json_number(json, "swarms", weather->swarms);
	json_number(json, "narrow", weather->narrow);
	json_number(json, "hail", chances[CHANCE_HAIL]);
	json_number(json, "huge", chances[CHANCE_HUGE]);
}
