/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_FROZEN_H
#define TESTVM_FROZEN_H

#include <stdbool.h>

/**
 * frozen_vm() - do all CPUs of the VM stand still where no CPU can?
 *
 * While the kernel patches one of its no-ops, QEMU 7.2 may leave its emulated CPUs at
 * that instruction for ever. That is proven if none of them is halted, interrupts are off
 * on all, none of them moves for seconds, and they are all at one and the same five-byte
 * no-op, or at the breakpoint that takes its place meanwhile: no instruction there can
 * wait for anything. Takes FROZEN_SECONDS if that is so.
 *
 * Return: whether it is proven. False if QEMU does not answer.
 */
bool frozen_vm(void);

/* How long CPUs that stand still are watched. */
#define FROZEN_SECONDS	5

#endif
