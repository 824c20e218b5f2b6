// SPDX-License-Identifier: GPL-2.0
/*
 * The guest takes no exceptions, unless it is told to. If there is one, it is told
 * to the host, which decides whether the instruction is tried again.
 */
#include "hypercall.h"
#include "guest.h"

#define PDPT_SHIFT	30
#define PD_SHIFT	21

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

static uint64_t *table_entry(uint64_t table, uint64_t index)
{
	return (uint64_t *)table + index;
}

/*
 * Tables of one level follow each other in memory, so each is read where it is,
 * not where the level above, which may be wrong, says that it is.
 */
static void look_up(uint64_t address, uint64_t *entries)
{
	uint64_t gib = address >> PDPT_SHIFT;

	for (int i = 0; i < GUEST_PAGING_LEVELS; i++)
		entries[i] = 0;
	if (gib > GUEST_MAPPED_GIB)
		return;
	entries[0] = *table_entry(GUEST_PML4_GPA, 0);
	entries[1] = *table_entry(GUEST_PDPT_GPA, gib);
	if (gib < GUEST_MAPPED_GIB)
		entries[2] = *table_entry(GUEST_PD_GPA, address >> PD_SHIFT);
}

/* Called by start_x86_64.S; on return the instruction is tried again. */
void guest_exception(const struct frame *frame)
{
	/* Each vCPU has a stack of its own. */
	uint64_t self = ((uint64_t)frame - GUEST_STACK_GPA) / GUEST_STACK_SIZE;
	struct mailbox *mailbox = (void *)GUEST_MAILBOX_GPA;
	struct guest_exception *to = &mailbox->vcpus[self].exception;

	to->vector = (uint32_t)frame->vector;
	to->error = (uint32_t)frame->error;
	to->rip = frame->rip;
	asm volatile("mov %%cr2, %0" : "=r" (to->address));
	look_up(to->address, to->entries);
	hypercall(HYPERCALL_EXCEPTION, to->vector);
	if (mailbox->mistake == MISTAKE_MOMENTARY)
		*table_entry(GUEST_PDPT_GPA, GUEST_MAPPED_GIB) =
			*table_entry(GUEST_PDPT_GPA, 0);
}

/**
 * guest_mistake - do something wrong
 * @mistake: enum guest_mistake
 *
 * Returns after nothing wrong, or if trying again has helped.
 */
void guest_mistake(uint32_t mistake)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_handlers;

	switch (mistake) {
	case MISTAKE_INSTRUCTION:
		asm volatile("ud2");
		break;
	case MISTAKE_ADDRESS:
	case MISTAKE_MOMENTARY:
		*(volatile uint64_t *)GUEST_NOWHERE;
		break;
	case MISTAKE_SHUTDOWN:
		asm volatile("lidt %0; ud2" : : "m" (no_handlers));
		break;
	case MISTAKE_TABLES:
		*table_entry(GUEST_PML4_GPA, 0) = 0;
		asm volatile("mov %0, %%cr3" : : "r" (GUEST_PML4_GPA)
			     : "memory");
		break;
	default:
		break;
	}
}
