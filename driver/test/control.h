/* SPDX-License-Identifier: GPL-2.0 */
/* The calls of test builds: see linux/secmmu_test.h. */
#ifndef SECMMU_TEST_CONTROL_H
#define SECMMU_TEST_CONTROL_H

#include <linux/compiler.h>
#include <linux/secmmu_test.h>

struct file;

#define SECMMU_TEST_FEATURES	SECMMU_FEATURE_TEST

long secmmu_test_call(struct file *file, unsigned int cmd, void __user *user);

#endif
