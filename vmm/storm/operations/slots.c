// SPDX-License-Identifier: GPL-2.0
/* What is done to the subject's slots while it is at work. */
#include <stdio.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"
#include "stamp.h"

/* So often a change is looked at; in between others meet it. */
#define LOOKS	4
/* For up to so long, short times as often as long ones: an access may be asleep, with a page. */
#define GONE_SHIFT	15
/* A prefault of so much has everything in it; of more, it keeps KVM's slots for too long. */
#define PREFAULT_MOST	((size_t)2 << 20)
/* Pages of the slot that no engine may write meanwhile, of those in use and just used. */
#define WATCHED	16

/**
 * struct watch - pages that must not be written
 * @count: how many pages
 * @page: their numbers
 * @seq: what their stamps had
 */
struct watch {
	uint32_t count;
	uint32_t page[WATCHED];
	uint32_t seq[WATCHED];
};

/**
 * usable_slots - has the subject slots that can be changed?
 */
USABLE(slots)
{
	const struct subject_ops *ops = instance->ops;

	(void)operation;
	if (ops->slot_delete && !(ops->limits & (SUBJECT_NO_SLOTS | SUBJECT_ONE_SLOT |
						 SUBJECT_IDENTITY)))
		return 0;
	return -snprintf(why, size, "%s has no slots that can be changed", ops->name);
}

/**
 * usable_prefault - can the subject map beforehand?
 */
USABLE(prefault)
{
	const struct subject_ops *ops = instance->ops;

	(void)operation;
	if (subject_can_prefault(ops, instance->subject))
		return 0;
	return -snprintf(why, size, ops->prefault ? "this kernel has no prefault for %s" :
			 "%s cannot map beforehand", ops->name);
}

/* The stamp that the process has there. Returns false if it has none, or may not look. */
static bool read_seq(const struct scene *scene, uint32_t page, uint32_t *seq)
{
	const struct agent *agent = scene->agent;
	struct judge *judge = agent->judge;
	struct participant *self = &judge->mailbox->participants[agent->participant];
	const uint64_t *words = memory_range(judge->memory, judge_gpa(judge, page),
					     GUEST_PAGE_SIZE);
	uint64_t first[2];
	struct stamp stamp;
	uint32_t epoch;

	/* It stays mapped until it is left. */
	if (!words || !latch_enter(self, &judge->states[page], page, &epoch))
		return false;
	for (int i = 0; i < 2; i++)
		first[i] = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
	latch_leave(self);
	if (!stamp_first(first, &stamp) || stamp.page != page ||
	    stamp.owner != judge_owner(judge, page))
		return false;
	*seq = stamp.seq;
	return judge_wrote(judge, page, agent->engine.instance);
}

/* Writes that began before may have been on their way: from now on none arrives. */
static void watch_begin(struct scene *scene, struct watch *watch)
{
	const struct judge *judge = scene->agent->judge;

	watch->count = 0;
	for (uint32_t i = 0; i < WATCHED; i++) {
		uint32_t page = judge_choose_near(judge, &judge->used, scene->prng);

		if (i >= judge->vcpus && i < judge->owners)
			judge_find_busy(judge, i, &page);
		if (memory_slot_of(judge->memory, page) == scene_slot(scene) &&
		    read_seq(scene, page, &watch->seq[watch->count]))
			watch->page[watch->count++] = page;
	}
}

static void watch_end(struct scene *scene, const struct watch *watch)
{
	uint32_t seq;

	for (uint32_t i = 0; i < watch->count; i++)
		if (read_seq(scene, watch->page[i], &seq) && seq > watch->seq[i])
			scene_violate(scene, watch->page[i], STAMP_GAP, seq);
	scene->reached = watch->count;
}

/* The slot refuses what it shall, whoever tries; @expect tries itself. */
static void look_often(struct scene *scene, struct motion *motion, enum motion_rule rule,
		       void (*expect)(struct scene *scene))
{
	struct watch watch;

	motion_hold(motion, rule);
	watch_begin(scene, &watch);
	for (int i = 0; i < LOOKS; i++) {
		expect(scene);
		scene_linger(scene);
	}
	usleep(prng_below(scene->prng, 1u << prng_below(scene->prng, GONE_SHIFT + 1)));
	watch_end(scene, &watch);
	motion_release(motion);
}

/**
 * act_delete_slot - a slot goes, and comes back
 */
ACT(delete_slot)
{
	struct instance *instance = scene->agent->engine.instance;
	uint32_t slot = scene_slot(scene);
	int error;

	instance_slot_begin(instance, slot);
	error = instance->ops->slot_delete(instance->subject, slot);
	if (!error) {
		look_often(scene, &instance->motion[slot], MOTION_GONE, scene_expect_gap);
		scene_set_slot(scene, 0);
	}
	instance_slot_end(instance, slot);
	return error;
}

/**
 * act_protect_slot - a slot may not be written, and may be written again
 */
ACT(protect_slot)
{
	struct instance *instance = scene->agent->engine.instance;
	uint32_t slot = scene_slot(scene);

	instance_slot_begin(instance, slot);
	scene_set_slot(scene, SLOT_READONLY);
	look_often(scene, &instance->motion[slot], MOTION_READONLY, scene_expect_read_only);
	scene_set_slot(scene, 0);
	instance_slot_end(instance, slot);
	return 0;
}

/**
 * act_prefault - the subject maps pages beforehand, for reading or for writing
 */
ACT(prefault)
{
	const struct engine *engine = &scene->agent->engine;
	uint64_t gpa = scene->gpa;
	size_t length = scene->length;
	int error;

	if (engine->instance->ops->stuck_prefault && length > PREFAULT_MOST) {
		uint32_t spare = (uint32_t)((length - PREFAULT_MOST) / GUEST_PAGE_SIZE);

		gpa += prng_below(scene->prng, spare + 1) * (uint64_t)GUEST_PAGE_SIZE;
		length = PREFAULT_MOST;
	}
	error = engine_prefault(engine, gpa, length, prng_below(scene->prng, 2));
	scene->reached = !error;
	return error;
}
