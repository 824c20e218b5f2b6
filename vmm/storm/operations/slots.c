// SPDX-License-Identifier: GPL-2.0
/* What is done to the subject's slots while it is at work. */
#include <stdio.h>
#include "acts.h"
#include "operation.h"

/* So often a change is looked at; in between others meet it. */
#define LOOKS	4

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
	(void)operation;
	if (instance->ops->prefault)
		return 0;
	return -snprintf(why, size, "%s cannot map beforehand", instance->ops->name);
}

/* The slot refuses what it shall, whoever tries; @expect tries itself. */
static void look_often(struct scene *scene, struct motion *motion, enum motion_rule rule,
		       void (*expect)(struct scene *scene))
{
	motion_hold(motion, rule);
	for (int i = 0; i < LOOKS; i++) {
		expect(scene);
		scene_linger(scene);
	}
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
	scene->reached = !error;
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
	scene->reached = true;
	return 0;
}

/**
 * act_prefault - the subject maps pages beforehand, for reading or for writing
 */
ACT(prefault)
{
	int error = engine_prefault(&scene->agent->engine, scene->gpa, scene->length,
				    prng_below(scene->prng, 2));

	scene->reached = !error;
	return error;
}
