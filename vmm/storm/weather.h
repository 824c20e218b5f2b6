/* SPDX-License-Identifier: GPL-2.0 */
/* What changes for all threads at once, a few times a second. */
#ifndef STORM_WEATHER_H
#define STORM_WEATHER_H

#include <stdbool.h>
#include <stdint.h>
#include "json.h"
#include "prng.h"

struct judge;
struct mix;

/**
 * enum prelude - what comes before operations
 * @PRELUDE_NONE: nothing
 * @PRELUDE_HAIL: one event over all memory after the other, see track_hail()
 * @PRELUDE_HUGE: a huge page, by an operation that makes one; not before one that comes to another
 */
enum prelude {
	PRELUDE_NONE,
	PRELUDE_HAIL,
	PRELUDE_HUGE,
};

/**
 * enum chance - what discarders count
 * @CHANCE_HAIL: an event over all memory came before an operation
 * @CHANCE_HUGE: a huge page did
 * @CHANCE_MET: an operation came to the page of another
 * @CHANCE_TAKING: such an operation took the content away
 * @CHANCE_BUSY: an operation was sent where an engine was writing
 */
enum chance {
	CHANCE_HAIL,
	CHANCE_HUGE,
	CHANCE_MET,
	CHANCE_TAKING,
	CHANCE_BUSY,
	CHANCES,
};

/**
 * struct weather - the window, which operations rest, and what comes before the others
 * @judge: has the window
 * @mix: has the operations
 * @swarm: only some of them are performed at a time
 * @hails: it may hail
 * @huge: there may be huge pages before operations
 * @prng: decides; the storm's alone, as what is above
 * @prelude: of operations, for now; written by the storm
 * @swarms: so many there were
 * @narrow: of these, so many in which all choices went to the window
 * @chances: so often there was each; written by all discarders
 */
struct weather {
	struct judge *judge;
	struct mix *mix;
	bool swarm;
	bool hails;
	bool huge;
	struct prng prng;
	enum prelude prelude;
	uint64_t swarms;
	uint64_t narrow;
	uint64_t chances[CHANCES];
};

void weather_init(struct weather *weather, struct judge *judge, struct mix *mix, bool swarm,
		  uint64_t seed);
void weather_change(struct weather *weather, uint64_t turn);
bool weather_has(const struct weather *weather, enum prelude prelude);
void weather_note(struct weather *weather, enum chance chance);
void weather_print(const struct weather *weather);
void weather_json(const struct weather *weather, struct json *json);

#endif /* STORM_WEATHER_H */
