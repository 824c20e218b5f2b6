// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "condition.h"

/**
 * struct text - what is left to read of a condition
 * @at: here
 * @wrong: something was not understood here
 */
struct text {
	const char *at;
	bool wrong;
};

static void skip_blanks(struct text *text)
{
	text->at += strspn(text->at, " \t\n");
}

/* Skip @word, if it is there. */
static bool skip(struct text *text, const char *word)
{
	skip_blanks(text);
	if (text->wrong || strncmp(text->at, word, strlen(word)))
		return false;
	text->at += strlen(word);
	skip_blanks(text);
	return true;
}

static void expect(struct text *text, const char *word)
{
	if (!skip(text, word))
		text->wrong = true;
}

/* What a write writes, or a read returns. Ends, for the execution is coherent. */
static int value(const struct search *s, int event)
{
	const struct event *e = &s->p.events[event];

	if (e->is & IS_READ)
		return value(s, s->source[event]) + e->value;
	if (!e->adds)
		return e->value;
	return value(s, s->source[e->partner]) + e->value;
}

/* The value of "THREAD:rN", or of a location at the end. */
static int term(const struct search *s, struct text *text)
{
	const struct program *p = &s->p;
	char name[PLACE_NAME];
	int thread, reg, used;

	if (sscanf(text->at, "%d:r%d%n", &thread, &reg, &used) == 2) {
		for (int i = p->nr_events - 1; i >= 0; i--)
			if (p->events[i].thread == thread && p->events[i].target == reg) {
				text->at += used;
				return value(s, i);
			}
	} else if (sscanf(text->at, "%31[a-z_A-Z0-9]%n", name, &used) == 1) {
		for (int i = 0; i < p->nr_places; i++)
			if (!strcmp(p->places[i].name, name)) {
				text->at += used;
				return value(s, s->order[i][s->nr[i] - 1]);
			}
	}
	text->wrong = true;
	return 0;
}

static bool any_of(const struct search *s, struct text *text);

/* "( CONDITION )" or "TERM = N" */
static bool one(const struct search *s, struct text *text)
{
	bool holds;
	char *end;
	int left;

	if (skip(text, "(")) {
		holds = any_of(s, text);
		expect(text, ")");
		return holds;
	}
	left = term(s, text);
	expect(text, "=");
	if (text->wrong)
		return false;
	holds = left == strtol(text->at, &end, 10);
	text->wrong = end == text->at;
	text->at = end;
	return holds;
}

/* With "/\" between them, which binds closer. */
static bool all_of(const struct search *s, struct text *text)
{
	bool holds = one(s, text);

	while (skip(text, "/\\"))
		holds &= one(s, text);
	return holds;
}

/* With "\/" between them. */
static bool any_of(const struct search *s, struct text *text)
{
	bool holds = all_of(s, text);

	while (skip(text, "\\/"))
		holds |= all_of(s, text);
	return holds;
}

bool condition_holds(const struct search *s, bool *holds)
{
	struct text text = { .at = s->p.exists };

	skip_blanks(&text);
	*holds = any_of(s, &text);
	skip_blanks(&text);
	return !text.wrong && !*text.at;
}
