/* SPDX-License-Identifier: GPL-2.0 */
/* The oracle: knows each page's epoch, and judges what is read. */
#ifndef VMM_ORACLE_H
#define VMM_ORACLE_H

#include <stdbool.h>
#include <stdint.h>
#include "gate.h"
#include "memory.h"
#include "prng.h"
#include "report.h"

/**
 * struct oracle - what the host knows about the arena
 * @memory: guest memory
 * @report: where violations go
 * @mailbox: shared with the guest
 * @states: shared with the guest, one per page
 * @epochs: the host's own epochs, one per page, moved on only by the discarder
 *	that closed the page, after the discard has returned; read by anyone
 * @owners: the pages are dealt to so many; the mailbox's copy is the guest's
 * @exact: pages judged exactly
 */
struct oracle {
	const struct memory *memory;
	struct report *report;
	struct mailbox *mailbox;
	struct page_state *states;
	uint32_t *epochs;
	uint32_t owners;
	uint64_t exact;
};

/**
 * struct oracle_read - a read to be judged
 * @page: number of the page
 * @oldest: its epoch before the read
 * @gate: its shared state before the read
 */
struct oracle_read {
	uint32_t page;
	uint32_t oldest;
	struct gate_read gate;
};

void oracle_init(struct oracle *oracle, const struct memory *memory,
		 uint32_t owners, uint64_t seed, struct report *report);
void oracle_destroy(struct oracle *oracle);

uint32_t oracle_owner(const struct oracle *oracle, uint32_t page);
uint64_t oracle_gpa(const struct oracle *oracle, uint32_t page);
void oracle_set_hot(struct oracle *oracle, uint32_t page);
uint32_t oracle_choose(const struct oracle *oracle, struct prng *prng);

void oracle_read_begin(const struct oracle *oracle, uint32_t page,
		       struct oracle_read *read);
bool oracle_read_end(struct oracle *oracle, struct oracle_read *read,
		     const uint64_t *words, const char *who);
void oracle_fault(struct oracle *oracle, uint32_t page, uint32_t fault,
		  int64_t value, const char *who);

uint32_t oracle_close(struct oracle *oracle, uint32_t first, uint32_t count);
bool oracle_wait(const struct oracle *oracle, uint32_t first, uint32_t count,
		 const bool *stop);
void oracle_discard_begin(struct oracle *oracle, uint32_t first,
			  uint32_t count);
void oracle_discard_end(struct oracle *oracle, uint32_t first, uint32_t count);
void oracle_open(struct oracle *oracle, uint32_t first, uint32_t count);

#endif /* VMM_ORACLE_H */
