// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of policy.c, on the host, without QEMU: three CPUs that make steps in turn, or when
 * they are refused one.
 */
#include <stdio.h>
#include <string.h>

#include "policy.h"

#define CPUS	3u
#define BLOCKS	100u

static unsigned int idle_cpus;
static bool failed;

static bool is_idle(unsigned int cpu)
{
	return idle_cpus & 1u << cpu;
}

static void check(const char *name, bool passed)
{
	printf("%s - policy, %s\n", passed ? "ok" : "not ok", name);
	failed |= !passed;
}

static struct policy make_policy(const char *name, uint64_t depth)
{
	struct policy policy = { .cpus = CPUS, .period = 10, .depth = depth };

	policy_choose(&policy, name);
	return policy;
}

/*
 * CPUs run through the blocks of a program each, in turn; whoever is refused waits. Writes
 * who made each step, as a text.
 */
static void play(struct policy *policy, uint64_t seed, char *order)
{
	unsigned int at[CPUS] = { 0 }, cpu = 0;

	policy_begin(policy, seed);
	idle_cpus = 0;
	while (idle_cpus != (1u << CPUS) - 1) {
		enum turn turn = TURN_IS_REFUSED;

		if (!is_idle(cpu))
			turn = policy_step(policy, cpu, 0x1000 + at[cpu] * 16, is_idle);
		if (turn != TURN_IS_REFUSED) {
			*order++ = '0' + cpu;
			if (++at[cpu] == BLOCKS)
				idle_cpus |= 1u << cpu;
		}
		if (turn != TURN_GOES_ON || is_idle(cpu))
			cpu = (cpu + 1) % CPUS;
	}
	*order = '\0';
}

static unsigned int count_changes(const char *order)
{
	unsigned int n = 0;

	for (; order[0] && order[1]; order++)
		n += order[0] != order[1];
	return n;
}

static void test_none(void)
{
	struct policy policy = make_policy("none", 0);
	char order[CPUS * BLOCKS + 1];

	play(&policy, 1, order);
	check("none: nobody gives way", count_changes(order) == CPUS - 1);
}

static void test_random(void)
{
	struct policy policy = make_policy("random", 0);
	char first[CPUS * BLOCKS + 1], second[CPUS * BLOCKS + 1];

	play(&policy, 1, first);
	play(&policy, 1, second);
	check("random: the same seed, the same schedule", !strcmp(first, second));
	play(&policy, 2, second);
	check("random: another seed, another schedule", strcmp(first, second));
	/* Of 300 steps one of ten, at a guess. */
	check("random: one of N steps", count_changes(first) > 10 && count_changes(first) < 60);
}

/* Without changes of priority each CPU runs to its end. */
static void test_pct_one(void)
{
	struct policy policy = make_policy("pct", 1);
	char order[CPUS * BLOCKS + 1];
	bool seen[CPUS] = { false }, alone = true;

	for (uint64_t seed = 1; seed <= 50; seed++) {
		play(&policy, seed, order);
		/* One that is refused 64 times makes a step: none is here, as nobody spins. */
		alone &= count_changes(order) == CPUS - 1;
		seen[order[0] - '0'] = true;
	}
	check("pct:1: by priority alone", alone);
	check("pct:1: each CPU is the first one under some seed", seen[0] && seen[1] && seen[2]);
}

/* With one change the CPU that runs gives way once, at any of its steps. */
static void test_pct_two(void)
{
	struct policy policy = make_policy("pct", 2);
	char order[CPUS * BLOCKS + 1];
	unsigned int more = 0;
	bool few = true;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		play(&policy, seed, order);
		few &= count_changes(order) <= CPUS;
		more += count_changes(order) == CPUS;
	}
	check("pct:2: at most one change more", few);
	check("pct:2: a change under many seeds", more > 50);
	check("pct: the length of a schedule is learnt", policy.steps == CPUS * BLOCKS);
}

/* One that spins until another one has done something must not do so for ever. */
static void test_refused_for_long(void)
{
	struct policy policy = make_policy("pct", 1);
	unsigned int low = 0, refused = 0;

	policy_begin(&policy, 1);
	idle_cpus = 0;
	for (unsigned int i = 1; i < CPUS; i++)
		if (policy.priorities[i] < policy.priorities[low])
			low = i;
	while (refused < 1000 &&
	       policy_step(&policy, low, 0x1000, is_idle) == TURN_IS_REFUSED)
		refused++;
	check("pct: a step after 64 refusals", refused == 64);
	idle_cpus = ~(1u << low);
	check("pct: a step while all others are idle",
	      policy_step(&policy, low, 0x2000, is_idle) == TURN_GOES_ON);
}

/* A loop is no more steps than two rounds of it. */
static void test_loops(void)
{
	struct policy policy = make_policy("pct", 1);

	policy_begin(&policy, 1);
	idle_cpus = ~1u;
	for (unsigned int i = 0; i < 1000; i++)
		policy_step(&policy, 0, 0x1000 + i % 5 * 16, is_idle);
	check("pct: a loop counts twice", policy.step == 10);
}

int main(void)
{
	struct policy policy = { .cpus = CPUS };

	check("no such policy", !policy_choose(&policy, "fast"));
	test_none();
	test_random();
	test_pct_one();
	test_pct_two();
	test_refused_for_long();
	test_loops();
	return failed;
}
