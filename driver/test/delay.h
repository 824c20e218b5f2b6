/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random delays at gates, for storms: nothing decides who meets whom, but those who are
 * about to meet take longer, at other gates every now and then. The module parameter
 * "gate_delay" is the longest delay in microseconds, 0 for none; "gate_seed" begins the
 * random numbers anew.
 */
#ifndef SECMMU_TEST_DELAY_H
#define SECMMU_TEST_DELAY_H

#include <linux/secmmu_test.h>
#include <linux/types.h>

extern unsigned int secmmu_delay_most;

void secmmu_delay_pass(enum secmmu_gate gate, bool may_sleep);

#endif
