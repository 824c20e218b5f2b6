// SPDX-License-Identifier: GPL-2.0
/* A loop that copies by the byte, at EL1, with paging and caches on. */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "copy_vcpu.h"

/*
 * 1:	cbz	x2, 2f
 *	ldrb	w3, [x1]
 *	strb	w3, [x0]
 *	add	x0, x0, #1
 *	add	x1, x1, #1
 *	sub	x2, x2, #1
 *	b	1b
 * 2:	str	w2, [x4]
 *	b	.
 */
static const uint32_t program[] = {
	0xb40000e2, 0x39400023, 0x39000003, 0x91000400, 0x91000421, 0xd1000442, 0x17fffffa,
	0xb9000082, 0x14000000,
};

#define TABLE		4096	/* in what it owns, behind the program */
#define GIB_SHIFT	30
#define GIBS		4u

/* A block of 1 GiB, which all processors share, and which has been accessed. */
#define BLOCK		(1ull << 0 | 3ull << 8 | 1ull << 10)

#define MAIR		0xffull		/* normal memory, cached */
/* 39 bits of address, tables cached and shared, one set of them. */
#define TCR		(25ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23)
/* The bits that are always set, then: paging, data caches, instruction caches. */
#define SCTLR		(0x30d00800ull | 1ull << 0 | 1ull << 2 | 1ull << 12)

#define CORE(field)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 offsetof(struct kvm_regs, field) / sizeof(uint32_t))

static int set_register(int vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return ioctl(vcpu, KVM_SET_ONE_REG, &reg) ? -errno : 0;
}

int copy_vcpu_make_room(int machine)
{
	(void)machine;
	return 0;
}

int copy_vcpu_set_up(int machine, int vcpu, void *own, uint64_t own_gpa)
{
	uint64_t *table = (void *)((char *)own + TABLE);
	struct kvm_vcpu_init init;

	memcpy(own, program, sizeof(program));
	for (uint64_t i = 0; i < GIBS; i++)
		table[i] = i << GIB_SHIFT | BLOCK;
	if (ioctl(machine, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(vcpu, KVM_ARM_VCPU_INIT, &init))
		return -errno;
	return set_register(vcpu, ARM64_SYS_REG(3, 0, 10, 2, 0), MAIR) ?:
	       set_register(vcpu, ARM64_SYS_REG(3, 0, 2, 0, 2), TCR) ?:
	       set_register(vcpu, ARM64_SYS_REG(3, 0, 2, 0, 0), own_gpa + TABLE) ?:
	       set_register(vcpu, ARM64_SYS_REG(3, 0, 1, 0, 0), SCTLR);
}

int copy_vcpu_begin(int vcpu, uint64_t own_gpa, uint64_t to, uint64_t from, size_t length)
{
	return set_register(vcpu, CORE(regs.pc), own_gpa) ?:
	       set_register(vcpu, CORE(regs.regs[0]), to) ?:
	       set_register(vcpu, CORE(regs.regs[1]), from) ?:
	       set_register(vcpu, CORE(regs.regs[2]), length) ?:
	       set_register(vcpu, CORE(regs.regs[4]), COPY_VCPU_IO);
}

bool copy_vcpu_done(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	       run->mmio.phys_addr == COPY_VCPU_IO;
}

ssize_t copy_vcpu_moved(int vcpu, const struct kvm_run *run, size_t length)
{
	uint64_t left;
	struct kvm_one_reg reg = { .id = CORE(regs.regs[2]), .addr = (uintptr_t)&left };

	(void)run;
	return ioctl(vcpu, KVM_GET_ONE_REG, &reg) ? 0 : (ssize_t)(length - left);
}

/* The registers of what comes next are set when this is over. */
void copy_vcpu_end_mmio(int vcpu, struct kvm_run *run, uint64_t own_gpa)
{
	(void)own_gpa;
	run->immediate_exit = 1;
	ioctl(vcpu, KVM_RUN, 0);
	run->immediate_exit = 0;
}
