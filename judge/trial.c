// SPDX-License-Identifier: GPL-2.0
/* A subject before a check: its instance, its arena, and the end of the trial. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

/* Slots come before the arena's memory moves, so it is mapped once, with room to align. */
static char *map_arena(const struct trial *trial)
{
	char *memory = mmap(NULL, ARENA_SIZE + 2 * LARGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *arena;

	need(trial, memory != MAP_FAILED, "reserve the arena");
	/* What lies on either side stays reserved: nobody else's memory comes there. */
	arena = (char *)(((uintptr_t)memory + 2 * LARGE - 1) & ~(LARGE - 1));
	map_anon(trial, arena, ARENA_SIZE, PROT_READ | PROT_WRITE);
	return arena;
}

/* A buffer of the process's own, which no child copies. */
static char *map_buffer(const struct trial *trial)
{
	char *buffer = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need(trial, buffer != MAP_FAILED, "map a buffer");
	return buffer;
}

static void need_call(const struct trial *trial, int ret, const char *what)
{
	if (ret < 0)
		convict(trial, VERDICT_BROKEN, "cannot %s: %s", what, strerror(-ret));
}

/**
 * trial_set_slot - show the arena to the subject
 * @trial: the trial
 * @flags: of the slot
 */
void trial_set_slot(struct trial *trial, unsigned int flags)
{
	need_call(trial, trial->ops->slot_set(trial->subject, ARENA_SLOT, flags, trial->gpa,
					      trial->arena, ARENA_SIZE), "set a slot");
}

/**
 * trial_begin - make an instance with an arena and an accessor
 * @trial: has its check, subject and result
 */
void trial_begin(struct trial *trial)
{
	trial->arena = map_arena(trial);
	trial->buffer = map_buffer(trial);
	trial->gpa = trial_cannot(trial, SUBJECT_IDENTITY) ? (uintptr_t)trial->arena : ARENA_GPA;
	need_call(trial, trial->ops->create(&trial->subject), "create an instance");
	trial_set_slot(trial, 0);
	need_call(trial, trial->ops->accessor_open(trial->subject, &trial->accessor),
		  "open an accessor");
}

/**
 * trial_end - take the accessor, the slot and the instance away
 * @trial: begun
 */
void trial_end(struct trial *trial)
{
	if (trial->ops->accessor_close)
		trial->ops->accessor_close(trial->accessor);
	if (trial->ops->slot_delete)
		trial->ops->slot_delete(trial->subject, ARENA_SLOT);
	if (trial->ops->destroy)
		trial->ops->destroy(trial->subject);
}

/**
 * trial_second - open another accessor of the same instance
 * @trial: begun; the subject can have several accessors
 * @second: filled in; belongs to one thread
 */
void trial_second(const struct trial *trial, struct trial *second)
{
	*second = *trial;
	second->buffer = map_buffer(trial);
	need_call(trial, trial->ops->accessor_open(trial->subject, &second->accessor),
		  "open a second accessor");
}

/**
 * trial_second_end - close it
 * @second: what trial_second() filled in
 */
void trial_second_end(struct trial *second)
{
	if (second->ops->accessor_close)
		second->ops->accessor_close(second->accessor);
	munmap(second->buffer, ARENA_SIZE);
}

/**
 * trial_cannot - does the subject have a limit?
 * @trial: the trial
 * @limit: which
 *
 * Return: true if it has.
 */
bool trial_cannot(const struct trial *trial, enum subject_limit limit)
{
	return trial->ops->limits & limit;
}

/**
 * page_at - find a page of the arena
 * @trial: the trial
 * @number: of the page
 *
 * Return: its address.
 */
char *page_at(const struct trial *trial, size_t number)
{
	return trial->arena + number * PAGE;
}

/**
 * gpa_at - find the gpa of an address in the arena
 * @trial: the trial
 * @hva: the address
 *
 * Return: the gpa.
 */
uint64_t gpa_at(const struct trial *trial, const void *hva)
{
	return trial->gpa + (uint64_t)((const char *)hva - trial->arena);
}

/* The first verdict stands, even if several threads or processes have one. */
static void __attribute__((noreturn))
conclude(const struct trial *trial, enum verdict verdict, const char *text, va_list arguments)
{
	static int taken;
	int none = VERDICT_NONE;

	if (!__atomic_exchange_n(&taken, 1, __ATOMIC_ACQ_REL) &&
	    __atomic_load_n(&trial->result->verdict, __ATOMIC_ACQUIRE) == none) {
		vsnprintf(trial->result->text, sizeof(trial->result->text), text, arguments);
		__atomic_store_n(&trial->result->verdict, verdict, __ATOMIC_RELEASE);
	}
	_exit(0);
}

/**
 * convict - end the check with a verdict
 * @trial: the trial
 * @verdict: the word
 * @text: the reason, one line
 */
void convict(const struct trial *trial, enum verdict verdict, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	conclude(trial, verdict, text, arguments);
}

/**
 * skip - end the check, for the machine lacks something
 * @trial: the trial
 * @text: what it lacks
 */
void skip(const struct trial *trial, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	conclude(trial, VERDICT_SKIPPED, text, arguments);
}

/**
 * need - end the check, for it is broken, unless something worked
 * @trial: the trial
 * @ok: did it work?
 * @what: verb and object
 */
void need(const struct trial *trial, bool ok, const char *what)
{
	if (!ok)
		convict(trial, VERDICT_BROKEN, "cannot %s: %s", what, strerror(errno));
}
