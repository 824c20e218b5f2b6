/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITMUS_RELATION_H
#define LITMUS_RELATION_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS_MAX	64

/* Some of the events of an execution. */
typedef uint64_t set_t;

/**
 * struct relation - which events lead to which
 * @row: for each event, those that it leads to
 */
struct relation {
	set_t row[EVENTS_MAX];
};

static inline bool set_has(set_t set, int event)
{
	return set >> event & 1;
}

static inline void rel_add(struct relation *r, int from, int to)
{
	r->row[from] |= (set_t)1 << to;
}

static inline struct relation rel_or(struct relation a, struct relation b)
{
	for (int i = 0; i < EVENTS_MAX; i++)
		a.row[i] |= b.row[i];
	return a;
}

static inline struct relation rel_and(struct relation a, struct relation b)
{
	for (int i = 0; i < EVENTS_MAX; i++)
		a.row[i] &= b.row[i];
	return a;
}

static inline struct relation rel_minus(struct relation a, struct relation b)
{
	for (int i = 0; i < EVENTS_MAX; i++)
		a.row[i] &= ~b.row[i];
	return a;
}

static inline struct relation rel_inverse(struct relation a)
{
	struct relation r = {};

	for (int i = 0; i < EVENTS_MAX; i++)
		for (int j = 0; j < EVENTS_MAX; j++)
			if (set_has(a.row[i], j))
				rel_add(&r, j, i);
	return r;
}

/* @a from a member of @from to a member of @to. */
static inline struct relation rel_between(set_t from, struct relation a, set_t to)
{
	for (int i = 0; i < EVENTS_MAX; i++)
		a.row[i] = set_has(from, i) ? a.row[i] & to : 0;
	return a;
}

/* @a, then @b. */
static inline struct relation rel_then(struct relation a, struct relation b)
{
	struct relation r = {};

	for (int i = 0; i < EVENTS_MAX; i++)
		for (set_t left = a.row[i]; left; left &= left - 1)
			r.row[i] |= b.row[__builtin_ctzll(left)];
	return r;
}

/* Each event leads to itself. */
static inline struct relation rel_identity(void)
{
	struct relation r = {};

	for (int i = 0; i < EVENTS_MAX; i++)
		rel_add(&r, i, i);
	return r;
}

/* @a, or nothing. */
static inline struct relation rel_maybe(struct relation a)
{
	return rel_or(a, rel_identity());
}

/* @a, once or more. */
static inline struct relation rel_repeated(struct relation a)
{
	for (int via = 0; via < EVENTS_MAX; via++)
		for (int i = 0; i < EVENTS_MAX; i++)
			if (set_has(a.row[i], via))
				a.row[i] |= a.row[via];
	return a;
}

/* @a, any number of times. */
static inline struct relation rel_any(struct relation a)
{
	return rel_maybe(rel_repeated(a));
}

static inline bool rel_empty(struct relation a)
{
	for (int i = 0; i < EVENTS_MAX; i++)
		if (a.row[i])
			return false;
	return true;
}

static inline bool rel_acyclic(struct relation a)
{
	a = rel_repeated(a);
	for (int i = 0; i < EVENTS_MAX; i++)
		if (set_has(a.row[i], i))
			return false;
	return true;
}

#endif
