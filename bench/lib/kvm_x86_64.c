// SPDX-License-Identifier: GPL-2.0
/* 32-bit protected mode without paging: up to 4 GiB, and nothing to set up. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "basics.h"
#include "flat_vcpu.h"
#include "kvm.h"

/*
 * 1:	movl	(%edi), %eax
 *	addl	$0x1000, %edi
 *	decl	%ecx
 *	jnz	1b
 *	hlt
 */
const char kvm_program[] = "\x8b\x07"
			   "\x81\xc7\x00\x10\x00\x00"
			   "\x49"
			   "\x75\xf5"
			   "\xf4";
const size_t kvm_program_size = sizeof(kvm_program) - 1;

void kvm_arch_make_room(int machine)
{
	int ret = flat_vcpu_make_room(machine);

	if (ret)
		die("cannot set up the KVM machine: %s", strerror(-ret));
}

void kvm_arch_init(int cpu)
{
	int ret = flat_vcpu_set_up(cpu);

	if (ret)
		die("cannot set up the KVM processor: %s", strerror(-ret));
}

void kvm_arch_start(int cpu, uint64_t gpa, size_t pages)
{
	struct kvm_regs regs = {
		.rdi = gpa,
		.rcx = pages,
		.rflags = FLAT_VCPU_RFLAGS,
	};

	if (ioctl(cpu, KVM_SET_REGS, &regs))
		die("cannot start the KVM processor: %s",
		    strerror(errno));
}
