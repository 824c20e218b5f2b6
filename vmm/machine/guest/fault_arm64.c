// SPDX-License-Identifier: GPL-2.0
#include "hypercall.h"
#include "layout_arm64.h"
#include "guest.h"

#define ESR_CLASS_SHIFT	26

/**
 * struct frame - what start_arm64.S has pushed
 * @saved: registers that a C function may change
 * @vector: which of the vectors it came by
 */
struct frame {
	uint64_t saved[20];
	uint64_t vector;
};

void guest_exception(const struct frame *frame);

/* Called by start_arm64.S; on return the instruction is tried again. */
void guest_exception(const struct frame *frame)
{
	struct guest_exception facts = { 0 };
	uint64_t syndrome;

	asm volatile("mrs %0, esr_el1" : "=r" (syndrome));
	asm volatile("mrs %0, elr_el1" : "=r" (facts.pc));
	asm volatile("mrs %0, far_el1" : "=r" (facts.address));
	facts.error = (uint32_t)syndrome;
	facts.vector = (uint32_t)(syndrome & 0xffffffff) >> ESR_CLASS_SHIFT;
	/* The vector says it where the syndrome does not. */
	if (frame->vector != GUEST_VECTOR_SYNC)
		facts.vector = GUEST_VECTOR_CLASS + (uint32_t)frame->vector;
	guest_report_exception((uint64_t)frame, &facts);
}

void guest_no_instruction(void)
{
	asm volatile("udf #0");
}

/* See vm_arch_shuts_down(). */
void guest_no_handlers(void)
{
}

void guest_tables_changed(void)
{
	asm volatile("dsb ish; tlbi vmalle1; dsb ish; isb" : : : "memory");
}
