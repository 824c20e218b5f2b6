// SPDX-License-Identifier: GPL-2.0
/* 64-bit long mode with paging, set up from outside: the guest just starts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm.h>
#include "hypercall.h"
#include "layout_x86_64.h"
#include "message.h"
#include "vcpu.h"

#define CR0_PE		(1ull << 0)
#define CR0_MP		(1ull << 1)
#define CR0_NE		(1ull << 5)
#define CR0_WP		(1ull << 16)
#define CR0_PG		(1ull << 31)
#define CR4_PAE		(1ull << 5)
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)

#define PTE_PRESENT	(1ull << 0)
#define PTE_WRITE	(1ull << 1)
#define PTE_ACCESSED	(1ull << 5)
#define PTE_DIRTY	(1ull << 6)
#define PTE_HUGE	(1ull << 7)
#define PTE_TABLE	(PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)
#define PTE_LEAF	(PTE_TABLE | PTE_DIRTY | PTE_HUGE)

#define RFLAGS_FIXED	(1ull << 1)

#define TABLE_ENTRIES	512
#define TABLE_SIZE	4096ul
#define TABLE_SHIFT	9
#define HUGE_SHIFT	21

#define PAGE_FAULT	14

#define CODE_SELECTOR	0x08ull
#define DATA_SELECTOR	0x10

#define IDT_SIZE	(GUEST_EXCEPTIONS * 2 * sizeof(uint64_t))
#define GATE_INTERRUPT	0x8e0000000000ull	/* present, ring 0, 64 bits */

/* Intel processors without unrestricted guests want room for a TSS here. */
#define TSS_GPA		0xfffbd000ul

#define CPUID_ENTRIES	256

_Static_assert(GUEST_TABLE2_GPA + GUEST_MAPPED_GIB * TABLE_SIZE <= GUEST_IDT_GPA,
	       "tables run into the IDT");

/*
 * Everything is mapped at its own address by 2 MiB leaves, accessed and dirty
 * beforehand: the guest's own paging costs no faults, KVM's does.
 */
static void build_page_tables(const struct memory *memory)
{
	uint64_t *pml4 = memory_range(memory, GUEST_TABLE0_GPA, TABLE_SIZE);
	uint64_t *pdpt = memory_range(memory, GUEST_TABLE1_GPA, TABLE_SIZE);
	uint64_t *pd = memory_range(memory, GUEST_TABLE2_GPA,
				    GUEST_MAPPED_GIB * TABLE_SIZE);

	if (!pml4 || !pdpt || !pd)
		die("the guest's page tables lie in no slot");
	pml4[0] = GUEST_TABLE1_GPA | PTE_TABLE;
	for (uint64_t i = 0; i < GUEST_MAPPED_GIB; i++)
		pdpt[i] = (GUEST_TABLE2_GPA + i * TABLE_SIZE) | PTE_TABLE;
	for (uint64_t i = 0; i < GUEST_MAPPED_GIB * TABLE_ENTRIES; i++)
		pd[i] = i << HUGE_SHIFT | PTE_LEAF;
}

static void build_gdt(const struct memory *memory)
{
	static const uint64_t gdt[] = {
		0,
		0x00af9b000000ffffull,	/* 64-bit code, ring 0, accessed */
		0x00cf93000000ffffull,	/* data, ring 0, writable, accessed */
	};
	void *to = memory_range(memory, GUEST_GDT_GPA, sizeof(gdt));

	if (!to)
		die("the guest's GDT lies in no slot");
	memcpy(to, gdt, sizeof(gdt));
}

/*
 * Exceptions stay on the stack they occur on. What happens while that cannot be
 * written is a triple fault.
 */
static void build_idt(const struct memory *memory)
{
	uint64_t *idt = memory_range(memory, GUEST_IDT_GPA, IDT_SIZE);

	if (!idt)
		die("the guest's IDT lies in no slot");
	for (uint64_t i = 0; i < GUEST_EXCEPTIONS; i++) {
		uint64_t entry = GUEST_EXCEPTION_GPA + i * GUEST_EXCEPTION_SIZE;

		idt[2 * i] = (entry & 0xffff) | CODE_SELECTOR << 16 |
			     GATE_INTERRUPT | entry >> 16 << 48;
		idt[2 * i + 1] = entry >> 32;
	}
}

/**
 * vm_arch_init - what an x86 machine needs before memslots and vCPUs
 * @vm: the machine
 */
void vm_arch_init(const struct vm *vm)
{
	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) > 0 &&
	    ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_GPA))
		die("cannot place the TSS: %s", strerror(errno));
	build_page_tables(vm->memory);
	build_gdt(vm->memory);
	build_idt(vm->memory);
}

/**
 * vm_arch_shuts_down - do vCPUs shut down by an exception that they cannot handle?
 *
 * Return: true, that is a triple fault.
 */
bool vm_arch_shuts_down(void)
{
	return true;
}

/* KVM checks long mode against the CPUID the vCPU was given. */
static void set_cpuid(const struct vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) +
		       CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		die("out of memory");
	cpuid->nent = CPUID_ENTRIES;
	if (ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		die("cannot set the CPUID of vCPU %u: %s", vcpu->index, strerror(errno));
	free(cpuid);
}

static void set_sregs(const struct vcpu *vcpu)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff,
		.selector = CODE_SELECTOR,
		.type = 0xb,		/* execute, read, accessed */
		.present = 1,
		.s = 1,
		.l = 1,
		.g = 1,
	};
	const struct kvm_segment data = {
		.limit = 0xffffffff,
		.selector = DATA_SELECTOR,
		.type = 0x3,		/* read, write, accessed */
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		die("cannot look at vCPU %u: %s", vcpu->index, strerror(errno));
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.gdt.base = GUEST_GDT_GPA;
	sregs.gdt.limit = 3 * sizeof(uint64_t) - 1;
	sregs.idt.base = GUEST_IDT_GPA;
	sregs.idt.limit = IDT_SIZE - 1;
	sregs.cr0 = CR0_PE | CR0_MP | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = GUEST_TABLE0_GPA;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		die("cannot set up vCPU %u: %s", vcpu->index, strerror(errno));
}

/**
 * vcpu_arch_init - let the vCPU stand at guest_start in 64-bit mode
 * @vcpu: the vCPU
 */
void vcpu_arch_init(const struct vcpu *vcpu)
{
	const struct kvm_regs regs = {
		.rip = GUEST_IMAGE_GPA,
		.rsp = GUEST_STACK_GPA + (vcpu->index + 1) * GUEST_STACK_SIZE,
		.rdi = vcpu->index,
		.rflags = RFLAGS_FIXED,
	};

	set_cpuid(vcpu);
	set_sregs(vcpu);
	if (ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		die("cannot set the registers of vCPU %u: %s", vcpu->index,
		    strerror(errno));
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

	if (run->exit_reason != KVM_EXIT_IO)
		return false;
	*port = 0;
	if (run->io.direction == KVM_EXIT_IO_OUT && run->io.size == sizeof(*value) &&
	    run->io.count == 1) {
		*port = run->io.port;
		memcpy(value, (const char *)run + run->io.data_offset, sizeof(*value));
	}
	return true;
}

/* Are these the entries that build_page_tables() wrote? */
static const char *judge_tables(const struct guest_exception *exception)
{
	uint64_t gib = exception->address >> (HUGE_SHIFT + TABLE_SHIFT);
	uint64_t page = exception->address >> HUGE_SHIFT;

	if (gib >= GUEST_MAPPED_GIB)
		return "nothing to be there";
	if (exception->entries[0] != (GUEST_TABLE1_GPA | PTE_TABLE) ||
	    exception->entries[1] !=
	    ((GUEST_TABLE2_GPA + gib * TABLE_SIZE) | PTE_TABLE) ||
	    exception->entries[2] != (page << HUGE_SHIFT | PTE_LEAF))
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
	int length = snprintf(text, size,
			      "exception %" PRIu32 ", error %#" PRIx32 ", at %#"
			      PRIx64, exception->vector, exception->error,
			      exception->pc);

	if (exception->vector != PAGE_FAULT)
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
 * Return: its instruction pointer, zero if it cannot be read.
 */
uint64_t vcpu_arch_pc(const struct vcpu *vcpu)
{
	struct kvm_regs regs;

	return ioctl(vcpu->fd, KVM_GET_REGS, &regs) ? 0 : regs.rip;
}
