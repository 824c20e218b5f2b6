// SPDX-License-Identifier: GPL-2.0
#include <malloc.h>
#include "report.h"
#include "timeline.h"

/* Every other sample goes, and from now on one comes half as often. */
static void thin_out(struct timeline *timeline)
{
	timeline->count /= 2;
	for (uint32_t i = 0; i < timeline->count; i++)
		timeline->samples[i] = timeline->samples[2 * i + 1];
	timeline->step *= 2;
}

/**
 * timeline_note - take a sample, if one is due
 * @timeline: the timeline; all zeroes at first
 * @ms: time since the storm began
 * @totals: the numbers so far
 */
void timeline_note(struct timeline *timeline, uint64_t ms, const struct totals *totals)
{
	if (!timeline->step)
		timeline->step = 1;
	if (++timeline->calls < timeline->step)
		return;
	timeline->calls = 0;
	if (timeline->count == TIMELINE_MOST)
		thin_out(timeline);
	timeline->samples[timeline->count++] = (struct timeline_sample) {
		.ms = ms,
		.guest_writes = totals->guest_writes,
		.engine_reads = totals->engine_reads,
		.engine_writes = totals->engine_writes,
		.operations = totals->discards,
		.events = totals->events,
		.zapped = totals->zapped,
		.flushes = totals->flushes,
		.retries = totals->retries,
		.violations = totals->violations,
		.heap = mallinfo2().uordblks,
	};
}

/**
 * timeline_json - write all samples, as a list
 * @timeline: the timeline
 * @json: the object that it becomes a member of
 */
void timeline_json(const struct timeline *timeline, struct json *json)
{
	json_list(json, "timeline");
	for (uint32_t i = 0; i < timeline->count; i++) {
		const struct timeline_sample *sample = &timeline->samples[i];

		json_object(json, NULL);
		json_number(json, "ms", sample->ms);
		json_number(json, "guest_writes", sample->guest_writes);
		json_number(json, "engine_reads", sample->engine_reads);
		json_number(json, "engine_writes", sample->engine_writes);
		json_number(json, "operations", sample->operations);
		json_number(json, "events", sample->events);
		json_number(json, "zapped", sample->zapped);
		json_number(json, "flushes", sample->flushes);
		json_number(json, "retries", sample->retries);
		json_number(json, "violations", sample->violations);
		json_number(json, "heap", sample->heap);
		json_end(json);
	}
	json_end(json);
}
