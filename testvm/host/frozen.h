/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_FROZEN_H
#define TESTVM_FROZEN_H

#include <stdbool.h>

/* How long the CPUs are watched. */
#define FROZEN_SECONDS	5

/**
 * frozen_vm() - does a CPU of the VM run a breakpoint that is gone, again and again?
 *
 * The kernel patches a no-op of five bytes by way of a breakpoint. QEMU 7.2 may run that on
 * another emulated CPU when it is long gone; the kernel then sees that it is gone, and goes
 * back to run what is there now, and so for ever. It is proven by a CPU on which, all the
 * time it is watched, interrupts are off, and which is not halted, but now at the first
 * instruction of the handler of breakpoints, now at such a no-op.
 *
 * Return: whether it is proven. False if QEMU does not answer.
 */
bool frozen_vm(void);

#endif
