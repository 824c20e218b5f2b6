/* SPDX-License-Identifier: GPL-2.0 */
/* A virtual CPU: its thread and its run loop. */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "vm.h"

struct kvm_run;
struct vcpu;

/**
 * struct vcpu_ops - what the owner of a vCPU wants to hear
 * @violation: the guest reports a violation; its facts are in its mailbox box
 * @exception: the guest met an exception and will try again; @what tells the facts
 * @crashed: the vCPU cannot go on; @why is a sentence
 * @shut_down: nor can it after this, a triple fault
 *
 * Called on the vCPU's thread.
 */
struct vcpu_ops {
	void (*violation)(void *context, unsigned int index);
	void (*exception)(void *context, unsigned int index, const char *what);
	void (*crashed)(void *context, unsigned int index, const char *why);
	void (*shut_down)(void *context, unsigned int index);
};

/**
 * struct vcpu - a virtual CPU
 * @vm: its machine
 * @ops: callbacks
 * @context: first argument of the callbacks
 * @thread: runs vcpu_loop()
 * @run: shared with the kernel
 * @exits: KVM_RUN returns so far; written by @thread, read by anyone
 * @faults: of these, -EFAULT: the guest met memory that was not mapped
 * @exceptions: of these, exceptions in the guest
 * @tries: exceptions met in a row at one instruction
 * @exception_pc: that instruction
 * @exception_work: the vCPU's writes and reads at that time
 * @index: 0 .. vCPUs - 1
 * @fd: the vCPU, or -1
 * @started: @thread exists
 * @hello: the guest has greeted with the right ABI
 * @stop: leave the run loop; written by vcpu_stop(), read by @thread
 * @finished: @thread has left the run loop
 */
struct vcpu {
	const struct vm *vm;
	const struct vcpu_ops *ops;
	void *context;
	pthread_t thread;
	struct kvm_run *run;
	uint64_t exits;
	uint64_t faults;
	uint64_t exceptions;
	uint64_t exception_pc;
	uint64_t exception_work;
	unsigned int tries;
	unsigned int index;
	int fd;
	bool started;
	bool hello;
	bool stop;
	bool finished;
};

void vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int index,
		 const struct vcpu_ops *ops, void *context);
void vcpu_start(struct vcpu *vcpu);
bool vcpu_greeted(const struct vcpu *vcpu);
bool vcpu_finished(const struct vcpu *vcpu);
void vcpu_stop(struct vcpu *vcpu);
void vcpu_destroy(struct vcpu *vcpu);

/* vcpu_<machine>.c: registers and translation tables for guest_start. */
void vcpu_arch_init(const struct vcpu *vcpu);
/* ... and where a crashed vCPU stands. */
uint64_t vcpu_arch_pc(const struct vcpu *vcpu);
/* ... whether it has left the guest by a hypercall, and by which. */
bool vcpu_arch_hypercall(const struct vcpu *vcpu, uint16_t *port, uint32_t *value);
/* ... and what an exception of the guest's was. */
void vcpu_arch_describe(const struct guest_exception *exception, char *text,
			size_t size);

#endif /* VMM_VCPU_H */
