/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seeded random numbers, one generator per thread, so that a seed repeats the
 * choices of every thread (not their interleaving). Shared with the guest.
 */
#ifndef LIB_PRNG_H
#define LIB_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state;
};

/* Each (seed, stream) pair gives an unrelated sequence. */
static inline void prng_init(struct prng *prng, uint64_t seed, uint64_t stream)
{
	prng->state = seed * 0x9e3779b97f4a7c15ull + (stream + 1) *
		      0xd1342543de82ef95ull;
}

/* A counter through a finaliser: no bad states, and no period to meet. */
static inline uint64_t prng_next(struct prng *prng)
{
	uint64_t x = prng->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 31)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 33);
}

/* Uniform enough below @bound (at least 1, far below 2^32). */
static inline uint32_t prng_below(struct prng *prng, uint32_t bound)
{
	return (uint32_t)(((prng_next(prng) >> 32) * bound) >> 32);
}

/*
 * Every other choice falls into the window of @hot_pages at @hot, so that
 * translations are used again soon after a discard and stale ones get a chance
 * to be noticed; the others fall anywhere.
 */
static inline uint32_t prng_page(struct prng *prng, uint32_t hot,
				 uint32_t hot_pages, uint32_t pages)
{
	if (prng_below(prng, 2) && hot_pages)
		return (hot + prng_below(prng, hot_pages)) % pages;
	return prng_below(prng, pages);
}

#endif /* LIB_PRNG_H */
