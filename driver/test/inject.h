/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand: whatever may fail in the driver's calls, for want of memory or
 * because user memory is not there, can be told to, see &struct secmmu_test_fail. In
 * a normal build all of this is the call alone.
 */
#ifndef SECMMU_TEST_INJECT_H
#define SECMMU_TEST_INJECT_H

#ifdef CONFIG_SECMMU_TEST
#include <linux/compiler.h>
#include <linux/sched.h>
#include <linux/secmmu_test.h>
#include <linux/types.h>

extern struct task_struct *secmmu_injecting;

bool secmmu_inject(enum secmmu_test_failure what);
int secmmu_inject_arm(struct secmmu_test_fail *arg);

#define inject_or(what, call, failure)					\
	(unlikely(READ_ONCE(secmmu_injecting) == current) &&		\
	 secmmu_inject(SECMMU_TEST_FAIL_##what) ? (failure) : (call))
#else
#define inject_or(what, call, failure)	(call)
#endif

/*
 * A call, and what it returns when it fails: one that asks for memory, and a copy from
 * or to user space.
 */
#define secmmu_may_fail(call, failure)	inject_or(ALLOCATION, call, failure)
#define secmmu_may_fault(call, failure)	inject_or(COPY, call, failure)

#endif
