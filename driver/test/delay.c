// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>

#include "delay.h"

/* A gate stands at every dropped spte, and inside of locks. */
#define LONGEST_US	1000

/* One pass of so many is delayed; a delay may be shorter by so many powers of two. */
#define ONE_OF		8
#define SHORTER		8

/* The longest delay in microseconds; 0: no pass is delayed. */
unsigned int secmmu_delay_most;

static atomic64_t state;

/* The next random number (splitmix64): what is drawn depends on the seed and the order. */
static u64 draw_number(void)
{
	u64 x = atomic64_add_return(0x9e3779b97f4a7c15, &state);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/**
 * secmmu_delay_pass - delay some passes of gates, each for a random time
 * @may_sleep: half of the delays are spent asleep, so that others get this processor
 *
 * Context: anywhere; time-limited.
 */
void secmmu_delay_pass(bool may_sleep)
{
	unsigned int most = READ_ONCE(secmmu_delay_most);
	u64 random = draw_number(), ns, until;

	if (!most || random % ONE_OF)
		return;
	ns = (u64)most * NSEC_PER_USEC >> (random >> 8) % SHORTER;
	if (may_sleep && (random >> 16) & 1) {
		usleep_range(DIV_ROUND_UP_ULL(ns, NSEC_PER_USEC),
			     DIV_ROUND_UP_ULL(ns, NSEC_PER_USEC) + 1);
		return;
	}
	until = ktime_get_mono_fast_ns() + ns;
	while (ktime_get_mono_fast_ns() < until)
		cpu_relax();
}

static int delay_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, LONGEST_US);
}

static const struct kernel_param_ops delay_ops = {
	.set = delay_set,
	.get = param_get_uint,
};

module_param_cb(gate_delay, &delay_ops, &secmmu_delay_most, 0600);
MODULE_PARM_DESC(gate_delay, "longest random delay at a gate in us, or 0 (test builds only)");

static int seed_set(const char *val, const struct kernel_param *kp)
{
	s64 seed;
	int ret = kstrtos64(val, 0, &seed);

	if (!ret)
		atomic64_set(&state, seed);
	return ret;
}

static int seed_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%lld\n", (long long)atomic64_read(&state));
}

static const struct kernel_param_ops seed_ops = {
	.set = seed_set,
	.get = seed_get,
};

module_param_cb(gate_seed, &seed_ops, NULL, 0600);
MODULE_PARM_DESC(gate_seed, "state of the random numbers of gate_delay (test builds only)");
