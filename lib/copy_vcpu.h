/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that copies bytes on command and then tells that it has; copy_vcpu_<machine>.c.
 * It reaches the first 4 GiB, each address at itself, and needs a page or more of its
 * own, which is in a slot.
 */
#ifndef LIB_COPY_VCPU_H
#define LIB_COPY_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct kvm_run;

/* Bytes of what it needs for itself. */
#define COPY_VCPU_OWN	8192ul

/* Where it may store, and where no slot may be. */
#define COPY_VCPU_IO	0xffe00000ul

/* The counter of faults that gave a vCPU a translation; empty if KVM has none. */
#ifdef __x86_64__
#define COPY_VCPU_COUNTER	"pf_fixed"
#else
#define COPY_VCPU_COUNTER	""
#endif
#define COPY_VCPU_COUNTS	(sizeof(COPY_VCPU_COUNTER) > 1)

/**
 * copy_vcpu_make_room - give a machine what its vCPUs may need
 * @machine: its descriptor
 *
 * Return: 0 or a negative errno.
 */
int copy_vcpu_make_room(int machine);

/**
 * copy_vcpu_set_up - let it be ready for commands
 * @machine: descriptor of its machine
 * @vcpu: descriptor
 * @own: what it owns, %COPY_VCPU_OWN bytes of zeroes
 * @own_gpa: where the guest has that, on a page's boundary
 *
 * Return: 0 or a negative errno.
 */
int copy_vcpu_set_up(int machine, int vcpu, void *own, uint64_t own_gpa);

/**
 * copy_vcpu_begin - give a command, which KVM_RUN then executes
 * @vcpu: descriptor
 * @own_gpa: as it was set up
 * @to: where to, guest physical
 * @from: where from
 * @length: how many bytes
 *
 * Return: 0 or a negative errno.
 */
int copy_vcpu_begin(int vcpu, uint64_t own_gpa, uint64_t to, uint64_t from, size_t length);

/**
 * copy_vcpu_done - has it left the guest since it is done?
 * @run: of the vCPU
 */
bool copy_vcpu_done(const struct kvm_run *run);

/**
 * copy_vcpu_moved - what it has copied, if it is not done
 * @vcpu: descriptor
 * @run: of the vCPU, or NULL if KVM_RUN failed; after an exit for MMIO that access is not
 *	over yet
 * @length: of the command
 *
 * Return: how many bytes.
 */
ssize_t copy_vcpu_moved(int vcpu, const struct kvm_run *run, size_t length);

/**
 * copy_vcpu_end_mmio - let an access end that was one to no memory
 * @vcpu: descriptor
 * @run: of the vCPU
 * @own_gpa: as it was set up
 *
 * The next command would begin with it otherwise.
 */
void copy_vcpu_end_mmio(int vcpu, struct kvm_run *run, uint64_t own_gpa);

#endif /* LIB_COPY_VCPU_H */
