/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_ACCEL_H
#define TESTVM_ACCEL_H

#include <stdbool.h>

struct kernel;

/**
 * accel_kvm_works() - does this kernel run under the machine's KVM?
 * @kernel: the kernel to boot
 * @name: the same as testvm's option has it
 *
 * A /dev/kvm that is there may still hang a guest, or may not nest, so the
 * kernel is booted under it once, for a few seconds. The answer is kept in the
 * cache, as long as neither machine, QEMU nor kernel change. Must be called
 * while the process has one thread.
 */
bool accel_kvm_works(const struct kernel *kernel, const char *name);

#endif
