/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Judgement of what a program leaves behind, by the instruments of a test build; on
 * others there is none.
 */
#ifndef FUZZ_VERDICT_H
#define FUZZ_VERDICT_H

#include "exec.h"
#include "world.h"

void judge_world(const struct world *world, struct outcome *outcome);
bool judge_unused(unsigned int patience_s);

#endif /* FUZZ_VERDICT_H */
