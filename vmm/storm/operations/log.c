// SPDX-License-Identifier: GPL-2.0
/* The subject's dirty log: what is written through the subject must be in it. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"
#include "stamp.h"

/* A slot of all of guest memory has a bit for each page, as few as it may have. */
#define BITMAP_WORDS	(MEMORY_MAX / GUEST_PAGE_SIZE / 64)

/* Pages that are watched, and how often and for how long. */
#define WATCHED		64
#define TURNS		8
#define TURN_US		3000

/* By then, who has been called has mostly begun to take an entry, and has not ended. */
#define CALLED_US	100

/* For so long a slot may not be written, and writers wait. */
#define PENT_UP_US	500

/**
 * usable_dirty_log - does the subject log writes?
 */
USABLE(dirty_log)
{
	if (!instance->ops->dirty)
		return -snprintf(why, size, "%s has no dirty log", instance->ops->name);
	return usable_slots(operation, instance, why, size);
}

static struct instance *instance_of(const struct scene *scene)
{
	return scene->agent->engine.instance;
}

/* Takes the log, which is on; the slots are locked. Returns it, or NULL after an error. */
static const uint64_t *take_log(const struct scene *scene, int *error)
{
	static __thread uint64_t bitmap[BITMAP_WORDS];
	struct instance *instance = instance_of(scene);
	const struct memory_slot *slot = &instance->memory->slots[scene_slot(scene)];

	*error = instance->ops->dirty(instance->subject, scene_slot(scene), bitmap,
				      slot->length / GUEST_PAGE_SIZE);
	return *error ? NULL : bitmap;
}

/* Is the page, one of the operation's, in the log? */
static bool is_logged(const struct scene *scene, const uint64_t *bitmap, uint32_t page)
{
	const struct memory_slot *slot = &instance_of(scene)->memory->slots[scene_slot(scene)];
	size_t bit = (scene->gpa - slot->gpa) / GUEST_PAGE_SIZE + page - scene->first;

	return bitmap[bit / 64] >> bit % 64 & 1;
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
	const uint64_t *log;
	int error;

	take_log(scene, &error);
	for (int i = 0; i < 3 && !error; i++) {
		error = scene_write_page(scene);
		/* The slot stays, and so does the page: nothing excuses it. */
		if (error)
			scene_violate(scene, scene->first, STAMP_ERROR, error);
		/* Who comes may leave the next write an entry that only a TLB still has. */
		if (!error && i == 0)
			scene_linger(scene);
		if (!error && i == 2)
			error = protect_and_back(scene);
		if (error)
			break;
		log = take_log(scene, &error);
		if (!log)
			break;
		if (!is_logged(scene, log, scene->first))
			scene_violate(scene, scene->first, STAMP_UNLOGGED, i);
		scene->reached = true;
	}
	return error;
}

/* The slot has a log while @watch is at work. */
static int with_log(struct scene *scene, int (*watch)(struct scene *scene))
{
	struct instance *instance = instance_of(scene);
	struct motion *motion = &instance->motion[scene_slot(scene)];
	int error;

	scene_set_slot(scene, SLOT_LOG_DIRTY);
	motion_step(motion);
	error = watch(scene);
	motion_step(motion);
	scene_set_slot(scene, 0);
	return error;
}

/**
 * act_log_slot - the dirty log goes on and off, and has what is written between
 */
ACT(log_slot)
{
	struct instance *instance = instance_of(scene);
	int error;

	instance_slot_begin(instance, scene_slot(scene));
	error = with_log(scene, write_and_look);
	instance_slot_end(instance, scene_slot(scene));
	return error;
}

static uint32_t watched(const struct scene *scene)
{
	return scene->count < WATCHED ? scene->count : WATCHED;
}

static void look_before(const struct scene *scene, uint32_t *before)
{
	for (uint32_t i = 0; i < watched(scene); i++)
		judge_look(scene->agent->judge, scene->first + i, instance_of(scene), &before[i]);
}

/*
 * Takes the log, which must have each page that an engine has written, from beginning to end,
 * since look_before(). A write that had begun by then may be in the log before this one.
 */
static int look_after(struct scene *scene, const uint32_t *before)
{
	bool written[WATCHED];
	const uint64_t *log;
	uint32_t now;
	int error;

	for (uint32_t i = 0; i < watched(scene); i++)
		written[i] = judge_look(scene->agent->judge, scene->first + i, instance_of(scene),
					&now) && (int32_t)(now - ((before[i] + 1) & ~1u)) > 0;
	log = take_log(scene, &error);
	for (uint32_t i = 0; log && i < watched(scene); i++) {
		if (!written[i])
			continue;
		scene->reached = true;
		if (!is_logged(scene, log, scene->first + i))
			scene_violate(scene, scene->first + i, STAMP_UNLOGGED, TURNS);
	}
	return error;
}

/* Engines that aim come here. */
static void call_engines(const struct scene *scene, unsigned int us)
{
	for (uint32_t i = 0; i < TRAIL_PAGES && i < watched(scene); i++)
		trail_note(&scene->agent->judge->lost, scene->first + i);
	usleep(us);
}

/*
 * In every other turn entries go from under them; if @hurried, as soon as the log was taken: then
 * the first write, which marks an entry, meets what drops it. In the other turns one may go then.
 */
static void let_write(struct scene *scene, int turn, bool hurried)
{
	unsigned int us = prng_below(scene->prng, TURN_US);

	call_engines(scene, hurried && turn % 2 ? 0 : us);
	track_hail(scene);
	/* Without swap space it does nothing. */
	if (turn % 2)
		madvise(scene->hva, scene->length, MADV_PAGEOUT);
	else if (hurried && scene_call(scene))
		usleep(CALLED_US);
}

static int watch_writers(struct scene *scene)
{
	bool hurried = prng_below(scene->prng, 2);
	uint32_t before[WATCHED];
	int error;

	take_log(scene, &error);
	for (int turn = 0; turn < TURNS && !error; turn++) {
		look_before(scene, before);
		let_write(scene, turn, hurried);
		error = look_after(scene, before);
	}
	return error;
}

/*
 * What may not be written is logged from its first write on: writers that have begun
 * meanwhile get through while the slot is being replaced.
 */
static int watch_replacement(struct scene *scene)
{
	uint32_t before[WATCHED];
	int error;

	scene_set_slot(scene, SLOT_READONLY);
	look_before(scene, before);
	call_engines(scene, PENT_UP_US);
	scene_set_slot(scene, SLOT_LOG_DIRTY);
	error = look_after(scene, before);
	scene_set_slot(scene, 0);
	return error;
}

/**
 * act_log_writers - a slot has a dirty log for a while, which has what engines write meanwhile
 */
ACT(log_writers)
{
	struct instance *instance = instance_of(scene);
	int error = 0;

	instance_slot_begin(instance, scene_slot(scene));
	if (!(instance->ops->limits & SUBJECT_NO_READONLY_SLOTS))
		error = watch_replacement(scene);
	error = error ?: with_log(scene, watch_writers);
	instance_slot_end(instance, scene_slot(scene));
	return error;
}
