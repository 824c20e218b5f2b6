// SPDX-License-Identifier: GPL-2.0
#include "hypercall.h"
#include "guest.h"

/**
 * struct frame - what the processor and start_x86_64.S have pushed
 * @saved: registers that a C function may change
 * @vector: number of the exception
 * @error: its error code, zero if it has none
 * @rip: the instruction
 */
struct frame {
	uint64_t saved[9];
	uint64_t vector;
	uint64_t error;
	uint64_t rip;
};

void guest_exception(const struct frame *frame);

/* Called by start_x86_64.S; on return the instruction is tried again. */
void guest_exception(const struct frame *frame)
{
	struct guest_exception facts = {
		.vector = (uint32_t)frame->vector,
		.error = (uint32_t)frame->error,
		.pc = frame->rip,
	};

	asm volatile("mov %%cr2, %0" : "=r" (facts.address));
	guest_report_exception((uint64_t)frame, &facts);
}

void guest_no_instruction(void)
{
	asm volatile("ud2");
}

void guest_no_handlers(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_handlers;

	asm volatile("lidt %0; ud2" : : "m" (no_handlers));
}

void guest_tables_changed(void)
{
	asm volatile("mov %0, %%cr3" : : "r" (GUEST_TABLE0_GPA) : "memory");
}
