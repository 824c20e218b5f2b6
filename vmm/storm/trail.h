/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that some threads were at lately, for others that aim at them. */
#ifndef STORM_TRAIL_H
#define STORM_TRAIL_H

#include <stdint.h>
#include "prng.h"

#define TRAIL_PAGES	8

/**
 * struct trail - the latest pages
 * @turn: how many there have been
 * @pages: a ring of numbers of pages; a lost update is a page that nobody aims at
 */
struct trail {
	uint32_t turn;
	uint32_t pages[TRAIL_PAGES];
};

static inline void trail_note(struct trail *trail, uint32_t page)
{
	uint32_t turn = __atomic_fetch_add(&trail->turn, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&trail->pages[turn % TRAIL_PAGES], page, __ATOMIC_RELAXED);
}

/* One of them; page 0 where there is none. */
static inline uint32_t trail_choose(const struct trail *trail, struct prng *prng)
{
	return __atomic_load_n(&trail->pages[prng_below(prng, TRAIL_PAGES)], __ATOMIC_RELAXED);
}

#endif /* STORM_TRAIL_H */
