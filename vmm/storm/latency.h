/* SPDX-License-Identifier: GPL-2.0 */
/* How long accesses took: a histogram whose buckets double. One thread writes, any may read. */
#ifndef STORM_LATENCY_H
#define STORM_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS	40

/**
 * struct latency - the histogram
 * @buckets: accesses that took less than 2 << i nanoseconds, and not less than half of that
 */
struct latency {
	uint64_t buckets[LATENCY_BUCKETS];
};

static inline void latency_note(struct latency *latency, uint64_t ns)
{
	int bucket = ns ? 63 - __builtin_clzll(ns) : 0;
	uint64_t *count = &latency->buckets[bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1];

	__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

static inline void latency_add(struct latency *to, const struct latency *from)
{
	for (int i = 0; i < LATENCY_BUCKETS; i++)
		to->buckets[i] += __atomic_load_n(&from->buckets[i], __ATOMIC_RELAXED);
}

/* The time within which @permille of all were over, rounded up to a power of two; 0: none. */
static inline uint64_t latency_within(const struct latency *latency, unsigned int permille)
{
	uint64_t all = 0, sum = 0;

	for (int i = 0; i < LATENCY_BUCKETS; i++)
		all += latency->buckets[i];
	for (int i = 0; i < LATENCY_BUCKETS && all; i++) {
		sum += latency->buckets[i];
		if (sum * 1000 >= all * permille)
			return 2ull << i;
	}
	return 0;
}

#endif /* STORM_LATENCY_H */
