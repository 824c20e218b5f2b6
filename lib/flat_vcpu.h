/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU for small programs: x86 in 32-bit protected mode, with flat segments and without
 * paging. It reaches 4 GiB, and there is nothing to set up in its memory.
 */
#ifndef LIB_FLAT_VCPU_H
#define LIB_FLAT_VCPU_H

#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#define FLAT_VCPU_CR0_PE	1
/* The bit of RFLAGS that is always set. */
#define FLAT_VCPU_RFLAGS	2
/* Old Intel processors want room for a TSS, which the program does not use. */
#define FLAT_VCPU_TSS_GPA	0xfffbd000ul

/**
 * flat_vcpu_make_room - give a machine what its vCPUs may need
 * @machine: its descriptor
 *
 * Return: 0 or a negative errno.
 */
static inline int flat_vcpu_make_room(int machine)
{
	if (ioctl(machine, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) <= 0)
		return 0;
	return ioctl(machine, KVM_SET_TSS_ADDR, FLAT_VCPU_TSS_GPA) ? -errno : 0;
}

/**
 * flat_vcpu_set_up - put a vCPU into that mode
 * @vcpu: its descriptor; its registers are the caller's to set
 *
 * Return: 0 or a negative errno.
 */
static inline int flat_vcpu_set_up(int vcpu)
{
	struct kvm_segment segment = {
		.limit = 0xffffffff,
		.selector = 0x08,
		.type = 0xb,		/* execute, read, accessed */
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = segment;
	segment.selector = 0x10;
	segment.type = 0x3;		/* read, write, accessed */
	sregs.ds = segment;
	sregs.es = segment;
	sregs.ss = segment;
	sregs.cr0 |= FLAT_VCPU_CR0_PE;
	return ioctl(vcpu, KVM_SET_SREGS, &sregs) ? -errno : 0;
}

#endif /* LIB_FLAT_VCPU_H */
