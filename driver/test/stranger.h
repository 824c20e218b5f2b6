/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stranger: a subscriber of the core's that has nothing to do with this driver, and
 * whose start callback sleeps for as long as it likes, as that of some drivers does.
 */
#ifndef SECMMU_TEST_STRANGER_H
#define SECMMU_TEST_STRANGER_H

struct secmmu_test_stranger;

long secmmu_stranger_register(struct secmmu_test_stranger *arg);

#endif
