// SPDX-License-Identifier: GPL-2.0
/*
 * pct is the method of Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized
 * scheduler with probabilistic guarantees of finding bugs" (ASPLOS 2010). Threads have
 * random priorities, and at d - 1 random steps the one that runs gets the lowest. Of n
 * threads and k steps, a bug of depth d is met with a probability of at least
 * 1 / (n * k^(d - 1)). Here a thread is a virtual CPU, and one that should not run makes a
 * step after so many refusals nevertheless, since another one may spin until it does; k is
 * what the schedule before had. So the bound is a guide, not a promise.
 */
#include <string.h>

#include "policy.h"

/* Below all priorities of the beginning. */
#define FIRST_PRIORITY	1000

#define FIRST_STEPS	1000

/* How often a block is a step, for each CPU. */
#define VISITS		2

#define REFUSALS	64

/* splitmix64: any seed will do. */
static uint64_t draw(struct policy *policy)
{
	uint64_t z = policy->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

bool policy_choose(struct policy *policy, const char *name)
{
	static const char * const names[] = {
		[POLICY_NONE] = "none", [POLICY_RANDOM] = "random", [POLICY_PCT] = "pct",
	};

	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(name, names[i])) {
			policy->kind = i;
			return true;
		}
	return false;
}

void policy_begin(struct policy *policy, uint64_t seed)
{
	policy->steps = policy->step ? policy->step : FIRST_STEPS;
	policy->state = seed;
	policy->step = 0;
	memset(policy->refused, 0, sizeof(policy->refused));
	memset(policy->visits, 0, sizeof(policy->visits));
	for (unsigned int i = 0; i < policy->cpus; i++)
		policy->priorities[i] = FIRST_PRIORITY + draw(policy) % 1000000;
	for (unsigned int i = 0; i < POLICY_DEPTH; i++)
		policy->changes[i] = i + 1 < policy->depth ?
				     1 + draw(policy) % policy->steps : 0;
}

static bool is_highest(const struct policy *policy, unsigned int cpu,
		       bool (*is_idle)(unsigned int))
{
	for (unsigned int i = 0; i < policy->cpus; i++)
		if (policy->priorities[i] > policy->priorities[cpu] && !is_idle(i))
			return false;
	return true;
}

/* A collision makes a step more or less, always the same. */
static bool is_new(struct policy *policy, unsigned int cpu, uint64_t address)
{
	uint64_t what = address * POLICY_CPUS + cpu;
	unsigned int at = (what * 0x9e3779b97f4a7c15) >> 52;

	if (policy->visits[at].what != what) {
		policy->visits[at].what = what;
		policy->visits[at].times = 0;
	}
	return policy->visits[at].times++ < VISITS;
}

static enum turn pct_step(struct policy *policy, unsigned int cpu, uint64_t address,
			  bool (*is_idle)(unsigned int))
{
	/* What was refused was counted then. */
	if (!policy->refused[cpu] && is_new(policy, cpu, address)) {
		policy->step++;
		for (unsigned int i = 0; i < POLICY_DEPTH; i++)
			if (policy->changes[i] == policy->step)
				policy->priorities[cpu] = i;
	}
	if (is_highest(policy, cpu, is_idle) || policy->refused[cpu] == REFUSALS) {
		policy->refused[cpu] = 0;
		return TURN_GOES_ON;
	}
	policy->refused[cpu]++;
	return TURN_IS_REFUSED;
}

/**
 * policy_step - a CPU is about to make a step
 * @policy: the schedule
 * @cpu: it
 * @address: of the block
 * @is_idle: does a CPU wait?
 *
 * Return: whether it may, may and gives way afterwards, or gives way before.
 */
enum turn policy_step(struct policy *policy, unsigned int cpu, uint64_t address,
		      bool (*is_idle)(unsigned int))
{
	if (policy->kind == POLICY_PCT)
		return pct_step(policy, cpu, address, is_idle);
	policy->step++;
	if (policy->kind == POLICY_RANDOM && !(draw(policy) % policy->period))
		return TURN_IS_LAST;
	return TURN_GOES_ON;
}
