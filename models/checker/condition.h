/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LITMUS_CONDITION_H
#define LITMUS_CONDITION_H

#include "search.h"

/**
 * condition_holds() - does the program's condition hold at the end of this execution?
 * @s: a search that has chosen the execution, a coherent one
 * @holds: the answer
 *
 * Return: whether the condition is understood.
 */
bool condition_holds(const struct search *s, bool *holds);

#endif
