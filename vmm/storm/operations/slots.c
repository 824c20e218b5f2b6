// SPDX-License-Identifier: GPL-2.0
/* What is done to the subject's slots while it is at work. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include "acts.h"
#include "operation.h"
#include "stamp.h"

/* A slot of all of guest memory has a bit for each page, as few as it may have. */
#define BITMAP_WORDS	(MEMORY_MAX / GUEST_PAGE_SIZE / 64)

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
 * usable_dirty_log - does the subject log writes?
 */
USABLE(dirty_log)
{
	if (!instance->ops->dirty)
		return -snprintf(why, size, "%s has no dirty log", instance->ops->name);
	return usable_slots(operation, instance, why, size);
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

static struct instance *instance_of(const struct scene *scene)
{
	return scene->agent->engine.instance;
}

static uint32_t slot_of(const struct scene *scene)
{
	return memory_slot_of(scene->agent->judge->memory, scene->first);
}

static void set_slot(struct scene *scene, unsigned int flags)
{
	int error = instance_set_slot(instance_of(scene), slot_of(scene), flags);

	if (error)
		scene_fail(scene, "cannot set the slot", error);
}

/**
 * act_delete_slot - a slot goes, and comes back
 */
ACT(delete_slot)
{
	struct instance *instance = instance_of(scene);
	int error;

	instance_slot_begin(instance, slot_of(scene));
	error = instance->ops->slot_delete(instance->subject, slot_of(scene));
	if (!error) {
		scene_expect_gap(scene);
		scene_linger(scene);
		set_slot(scene, 0);
	}
	instance_slot_end(instance, slot_of(scene));
	scene->reached = !error;
	return error;
}

/**
 * act_protect_slot - a slot may not be written, and may be written again
 */
ACT(protect_slot)
{
	struct instance *instance = instance_of(scene);

	instance_slot_begin(instance, slot_of(scene));
	set_slot(scene, SLOT_READONLY);
	scene_expect_read_only(scene);
	scene_linger(scene);
	set_slot(scene, 0);
	instance_slot_end(instance, slot_of(scene));
	scene->reached = true;
	return 0;
}

/* Takes the log, which is on; is the page in it? The slots are locked. */
static int take_log(const struct scene *scene, bool *logged)
{
	static __thread uint64_t bitmap[BITMAP_WORDS];
	struct instance *instance = instance_of(scene);
	const struct memory_slot *slot = &instance->memory->slots[slot_of(scene)];
	size_t bit = (scene->gpa - slot->gpa) / GUEST_PAGE_SIZE;
	int error = instance->ops->dirty(instance->subject, slot_of(scene), bitmap,
					 slot->length / GUEST_PAGE_SIZE);

	*logged = !error && bitmap[bit / 64] >> bit % 64 & 1;
	return error;
}

/* The entry that was written goes before its bit was taken. */
static int protect_and_back(const struct scene *scene)
{
	return mprotect(scene->hva, scene->length, PROT_READ) ||
	       mprotect(scene->hva, scene->length, PROT_READ | PROT_WRITE) ? -errno : 0;
}

/*
 * Three writes in a row, each of which must be in the log: by a fault, by an entry which was
 * in the log already, and by one that an event then takes.
 */
static int write_and_look(struct scene *scene)
{
	bool logged;
	int error = take_log(scene, &logged);

	for (int i = 0; i < 3 && !error; i++) {
		error = scene_write_page(scene);
		if (!error && i == 2)
			error = protect_and_back(scene);
		error = error ?: take_log(scene, &logged);
		if (error)
			break;
		if (!logged)
			scene_violate(scene, scene->first, STAMP_UNLOGGED, i);
		scene->reached = true;
	}
	return error;
}

/**
 * act_log_slot - the dirty log goes on and off, and has what is written between
 */
ACT(log_slot)
{
	struct instance *instance = instance_of(scene);
	int error;

	instance_slot_begin(instance, slot_of(scene));
	set_slot(scene, SLOT_LOG_DIRTY);
	instance_slot_settle(instance, slot_of(scene));
	error = write_and_look(scene);
	instance_slot_unsettle(instance, slot_of(scene));
	set_slot(scene, 0);
	instance_slot_end(instance, slot_of(scene));
	return error;
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
