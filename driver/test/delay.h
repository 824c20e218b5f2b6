/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random delays at gates, for storms: nothing decides who meets whom, but those who are
 * about to meet take longer, at other gates every now and then, and at times accesses have
 * no patience with events. The module parameter "gate_delay" is the longest delay in
 * microseconds, 0 for none; the one sleep past a mirror may last 16 times as long, and one
 * before a flush 8 times while that gate is favoured. "gate_seed" begins the random numbers
 * anew.
 */
#ifndef SECMMU_TEST_DELAY_H
#define SECMMU_TEST_DELAY_H

#include <linux/compiler.h>
#include <linux/secmmu_test.h>
#include <linux/types.h>

#include "../limits.h"

extern unsigned int secmmu_delay_most;

void secmmu_delay_pass(enum secmmu_gate gate, bool may_sleep);
bool secmmu_delay_favours(enum secmmu_gate gate, u64 now);
unsigned int secmmu_delay_patience_at(u64 now);
unsigned int secmmu_delay_patience(void);

static inline unsigned int secmmu_patience(void)
{
	return likely(!READ_ONCE(secmmu_delay_most)) ? SECMMU_PATIENCE : secmmu_delay_patience();
}

#endif
