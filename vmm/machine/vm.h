/* SPDX-License-Identifier: GPL-2.0 */
/* A KVM virtual machine: its descriptor, its memslots, its guest image. */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "memory.h"

/**
 * struct vm - a virtual machine
 * @kvm: descriptor of /dev/kvm
 * @fd: the machine
 * @run_size: bytes of a vCPU's shared struct kvm_run
 * @memory: its memory, which outlives it
 */
struct vm {
	int kvm;
	int fd;
	size_t run_size;
	const struct memory *memory;
};

void vm_create(struct vm *vm, const struct memory *memory);
void vm_destroy(struct vm *vm);
int vm_set_slot(const struct vm *vm, unsigned int id, bool log);
int vm_dirty_log(const struct vm *vm, unsigned int id, uint64_t *bitmap);

/* vcpu_<machine>.c: what a machine of this architecture needs beforehand. */
void vm_arch_init(const struct vm *vm);
/* ... and whether its vCPUs shut down by an exception that they cannot handle. */
bool vm_arch_shuts_down(void);

#endif /* VMM_VM_H */
