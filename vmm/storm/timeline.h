/* SPDX-License-Identifier: GPL-2.0 */
/* How a storm went, in samples: as many as fit, however long it lasts. */
#ifndef STORM_TIMELINE_H
#define STORM_TIMELINE_H

#include <stdint.h>
#include "json.h"

struct totals;

#define TIMELINE_MOST	512

/**
 * struct timeline_sample - the numbers at a moment, all of them since the beginning
 * @ms: the moment
 * @guest_writes: stamps of the guest
 * @engine_reads: pages that engines read
 * @engine_writes: stamps that engines wrote
 * @operations: of the discarders
 * @events: as in struct totals; as the next ones
 * @zapped: sptes dropped
 * @flushes: TLB flushes
 * @retries: fault rounds repeated
 * @violations: violations
 * @heap: bytes that this program has allocated
 */
struct timeline_sample {
	uint64_t ms;
	uint64_t guest_writes;
	uint64_t engine_reads;
	uint64_t engine_writes;
	uint64_t operations;
	uint64_t events;
	uint64_t zapped;
	uint64_t flushes;
	uint64_t retries;
	uint64_t violations;
	uint64_t heap;
};

/**
 * struct timeline - the samples
 * @count: how many there are
 * @step: one call of so many leaves a sample
 * @calls: since the latest sample
 * @samples: the samples
 */
struct timeline {
	uint32_t count;
	uint32_t step;
	uint32_t calls;
	struct timeline_sample samples[TIMELINE_MOST];
};

void timeline_note(struct timeline *timeline, uint64_t ms, const struct totals *totals);
void timeline_json(const struct timeline *timeline, struct json *json);

#endif /* STORM_TIMELINE_H */
