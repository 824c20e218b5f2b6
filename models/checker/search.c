// SPDX-License-Identifier: GPL-2.0
#include "condition.h"
#include "lkmm.h"
#include "search.h"

/* The events that are all of @is. */
static set_t events_that(const struct program *p, int is)
{
	set_t set = 0;

	for (int i = 0; i < p->nr_events; i++)
		if ((p->events[i].is & is) == is)
			set |= (set_t)1 << i;
	return set;
}

/* What follows from the program alone. */
static struct execution outline(const struct program *p)
{
	struct execution x = {
		.all = events_that(p, 0),
		.reads = events_that(p, IS_READ),
		.writes = events_that(p, IS_WRITE),
		.acquire = events_that(p, IS_READ | IS_ACQUIRE),
		.release = events_that(p, IS_WRITE | IS_RELEASE),
		.lock_reads = events_that(p, IS_READ | IS_LOCK),
		.lock_writes = events_that(p, IS_WRITE | IS_LOCK),
		.unlocks = events_that(p, IS_UNLOCK),
		.rmw_events = events_that(p, IS_RMW),
		.no_return = events_that(p, IS_NO_RETURN),
		.full = events_that(p, IS_FULL),
		.rmb = events_that(p, IS_RMB),
		.wmb = events_that(p, IS_WMB),
		.before_atomic = events_that(p, IS_BEFORE_ATOMIC),
		.after_atomic = events_that(p, IS_AFTER_ATOMIC),
		.after_spinlock = events_that(p, IS_AFTER_SPINLOCK),
	};

	for (int i = 0; i < p->nr_events; i++) {
		const struct event *a = &p->events[i];

		if ((a->is & IS_READ) && a->partner >= 0)
			rel_add(&x.rmw, i, a->partner);
		for (int j = 0; j < p->nr_events; j++) {
			const struct event *b = &p->events[j];

			if (a->place >= 0 && a->place == b->place)
				rel_add(&x.same_place, i, j);
			if (a->thread >= 0 && a->thread == b->thread) {
				rel_add(&x.same_thread, i, j);
				if (i < j)
					rel_add(&x.po, i, j);
			}
		}
	}
	return x;
}

/* All is chosen: is it permitted, and does the condition hold? */
static void judge(struct search *s)
{
	struct execution x = outline(&s->p);
	bool holds;

	for (int place = 0; place < s->p.nr_places; place++)
		for (int i = 0; i < s->nr[place]; i++)
			for (int j = i + 1; j < s->nr[place]; j++)
				rel_add(&x.co, s->order[place][i], s->order[place][j]);
	for (int i = 0; i < s->p.nr_events; i++)
		if (s->p.events[i].is & IS_READ)
			rel_add(&x.rf, s->source[i], i);
	if (!lkmm_coherent(&x) || !s->permits(&x))
		return;
	if (!condition_holds(s, &holds))
		s->wrong = true;
	if (holds)
		s->with++;
	else
		s->without++;
}

/* A lock is taken when the one before has let it go. */
static int lock_source(const struct search *s, const struct event *read)
{
	const int *order = s->order[read->place];

	for (int i = 1; i < s->nr[read->place]; i++)
		if (order[i] == read->partner)
			return order[i - 1];
	return -1;
}

/* Choose what @read and all reads behind it read from. */
static void choose_sources(struct search *s, int read)
{
	const struct program *p = &s->p;

	while (read < p->nr_events && !(p->events[read].is & IS_READ))
		read++;
	if (read == p->nr_events) {
		judge(s);
		return;
	}
	if (p->events[read].is & IS_LOCK) {
		s->source[read] = lock_source(s, &p->events[read]);
		choose_sources(s, read + 1);
		return;
	}
	for (int i = 0; i < p->nr_events; i++) {
		if (p->events[i].place != p->events[read].place ||
		    !(p->events[i].is & IS_WRITE) || i == p->events[read].partner)
			continue;
		s->source[read] = i;
		choose_sources(s, read + 1);
	}
}

static bool ordered(const struct search *s, int event)
{
	int place = s->p.events[event].place;

	for (int i = 0; i < s->nr[place]; i++)
		if (s->order[place][i] == event)
			return true;
	return false;
}

/* May this write be the next to its place? Only who holds a lock can let it go. */
static bool may_follow(const struct search *s, int event)
{
	const struct event *e = &s->p.events[event];
	int nr = s->nr[e->place], last = s->order[e->place][nr - 1];
	bool held = s->p.events[last].is & IS_LOCK;

	if (e->is & IS_LOCK)
		return !held;
	return !(e->is & IS_UNLOCK) ||
	       (held && s->p.events[last].thread == e->thread && last < event);
}

/*
 * Choose the order of what is left of the writes to @place, and of all behind it. If one
 * is left that may not follow, a lock is taken twice, and nothing comes of that.
 */
static void choose_orders(struct search *s, int place)
{
	bool complete = true;

	if (place == s->p.nr_places) {
		choose_sources(s, 0);
		return;
	}
	for (int i = 0; i < s->p.nr_events; i++) {
		const struct event *e = &s->p.events[i];

		if (e->place != place || !(e->is & IS_WRITE) || ordered(s, i))
			continue;
		complete = false;
		if (!may_follow(s, i))
			continue;
		s->order[place][s->nr[place]++] = i;
		choose_orders(s, place);
		s->nr[place]--;
	}
	if (complete)
		choose_orders(s, place + 1);
}

bool search_all(struct search *s)
{
	for (int i = 0; i < s->p.nr_places; i++) {
		s->order[i][0] = s->p.places[i].initial;
		s->nr[i] = 1;
	}
	choose_orders(s, 0);
	return !s->wrong;
}
