/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_EMULATOR_H
#define TESTVM_EMULATOR_H

#include <stdbool.h>

struct arch;

/**
 * emulator_choose() - choose the architecture, before anything else is asked here
 * @of: what QEMU is to emulate
 */
void emulator_choose(const struct arch *of);

/**
 * emulator_find() - which QEMU is used
 *
 * It is the one that qemu.sh has made ready in the cache, else the machine's own.
 *
 * Return: its path, or its name.
 */
const char *emulator_find(void);

/**
 * emulator_is_known() - is it the one that repeats its runs?
 *
 * The machine's own may be older, or newer than the plugin knows.
 */
bool emulator_is_known(void);

/**
 * emulator_runs_stale_code() - does it run breakpoints that the kernel has taken away?
 *
 * QEMU 7.2 does, for ever or until the kernel dies of it, when the kernel patches its own
 * code; 10 does so seldom. Neither does where all processors have one thread of QEMU's. All
 * that is done about it asks here: a machine of KVM that stays (GUEST_KEEP_MACHINE), and
 * starting over.
 */
bool emulator_runs_stale_code(void);

#endif
