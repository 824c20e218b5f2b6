/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITMUS_SEARCH_H
#define LITMUS_SEARCH_H

#include "program.h"

struct execution;

/**
 * struct search - all executions of a program
 * @p: the program
 * @permits: the rules of a memory model
 * @order: the writes to each location, in the order in which they take effect
 * @nr: how many there are to each location so far
 * @source: for each read, the write that it reads from
 * @with: executions that are permitted and in which the condition holds
 * @without: those in which it does not
 * @wrong: the condition is not understood
 */
struct search {
	struct program p;
	bool (*permits)(const struct execution *x);
	int order[PLACES_MAX][EVENTS_MAX], nr[PLACES_MAX];
	int source[EVENTS_MAX];
	unsigned long with, without;
	bool wrong;
};

/**
 * search_all() - try all executions of a program
 * @s: all zeros, but for the program and the rules; its counts are set
 *
 * Return: whether the condition is understood.
 */
bool search_all(struct search *s);

#endif
