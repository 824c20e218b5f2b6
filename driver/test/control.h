/* SPDX-License-Identifier: GPL-2.0 */
/* The calls of test builds: see linux/secmmu_test.h. */
#ifndef SECMMU_TEST_CONTROL_H
#define SECMMU_TEST_CONTROL_H

#include <linux/errno.h>

struct secmmu_mirror;

#ifdef CONFIG_SECMMU_TEST
long secmmu_test_call(struct secmmu_mirror *mirror, unsigned int cmd,
		      void __user *user);
#else
static inline long secmmu_test_call(struct secmmu_mirror *mirror,
				    unsigned int cmd, void __user *user)
{
	return -ENOTTY;
}
#endif

#endif
