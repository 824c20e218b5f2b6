// SPDX-License-Identifier: GPL-2.0
/* EL1 with paging and caches on, set up from outside: the guest just starts. */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "hypercall.h"
#include "layout_arm64.h"
#include "message.h"
#include "vcpu.h"

/* Descriptors of the translation tables. */
#define DESC_BLOCK	(1ull << 0)
#define DESC_TABLE	(3ull << 0)
#define DESC_DEVICE	(1ull << 2)	/* the second attribute of MAIR */
#define DESC_SHARED	(3ull << 8)	/* by all processors */
#define DESC_ACCESSED	(1ull << 10)
#define DESC_NO_EXECUTE	(3ull << 53)
#define DESC_LEAF	(DESC_BLOCK | DESC_SHARED | DESC_ACCESSED)
#define DESC_IO		(DESC_BLOCK | DESC_DEVICE | DESC_ACCESSED | DESC_NO_EXECUTE)

#define TABLE_ENTRIES	512
#define TABLE_SIZE	4096ul
#define TABLE_SHIFT	9
#define HUGE_SHIFT	21

/* Normal memory, cached; a device that may end a store early. */
#define MAIR		0x04ffull

#define TCR_SIZE	16ull		/* 48 bits of address */
#define TCR_CACHED	(1ull << 8 | 1ull << 10)
#define TCR_SHARED	(3ull << 12)
#define TCR_NO_TTBR1	(1ull << 23)
#define TCR_PHYSICAL	(1ull << 32)	/* 36 bits of physical address */

/* The bits that are always set, then: paging, data caches, stack alignment, instructions. */
#define SCTLR		(0x30d00800ull | 1ull << 0 | 1ull << 2 | 1ull << 3 | 1ull << 12)

#define CLASS_INSTRUCTION_ABORT	0x21
#define CLASS_DATA_ABORT	0x25

#define CORE(field)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 offsetof(struct kvm_regs, field) / sizeof(uint32_t))

#define SYS_SCTLR	ARM64_SYS_REG(3, 0, 1, 0, 0)
#define SYS_TTBR0	ARM64_SYS_REG(3, 0, 2, 0, 0)
#define SYS_TCR		ARM64_SYS_REG(3, 0, 2, 0, 2)
#define SYS_MAIR	ARM64_SYS_REG(3, 0, 10, 2, 0)
#define SYS_VBAR	ARM64_SYS_REG(3, 0, 12, 0, 0)

/* The block that hypercalls go to. */
#define IO_BLOCK	((uint64_t)GUEST_HYPERCALL_GPA >> HUGE_SHIFT)

_Static_assert(IO_BLOCK + 1 == (uint64_t)GUEST_MAPPED_GIB << (30 - HUGE_SHIFT),
	       "it is not the last block that is mapped");

static uint64_t leaf_of(uint64_t page)
{
	return page << HUGE_SHIFT | (page == IO_BLOCK ? DESC_IO : DESC_LEAF);
}

/**
 * vm_arch_init - what an arm64 machine needs before memslots and vCPUs
 * @vm: the machine
 *
 * Everything is mapped at its own address by blocks of 2 MiB, accessed beforehand: the
 * guest's own paging costs no faults, KVM's does.
 */
void vm_arch_init(const struct vm *vm)
{
	const struct memory *memory = vm->memory;
	uint64_t *level0 = memory_range(memory, GUEST_TABLE0_GPA, TABLE_SIZE);
	uint64_t *level1 = memory_range(memory, GUEST_TABLE1_GPA, TABLE_SIZE);
	uint64_t *level2 = memory_range(memory, GUEST_TABLE2_GPA,
					GUEST_MAPPED_GIB * TABLE_SIZE);

	if (!level0 || !level1 || !level2)
		die("the guest's page tables lie in no slot");
	level0[0] = GUEST_TABLE1_GPA | DESC_TABLE;
	for (uint64_t i = 0; i < GUEST_MAPPED_GIB; i++)
		level1[i] = (GUEST_TABLE2_GPA + i * TABLE_SIZE) | DESC_TABLE;
	for (uint64_t i = 0; i < GUEST_MAPPED_GIB * TABLE_ENTRIES; i++)
		level2[i] = leaf_of(i);
}

/**
 * vm_arch_shuts_down - do vCPUs shut down by an exception that they cannot handle?
 *
 * Return: false: they meet the next one, for ever, and KVM does not hear of it.
 */
bool vm_arch_shuts_down(void)
{
	return false;
}

static void set_register(const struct vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg))
		die("cannot set register %#" PRIx64 " of vCPU %u: %s", id, vcpu->index,
		    strerror(errno));
}

/**
 * vcpu_arch_init - let the vCPU stand at guest_start at EL1
 * @vcpu: the vCPU
 */
void vcpu_arch_init(const struct vcpu *vcpu)
{
	struct kvm_vcpu_init init;

	if (ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		die("cannot set up vCPU %u: %s", vcpu->index, strerror(errno));
	set_register(vcpu, SYS_MAIR, MAIR);
	set_register(vcpu, SYS_TCR, TCR_SIZE | TCR_CACHED | TCR_SHARED | TCR_NO_TTBR1 |
		     TCR_PHYSICAL);
	set_register(vcpu, SYS_TTBR0, GUEST_TABLE0_GPA);
	set_register(vcpu, SYS_VBAR, GUEST_VECTORS_GPA);
	set_register(vcpu, SYS_SCTLR, SCTLR);
	set_register(vcpu, CORE(regs.pc), GUEST_IMAGE_GPA);
	set_register(vcpu, CORE(sp_el1),
		     GUEST_STACK_GPA + (vcpu->index + 1) * GUEST_STACK_SIZE);
	set_register(vcpu, CORE(regs.regs[0]), vcpu->index);
}

/**
 * vcpu_arch_hypercall - is the exit a hypercall?
 * @vcpu: the vCPU, out of the guest
 * @port: set to what was asked for, zero if it was asked in a wrong way
 * @value: set to the value that came with it
 *
 * Return: true if so.
 */
bool vcpu_arch_hypercall(const struct vcpu *vcpu, uint16_t *port, uint32_t *value)
{
	const struct kvm_run *run = vcpu->run;
	uint64_t gpa = run->mmio.phys_addr;

	if (run->exit_reason != KVM_EXIT_MMIO || gpa >> HUGE_SHIFT != IO_BLOCK)
		return false;
	*port = 0;
	if (run->mmio.is_write && run->mmio.len == sizeof(*value)) {
		*port = (uint16_t)(gpa - GUEST_HYPERCALL_GPA);
		memcpy(value, run->mmio.data, sizeof(*value));
	}
	return true;
}

/* Are these the entries that vm_arch_init() wrote? */
static const char *judge_tables(const struct guest_exception *exception)
{
	uint64_t gib = exception->address >> (HUGE_SHIFT + TABLE_SHIFT);
	uint64_t page = exception->address >> HUGE_SHIFT;

	if (gib >= GUEST_MAPPED_GIB)
		return "nothing to be there";
	if (exception->entries[0] != (GUEST_TABLE1_GPA | DESC_TABLE) ||
	    exception->entries[1] != ((GUEST_TABLE2_GPA + gib * TABLE_SIZE) | DESC_TABLE) ||
	    exception->entries[2] != leaf_of(page))
		return "damaged";
	return "intact";
}

/**
 * vcpu_arch_describe - tell an exception's facts
 * @exception: the exception, from guest memory
 * @text: where to
 * @size: room there
 */
void vcpu_arch_describe(const struct guest_exception *exception, char *text,
			size_t size)
{
	int length;

	if (exception->vector >= GUEST_VECTOR_CLASS) {
		snprintf(text, size, "exception by vector %" PRIu32 ", syndrome %#" PRIx32
			 ", at %#" PRIx64, exception->vector - GUEST_VECTOR_CLASS,
			 exception->error, exception->pc);
		return;
	}
	length = snprintf(text, size, "exception class %#" PRIx32 ", syndrome %#" PRIx32
			  ", at %#" PRIx64, exception->vector, exception->error,
			  exception->pc);
	if (exception->vector != CLASS_DATA_ABORT &&
	    exception->vector != CLASS_INSTRUCTION_ABORT)
		return;
	snprintf(text + length, size - (size_t)length,
		 ", address %#" PRIx64 ", page tables %#" PRIx64 " %#" PRIx64
		 " %#" PRIx64 " (%s)", exception->address,
		 exception->entries[0], exception->entries[1],
		 exception->entries[2], judge_tables(exception));
}

/**
 * vcpu_arch_pc - where the vCPU stands
 * @vcpu: the vCPU, out of the guest
 *
 * Return: its program counter, zero if it cannot be read.
 */
uint64_t vcpu_arch_pc(const struct vcpu *vcpu)
{
	uint64_t value;
	struct kvm_one_reg reg = { .id = CORE(regs.pc), .addr = (uintptr_t)&value };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) ? 0 : value;
}
