// SPDX-License-Identifier: GPL-2.0
/* 32-bit protected mode without paging: up to 4 GiB, and nothing to set up. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "basics.h"
#include "kvm.h"

#define CR0_PE		1
#define RFLAGS_FIXED	2

/* Old Intel processors want room for a TSS. */
#define TSS_GPA		0xfffbd000ul

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

void kvm_arch_init(int machine, int cpu)
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

	if (ioctl(machine, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) > 0)
		ioctl(machine, KVM_SET_TSS_ADDR, TSS_GPA);
	if (ioctl(cpu, KVM_GET_SREGS, &sregs))
		die("cannot read the KVM processor: %s", strerror(errno));
	sregs.cs = segment;
	segment.selector = 0x10;
	segment.type = 0x3;		/* read, write, accessed */
	sregs.ds = segment;
	sregs.es = segment;
	sregs.ss = segment;
	sregs.cr0 |= CR0_PE;
	if (ioctl(cpu, KVM_SET_SREGS, &sregs))
		die("cannot set up the KVM processor: %s",
		    strerror(errno));
}

void kvm_arch_start(int cpu, uint64_t gpa, size_t pages)
{
	struct kvm_regs regs = {
		.rdi = gpa,
		.rcx = pages,
		.rflags = RFLAGS_FIXED,
	};

	if (ioctl(cpu, KVM_SET_REGS, &regs))
		die("cannot start the KVM processor: %s",
		    strerror(errno));
}
