// SPDX-License-Identifier: GPL-2.0
/* What the parts of a storm have done so far, in numbers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "parts.h"

/**
 * storm_vcpu_silent - has it not greeted, and nothing else was said of it?
 * @vcpu: the vCPU
 *
 * Return: true if so.
 */
bool storm_vcpu_silent(const struct vcpu *vcpu)
{
	return vcpu->started && !vcpu_greeted(vcpu) && !vcpu_finished(vcpu);
}

static uint64_t read_counter(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* All mirrors have the same events; the rest adds up. */
static void add_counters(const struct storm *storm, struct totals *totals)
{
	for (uint32_t i = 0; i < storm->options->mirrors; i++) {
		struct subject_counters counters;

		storm->options->subject->counters(storm->instances[i].subject, &counters);
		totals->events = counters.events;
		totals->zapped += counters.zapped;
		totals->flushes += counters.flushes;
		totals->retries += counters.retries;
		for (int cause = 0; cause < SUBJECT_CAUSES; cause++) {
			totals->causes[cause] = counters.causes[cause];
			totals->by_cause[cause] += counters.by_cause[cause];
		}
		totals->left += counters.left;
		totals->refilled += counters.refilled;
	}
}

/**
 * storm_count - add up what all parts have done
 * @storm: the storm, at work or at rest
 * @totals: filled in, but for @seconds
 */
void storm_count(struct storm *storm, struct totals *totals)
{
	const struct mailbox *mailbox = storm->judge.mailbox;
	const struct subject_ops *ops = storm->options->subject;

	*totals = (struct totals) {
		.seconds = totals->seconds,
		.seed = storm->options->seed,
		.subject = ops->name,
		.counted = ops->counters,
		.exact = read_counter(&storm->judge.exact),
		.silent = storm->silent,
		.mix = &storm->mix,
		.weather = &storm->weather,
		.timeline = &storm->timeline,
		.unreached = !mix_proven(&storm->mix),
		.need_writes = storm->options->writes,
		.need_events = storm->options->events,
	};
	for (uint32_t i = 0; i < storm->options->vcpus; i++) {
		totals->guest_writes += read_counter(&mailbox->vcpus[i].writes);
		totals->guest_reads += read_counter(&mailbox->vcpus[i].reads);
		totals->kvm_exits += read_counter(&storm->vcpus[i].exits);
		totals->kvm_faults += read_counter(&storm->vcpus[i].faults);
		totals->exceptions += read_counter(&storm->vcpus[i].exceptions);
		totals->silent += storm_vcpu_silent(&storm->vcpus[i]);
	}
	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		const struct agent *agent = &storm->agents[i];

		totals->engine_reads += read_counter(&agent->reads);
		totals->direct_reads += read_counter(&agent->inspected);
		totals->engine_writes += read_counter(&agent->writes);
		latency_add(&totals->latency, &agent->latency);
		totals->engine_faults += read_counter(&agent->faults);
		totals->denied += read_counter(&agent->denied);
		totals->discards += read_counter(&agent->operations);
		totals->gave_up |= __atomic_load_n(&agent->failed, __ATOMIC_ACQUIRE);
	}
	totals->canary_pages = canary_report(&storm->canary, &storm->report);
	totals->gave_up |= storm->canary.gone;
	totals->canary_changed = storm->canary.reported;
	totals->lost = __atomic_load_n(&storm->lost, __ATOMIC_RELAXED);
	totals->violations = report_violations(&storm->report);
	totals->first_us = read_counter(&storm->report.first_us);
	totals->events = totals->discards;
	if (ops->counters)
		add_counters(storm, totals);
}

static uint64_t work_of(const struct agent *agent)
{
	return read_counter(&agent->reads) + read_counter(&agent->inspected) +
	       read_counter(&agent->writes) + read_counter(&agent->faults) +
	       read_counter(&agent->operations) + read_counter(&agent->denied);
}

/* Discarders of a script may wait for each other, or have nothing to do. */
static bool must_get_on(const struct storm *storm, uint32_t i)
{
	return __atomic_load_n(&storm->agents[i].started, __ATOMIC_ACQUIRE) &&
	       !__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE) &&
	       (!storm->options->script || i <= storm->options->engines);
}

/* Notes who has got on. Have all that have to? */
static bool look_at_agents(struct storm *storm)
{
	bool all = true;

	for (uint32_t i = 0; i < storm->nr_agents; i++) {
		uint64_t work = work_of(&storm->agents[i]);

		storm->moved[i] |= work != storm->worked[i];
		storm->worked[i] = work;
		all &= storm->moved[i] || !must_get_on(storm, i);
	}
	return all;
}

/**
 * storm_note_vcpus - note which vCPUs have got on, for a report to name the others
 * @storm: the storm
 *
 * For the main thread, while there is guest memory.
 */
void storm_note_vcpus(struct storm *storm)
{
	for (uint32_t i = 0; i < storm->options->vcpus; i++) {
		const struct vcpu_box *box = &storm->judge.mailbox->vcpus[i];
		uint64_t work = read_counter(&box->reads) + read_counter(&box->writes);

		if (work != storm->vcpu_worked[i])
			__atomic_store_n(&storm->vcpu_moved[i], true, __ATOMIC_RELAXED);
		storm->vcpu_worked[i] = work;
	}
}

/* How far the main thread is. */
static uint64_t turns_of(const struct storm *storm)
{
	return read_counter(&storm->turns) + read_counter(&storm->steps);
}

/**
 * storm_progress - a number that moves as long as the storm gets on
 * @context: the storm
 *
 * Each agent has to, and the main thread: others would hide one that does not for as long as the
 * storm lasts. But not a vCPU, which QEMU's emulation loses now and then, or the discarders of a
 * script.
 *
 * Return: the number.
 */
uint64_t storm_progress(void *context)
{
	struct storm *storm = context;
	uint64_t turn = turns_of(storm);

	if (look_at_agents(storm) && turn != storm->seen_turn) {
		storm->seen_turn = turn;
		memset(storm->moved, 0, sizeof(storm->moved));
		for (uint32_t i = 0; i < MAX_VCPUS; i++)
			__atomic_store_n(&storm->vcpu_moved[i], false, __ATOMIC_RELAXED);
		storm->rounds++;
	}
	return storm->rounds;
}

/* While the storm goes on, who does not get on; later, who has not come to its end. */
static bool is_laggard(const struct storm *storm, uint32_t i, const char *doing)
{
	if (!__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE))
		return !storm->moved[i] && must_get_on(storm, i);
	return doing && __atomic_load_n(&storm->agents[i].started, __ATOMIC_ACQUIRE);
}

/* The main thread looks after vCPUs as long as it gets on itself, and the storm does. */
static bool is_lost(const struct storm *storm, uint32_t i)
{
	return !__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE) &&
	       turns_of(storm) != storm->seen_turn &&
	       !__atomic_load_n(&storm->vcpu_moved[i], __ATOMIC_RELAXED) &&
	       !vcpu_finished(&storm->vcpus[i]);
}

/**
 * storm_laggards - say who had not got on when storm_progress() looked last
 * @context: the storm
 * @text: names, between commas
 * @size: bytes of @text
 *
 * With the operations that they are at. vCPUs that have not got on either are named as well.
 */
void storm_laggards(void *context, char *text, size_t size)
{
	const struct storm *storm = context;
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < storm->nr_agents && at < size; i++) {
		const char *doing = __atomic_load_n(&storm->agents[i].doing, __ATOMIC_RELAXED);

		if (is_laggard(storm, i, doing))
			at += (size_t)snprintf(text + at, size - at, "%s%s%s%s", at ? ", " : "",
					       storm->agents[i].name, doing ? " in " : "",
					       doing ?: "");
	}
	if (turns_of(storm) == storm->seen_turn && at < size)
		at += (size_t)snprintf(text + at, size - at, "%sthe main thread", at ? ", " : "");
	for (uint32_t i = 0; i < storm->options->vcpus && at < size; i++)
		if (is_lost(storm, i))
			at += (size_t)snprintf(text + at, size - at, "%svCPU %" PRIu32,
					       at ? ", " : "", i);
}
