/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gates: places where a test can hold a thread, to make a race happen every time.
 * What they are: see linux/secmmu_test.h.
 */
#ifndef SECMMU_TEST_GATE_H
#define SECMMU_TEST_GATE_H

#include <linux/compiler.h>
#include <linux/rbtree.h>
#include <linux/secmmu_test.h>
#include <linux/types.h>

#include "delay.h"

extern unsigned int secmmu_gates_armed;

void secmmu_gate_pass(enum secmmu_gate gate, u64 address, bool may_sleep);
int secmmu_gate_arm(struct secmmu_test_gate *arg);
int secmmu_gate_wait(struct secmmu_test_gate *arg);
int secmmu_gate_open(const struct secmmu_test_gate *arg);

static inline void secmmu_gate_come(enum secmmu_gate gate, u64 address, bool may_sleep)
{
	if (unlikely(READ_ONCE(secmmu_delay_most)))
		secmmu_delay_pass(gate, may_sleep);
	if (unlikely(READ_ONCE(secmmu_gates_armed)))
		secmmu_gate_pass(gate, address, may_sleep);
}

#define gate_pass(name, address, may_sleep) \
	secmmu_gate_come(SECMMU_GATE_##name, address, may_sleep)

/* Where sleeping is allowed, and where it is not. */
#define secmmu_gate(name, address)	gate_pass(name, address, true)
#define secmmu_gate_spin(name, address)	gate_pass(name, address, false)
/* Where it depends. */
#define secmmu_gate_event(name, address, may_sleep) \
	gate_pass(name, address, may_sleep)

/* Where sptes of a range are about to go, which the oracle notes. */
#define secmmu_gate_range(name, chain, start, last, may_sleep)		\
do {									\
	unsigned long _start = start;					\
									\
	secmmu_oracle_note(chain, _start, last);			\
	gate_pass(name, _start, may_sleep);				\
} while (0)

/* Meanwhile a tree looks empty to those who search it without the lock. */
static inline void secmmu_gate_torn(struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	if (likely(!READ_ONCE(secmmu_gates_armed) && !READ_ONCE(secmmu_delay_most)))
		return;
	WRITE_ONCE(root->rb_node, NULL);
	secmmu_delay_pass(SECMMU_GATE_UPDATE_TORN, false);
	secmmu_gate_pass(SECMMU_GATE_UPDATE_TORN, 0, false);
	WRITE_ONCE(root->rb_node, node);
}

#endif
