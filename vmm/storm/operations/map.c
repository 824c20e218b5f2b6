// SPDX-License-Identifier: GPL-2.0
/* What changes the mappings of the process: mmap(2), mremap(2), mprotect(2). */
#include <errno.h>
#include <sys/mman.h>
#include "acts.h"
#include "evidence.h"
#include "operation.h"
#include "stamp.h"

/**
 * act_replace - mmap(MAP_FIXED) over what is there
 */
ACT(replace)
{
	return memory_replace(scene->agent->judge->memory, scene->gpa, scene->length);
}

static void map_again(struct scene *scene, size_t from)
{
	int error = memory_remap(scene->agent->judge->memory, scene->gpa + from,
				 scene->length - from);

	if (error)
		scene_fail(scene, "cannot put memory back", error);
}

/**
 * act_unmap - munmap(), and a new mapping at the same place
 */
ACT(unmap)
{
	int error = memory_unmap(scene->agent->judge->memory, scene->gpa, scene->length);

	if (error)
		return error;
	scene_expect_gap(scene);
	scene_linger(scene);
	map_again(scene, 0);
	return 0;
}

/**
 * act_shrink - let a mapping shrink to its first page, and grow again
 */
ACT(shrink)
{
	void *got = mremap(scene->hva, scene->length, GUEST_PAGE_SIZE, 0);

	if (got == MAP_FAILED)
		return -errno;
	scene_expect_gap(scene);
	scene_linger(scene);
	got = mremap(scene->hva, GUEST_PAGE_SIZE, scene->length, 0);
	/* Not past the end of the area that the page has now. */
	if (got == MAP_FAILED)
		map_again(scene, GUEST_PAGE_SIZE);
	scene->reached = true;
	return 0;
}

static void move_back(struct scene *scene)
{
	if (mremap(scene->agent->scratch, scene->length, scene->length,
		   MREMAP_MAYMOVE | MREMAP_FIXED, scene->hva) == MAP_FAILED)
		scene_fail(scene, "cannot move memory back", -errno);
	else
		scene_reserve_scratch(scene);
}

/*
 * A move that was refused may have happened in part: since 6.17 several areas move in one call,
 * one after the other.
 */
static void undo_move(struct scene *scene)
{
	for (size_t into = 0; into < scene->length; into += GUEST_PAGE_SIZE) {
		unsigned char there;

		if (mincore(scene->hva + into, GUEST_PAGE_SIZE, &there) &&
		    mremap(scene->agent->scratch + into, GUEST_PAGE_SIZE, GUEST_PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, scene->hva + into) == MAP_FAILED)
			scene_fail(scene, "cannot move memory back", -errno);
	}
	scene_reserve_scratch(scene);
}

/* Returns 0, or a negative errno with the pages where they were. */
static int move_away(struct scene *scene, int flags)
{
	int error;

	if (mremap(scene->hva, scene->length, scene->length,
		   MREMAP_MAYMOVE | MREMAP_FIXED | flags, scene->agent->scratch) != MAP_FAILED)
		return 0;
	error = -errno;
	undo_move(scene);
	return error;
}

/* Has a page, by its place in the scene, the frame that it had? */
static bool has_frame(const char *hva, uint64_t entry)
{
	return entry & PAGEMAP_PRESENT &&
	       (pagemap_entry(hva) & PAGEMAP_FRAME) == (entry & PAGEMAP_FRAME);
}

/**
 * act_move - mremap() to another place, and back
 */
ACT(move)
{
	size_t into = (size_t)(scene->sample - scene->first) * GUEST_PAGE_SIZE;
	uint64_t entry = pagemap_entry(scene->hva + into);
	int error = move_away(scene, 0);

	if (error)
		return error;
	scene->reached = has_frame(scene->agent->scratch + into, entry);
	scene_expect_gap(scene);
	scene_linger(scene);
	move_back(scene);
	return 0;
}

/**
 * act_move_and_keep - mremap(MREMAP_DONTUNMAP): pages leave, their mapping stays; and back
 */
ACT(move_and_keep)
{
	size_t into = (size_t)(scene->sample - scene->first) * GUEST_PAGE_SIZE;
	uint64_t before[GUEST_PAGE_WORDS];
	uint64_t entry = pagemap_entry(scene->hva + into);
	int error;

	scene_copy_sample(scene, before);
	error = move_away(scene, MREMAP_DONTUNMAP);
	if (error)
		return error;
	scene->reached = has_frame(scene->agent->scratch + into, entry);
	scene_linger(scene);
	scene_expect_zeroes(scene);
	move_back(scene);
	scene_expect_same(scene, before, STAMP_LOST);
	return 0;
}

static int protect(struct scene *scene, int protection)
{
	return mprotect(scene->hva, scene->length, protection) ? -errno : 0;
}

static void unprotect(struct scene *scene)
{
	int error = protect(scene, PROT_READ | PROT_WRITE);

	if (error)
		scene_fail(scene, "cannot make memory writable", error);
}

/**
 * act_protect_all - mprotect(PROT_NONE), and back
 */
ACT(protect_all)
{
	int error = protect(scene, PROT_NONE);

	if (!error && !scene_cannot(scene, SUBJECT_NO_PERMISSION))
		scene_expect_gap(scene);
	if (!error)
		scene_linger(scene);
	/* Refused in the middle, it is done in part. */
	unprotect(scene);
	scene->reached = !error;
	return error;
}

/**
 * act_protect_writes - mprotect(PROT_READ) under writers, and back
 *
 * From the time that the call has returned, content must not change, but see @late_writes.
 */
ACT(protect_writes)
{
	uint64_t before[GUEST_PAGE_WORDS];
	int error = protect(scene, PROT_READ);

	if (!error)
		scene_expect_read_only(scene);
	if (!error && !scene_cannot(scene, SUBJECT_NO_PERMISSION) && scene_await_writer(scene)) {
		scene_copy_sample(scene, before);
		scene_linger(scene);
		scene_expect_same(scene, before, STAMP_GAP);
	}
	unprotect(scene);
	scene->reached = !error;
	return error;
}
