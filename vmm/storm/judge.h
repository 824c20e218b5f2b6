/* SPDX-License-Identifier: GPL-2.0 */
/* The judge: knows each page's epoch, and judges what is read. */
#ifndef VMM_JUDGE_H
#define VMM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include "latch.h"
#include "meeting.h"
#include "memory.h"
#include "prng.h"
#include "report.h"
#include "trail.h"

/**
 * struct judge - what the host knows about the arena
 * @memory: guest memory
 * @report: where violations go
 * @mailbox: shared with the guest
 * @states: shared with the guest, one per page
 * @epochs: the host's own epochs, one per page, moved on only by the discarder
 *	that closed the page, after the discard has returned; read by anyone
 * @writers: what each page's owner, if it is no vCPU, has last written it through; NULL after a
 *	write in its name through something else. Written while its sequence is odd, or is to be
 * @owners: the pages are dealt to so many; the mailbox's copy is the guest's
 * @vcpus: so many of the owners are vCPUs, which come first
 * @hot_pages: pages of the window that half of all choices go to
 * @aim: half of all choices go where the other side has just been
 * @narrow: for now all choices, not half of them, go to the window; written by the storm
 * @used: pages that engines have used
 * @lost: pages that discarders have had
 * @begun: the operation of a discarder that others may come to
 * @writing: of each participant, which alone counts it: odd while a write of its own through an
 *	engine is under way
 * @exact: pages judged exactly
 */
struct judge {
	const struct memory *memory;
	struct report *report;
	struct mailbox *mailbox;
	struct page_state *states;
	uint32_t *epochs;
	const void **writers;
	uint32_t owners;
	uint32_t vcpus;
	uint32_t hot_pages;
	bool aim;
	bool narrow;
	struct trail used;
	struct trail lost;
	struct meeting begun;
	uint32_t writing[MAX_PARTICIPANTS];
	uint64_t exact;
};

/**
 * struct judge_read - a read to be judged
 * @page: number of the page
 * @oldest: its epoch before the read
 * @latch: its shared state before the read
 */
struct judge_read {
	uint32_t page;
	uint32_t oldest;
	struct latch_read latch;
};

void judge_init(struct judge *judge, const struct memory *memory,
		uint32_t owners, uint64_t seed, uint32_t hot_pages, struct report *report);
void judge_destroy(struct judge *judge);

uint32_t judge_owner(const struct judge *judge, uint32_t page);
uint64_t judge_gpa(const struct judge *judge, uint32_t page);
void judge_set_hot(struct judge *judge, uint32_t page, bool narrow);
uint32_t judge_choose(const struct judge *judge, struct prng *prng);
bool judge_find_busy(const struct judge *judge, uint32_t owner, uint32_t *page);
uint32_t judge_choose_near(const struct judge *judge, const struct trail *trail,
			   struct prng *prng);

void judge_read_begin(const struct judge *judge, uint32_t page,
		      struct judge_read *read);
bool judge_read_end(struct judge *judge, struct judge_read *read,
		    const uint64_t *words, const char *who);
void judge_note_writer(struct judge *judge, uint32_t page, const void *writer);
void judge_write_begin(struct judge *judge, uint32_t participant);
void judge_write_end(struct judge *judge, uint32_t participant);
bool judge_await_writer(const struct judge *judge, uint32_t page);
bool judge_wrote(const struct judge *judge, uint32_t page, const void *writer);
bool judge_look(const struct judge *judge, uint32_t page, const void *writer, uint32_t *seq);
void judge_fault(struct judge *judge, uint32_t page, uint32_t fault,
		 int64_t value, const char *who);

bool judge_is_unsure(const struct judge *judge, uint32_t page);
bool judge_is_closed(const struct judge *judge, uint32_t page);
uint32_t judge_close(struct judge *judge, uint32_t first, uint32_t count);
bool judge_wait(const struct judge *judge, uint32_t first, uint32_t count,
		const bool *stop);
void judge_discard_begin(struct judge *judge, uint32_t first,
			 uint32_t count);
void judge_discard_end(struct judge *judge, uint32_t first, uint32_t count);
void judge_open(struct judge *judge, uint32_t first, uint32_t count);

#endif /* VMM_JUDGE_H */
