// SPDX-License-Identifier: GPL-2.0
/*
 * The guest takes no exceptions, unless it is told to. If there is one, it is told
 * to the host, which decides whether the instruction is tried again.
 */
#include "hypercall.h"
#include "guest.h"

#define TABLE1_SHIFT	30
#define TABLE2_SHIFT	21

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
	uint64_t gib = address >> TABLE1_SHIFT;

	for (int i = 0; i < GUEST_PAGING_LEVELS; i++)
		entries[i] = 0;
	if (gib > GUEST_MAPPED_GIB)
		return;
	entries[0] = *table_entry(GUEST_TABLE0_GPA, 0);
	entries[1] = *table_entry(GUEST_TABLE1_GPA, gib);
	if (gib < GUEST_MAPPED_GIB)
		entries[2] = *table_entry(GUEST_TABLE2_GPA, address >> TABLE2_SHIFT);
}

/**
 * guest_report_exception - tell the host
 * @stack: an address on the stack of this vCPU; each has its own
 * @facts: what is known of it, but for the entries of page tables
 *
 * On return the instruction is tried again.
 */
void guest_report_exception(uint64_t stack, const struct guest_exception *facts)
{
	uint64_t self = (stack - GUEST_STACK_GPA) / GUEST_STACK_SIZE;
	struct mailbox *mailbox = (void *)GUEST_MAILBOX_GPA;
	struct guest_exception *to = &mailbox->vcpus[self].exception;

	*to = *facts;
	look_up(to->address, to->entries);
	hypercall(HYPERCALL_EXCEPTION, to->vector);
	if (mailbox->mistake == MISTAKE_MOMENTARY) {
		*table_entry(GUEST_TABLE1_GPA, GUEST_MAPPED_GIB) =
			*table_entry(GUEST_TABLE1_GPA, 0);
		guest_tables_changed();
	}
}

/**
 * guest_mistake - do something wrong
 * @mistake: enum guest_mistake
 *
 * Returns after nothing wrong, or if trying again has helped.
 */
void guest_mistake(uint32_t mistake)
{
	switch (mistake) {
	case MISTAKE_INSTRUCTION:
		guest_no_instruction();
		break;
	case MISTAKE_ADDRESS:
	case MISTAKE_MOMENTARY:
		*(volatile uint64_t *)GUEST_NOWHERE;
		break;
	case MISTAKE_SHUTDOWN:
		guest_no_handlers();
		break;
	case MISTAKE_TABLES:
		*table_entry(GUEST_TABLE0_GPA, 0) = 0;
		guest_tables_changed();
		break;
	default:
		break;
	}
}
