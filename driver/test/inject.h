/* SPDX-License-Identifier: GPL-2.0 */
/* Failures on demand: which thread has asked for them, see test/shadow.h. */
#ifndef SECMMU_TEST_INJECT_H
#define SECMMU_TEST_INJECT_H

#include <linux/compiler.h>
#include <linux/sched.h>
#include <linux/secmmu_test.h>
#include <linux/types.h>

extern struct task_struct *secmmu_injecting;

bool secmmu_inject(enum secmmu_test_failure what);
int secmmu_inject_arm(struct secmmu_test_fail *arg);

/* Is what the thread asks for to fail? */
static inline bool secmmu_fails(enum secmmu_test_failure what)
{
	return unlikely(READ_ONCE(secmmu_injecting) == current) && secmmu_inject(what);
}

#endif
