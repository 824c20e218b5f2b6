/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who gives way, and when. A step is a block of code in the ranges that the plugin was given;
 * for pct, the first times only that a CPU comes to it, so that loops do not weigh more.
 */
#ifndef PLUGIN_POLICY_H
#define PLUGIN_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define POLICY_CPUS	64u
#define POLICY_DEPTH	16u
#define POLICY_VISITS	4096u

/**
 * struct policy - a schedule in the making
 * @kind: the policy
 * @cpus: how many there are
 * @period: random: one of so many steps
 * @depth: pct: the depth of the bug that is looked for; one less priorities change
 * @steps: pct: the steps of a schedule, at a guess: as many as the latest one had
 * @state: of the generator
 * @step: the steps so far
 * @priorities: pct: of each CPU; the highest one runs
 * @changes: pct: the steps at which a priority changes
 * @refused: pct: how often each CPU has been refused the step that it is at
 * @visits: pct: what has been counted: a hash of block and CPU, and how often
 */
struct policy {
	enum { POLICY_NONE, POLICY_RANDOM, POLICY_PCT } kind;
	uint64_t cpus;
	uint64_t period;
	uint64_t depth;
	uint64_t steps;
	uint64_t state;
	uint64_t step;
	uint64_t priorities[POLICY_CPUS];
	uint64_t changes[POLICY_DEPTH];
	unsigned int refused[POLICY_CPUS];
	struct { uint64_t what; unsigned int times; } visits[POLICY_VISITS];
};

bool policy_choose(struct policy *policy, const char *name);
void policy_begin(struct policy *policy, uint64_t seed);
enum turn { TURN_GOES_ON, TURN_IS_LAST, TURN_IS_REFUSED };

enum turn policy_step(struct policy *policy, unsigned int cpu, uint64_t address,
		      bool (*is_idle)(unsigned int));

#endif
