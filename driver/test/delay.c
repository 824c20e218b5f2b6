// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>

#include "delay.h"

/* A gate stands at every dropped spte, and inside of locks. */
#define LONGEST_US	1000

/*
 * How often and for how long: one pass of @one_of is delayed; a delay may be shorter by so
 * many powers of two. Each turn favours some gates, one of GATES_ONE_OF, and they are slow
 * then: a race mostly needs one place that takes long, while all others are quick.
 */
static const struct pace {
	unsigned int one_of;
	unsigned int shorter;
} usual = { 32, 8 }, favoured = { 2, 3 };

#define GATES_ONE_OF	8
/*
 * With a page of GUP in hand, and asleep, so many times as long: what an access past the mirror
 * must not miss, a fork or a slot that goes, takes several milliseconds.
 */
#define DIRECT_TIMES	16
/*
 * Between a zap and its flush, in favoured turns: another event has to begin and to end meanwhile,
 * and an engine to use what neither has flushed.
 */
#define ZAPPED_TIMES	8
/* Nanoseconds, a power of two: 134 ms. */
#define TURN_SHIFT	27

/* The longest delay in microseconds; 0: no pass is delayed. */
unsigned int secmmu_delay_most;

static atomic64_t state;
static u64 first_state;

#define GOLDEN	0x9e3779b97f4a7c15ULL

/* splitmix64 */
static u64 mix_bits(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* The next random number: what is drawn depends on the seed and the order. */
static u64 draw_number(void)
{
	return mix_bits(atomic64_add_return(GOLDEN, &state));
}

/**
 * secmmu_delay_favours - is a gate slow for now?
 * @gate: which gate
 * @now: nanoseconds
 *
 * Context: anywhere. Depends on the seed, the time and the gate alone.
 * Return: true if it is.
 */
bool secmmu_delay_favours(enum secmmu_gate gate, u64 now)
{
	u64 turn = READ_ONCE(first_state) + (now >> TURN_SHIFT) * SECMMU_NR_GATES + gate;

	return !(mix_bits(turn * GOLDEN) % GATES_ONE_OF);
}

/**
 * secmmu_delay_pass - delay some passes of gates, each for a random time
 * @gate: which gate
 * @may_sleep: half of the delays are spent asleep, so that others get this processor
 *
 * Context: anywhere; time-limited.
 */
void secmmu_delay_pass(enum secmmu_gate gate, bool may_sleep)
{
	unsigned int most = READ_ONCE(secmmu_delay_most);
	u64 random, ns, now, until;
	const struct pace *pace;

	if (!most)
		return;
	now = ktime_get_mono_fast_ns();
	pace = secmmu_delay_favours(gate, now) ? &favoured : &usual;
	random = draw_number();
	if (random % pace->one_of)
		return;
	ns = (u64)most * NSEC_PER_USEC >> (random >> 8) % pace->shorter;
	if (may_sleep && (random >> 16) & 1) {
		if (gate == SECMMU_GATE_DIRECT_GOT)
			ns *= DIRECT_TIMES;
		usleep_range(DIV_ROUND_UP_ULL(ns, NSEC_PER_USEC),
			     DIV_ROUND_UP_ULL(ns, NSEC_PER_USEC) + 1);
		return;
	}
	if (gate == SECMMU_GATE_ZAPPED && pace == &favoured)
		ns *= ZAPPED_TIMES;
	until = now + ns;
	while (ktime_get_mono_fast_ns() < until)
		cpu_relax();
}

/**
 * secmmu_delay_patience_at - for how many turns have accesses patience, if gates delay?
 * @now: nanoseconds
 *
 * Context: anywhere.
 * Return: SECMMU_PATIENCE; 1, when one event is enough, in turns that favour a gate of the way
 * past the mirror: few accesses would come there.
 */
unsigned int secmmu_delay_patience_at(u64 now)
{
	return secmmu_delay_favours(SECMMU_GATE_DIRECT_GOT, now) ||
	       secmmu_delay_favours(SECMMU_GATE_DIRECT_CHECKED, now) ? 1 : SECMMU_PATIENCE;
}

/**
 * secmmu_delay_patience - the same for this moment
 *
 * Context: anywhere.
 * Return: likewise.
 */
unsigned int secmmu_delay_patience(void)
{
	return secmmu_delay_patience_at(ktime_get_mono_fast_ns());
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

	if (ret)
		return ret;
	atomic64_set(&state, seed);
	WRITE_ONCE(first_state, seed);
	return 0;
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
