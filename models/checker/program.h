/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITMUS_PROGRAM_H
#define LITMUS_PROGRAM_H

#include <stdbool.h>

#include "relation.h"

#define PLACES_MAX	16
#define PLACE_NAME	32

/* What an event is; several may hold. */
enum {
	IS_READ			= 1 << 0,
	IS_WRITE		= 1 << 1,
	IS_ACQUIRE		= 1 << 2,
	IS_RELEASE		= 1 << 3,
	IS_LOCK			= 1 << 4,
	IS_UNLOCK		= 1 << 5,
	IS_RMW			= 1 << 6,
	IS_NO_RETURN		= 1 << 7,
	IS_FULL			= 1 << 8,
	IS_RMB			= 1 << 9,
	IS_WMB			= 1 << 10,
	IS_BEFORE_ATOMIC	= 1 << 11,
	IS_AFTER_ATOMIC		= 1 << 12,
	IS_AFTER_SPINLOCK	= 1 << 13,
};

/**
 * struct event - an access, half of a read-modify-write or of spin_lock(), or a fence
 * @thread: whose it is, or -1 for initial values
 * @place: the location it accesses, or -1
 * @is: what it is, IS_...
 * @partner: the other half, or -1
 * @adds: a write: @value is added to what its partner has read
 * @value: a write: what is written; a read: what is added to what it returns
 * @target: a read: the register it goes to, or -1
 */
struct event {
	int thread, place, is, partner;
	bool adds;
	int value, target;
};

/**
 * struct program - a litmus test
 * @name: its name
 * @expected: what it says of itself: "Never", "Sometimes", or nothing
 * @on_arm64: the same for that architecture
 * @nr_events: how many events it has; those of a thread are in program order
 * @events: these
 * @nr_places: how many locations there are
 * @places: their names, and the events that are their initial values
 * @exists: the condition, as text
 */
struct program {
	char name[128], expected[16], on_arm64[16];
	int nr_events, nr_places;
	struct event events[EVENTS_MAX];
	struct {
		char name[PLACE_NAME];
		int initial;
	} places[PLACES_MAX];
	char exists[1024];
};

/**
 * program_read() - read a litmus test of herd7's language C
 * @path: its file
 * @p: where it goes
 *
 * Understood are threads of reads and writes with READ_ONCE() and the like of constants,
 * atomic_inc() and the like, xchg(), fences and spinlocks; neither branches nor plain
 * accesses nor values that go from one access to the other.
 *
 * Return: NULL, or in words what was not understood, valid until the next call.
 */
const char *program_read(const char *path, struct program *p);

#endif
