/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stamps: what an arena page says about itself. Compiled into the guest and
 * the host; no libc.
 *
 * A stamp is eight samples of two words, spread over the page so that any torn
 * or foreign part shows: in every ninth cache line, the last one at the very
 * end of the page. Words 2 and 3 hold a magic number and a checksum over the
 * samples. Every other word is zero, always.
 *
 *	word 0	tag (8 bits) | page (24) | epoch (32)
 *	word 1	seq (32) | owner (8) | sample (8) | constant (16)
 */
#ifndef VMM_STAMP_H
#define VMM_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include "hypercall.h"

#define STAMP_SAMPLES		8
#define STAMP_TAG		0x5eull
#define STAMP_SUM_TAG		0x5cull
#define STAMP_MAGIC		0x534543534d4d5501ull
#define STAMP_CONSTANT		0xa55aull
#define STAMP_MAGIC_WORD	2
#define STAMP_SUM_WORD		3

/* The canary process's words: tag (16) | serial (39) | word index (9). */
#define CANARY_TAG		0xca9aull

/**
 * enum stamp_fault - the ways in which a page can be wrong
 * @STAMP_CLEAN: it is right
 * @STAMP_FOREIGN: a word that no stamp has there
 * @STAMP_CANARY: a word of the canary process
 * @STAMP_WRONG_PAGE: the stamp of another page
 * @STAMP_WRONG_OWNER: a stamp its owner did not write
 * @STAMP_OLD_EPOCH: a stamp that a discard should have removed
 * @STAMP_NEW_EPOCH: a stamp of an epoch that has not begun
 * @STAMP_LOST: zeroes or an older stamp where a stamp was completed
 * @STAMP_REVENANT: a stamp where a discard left zeroes
 * @STAMP_TORN: not one whole stamp, though nobody was writing
 * @STAMP_GAP: an access succeeded where nothing is mapped, or what may not be written
 * @STAMP_ERROR: an access failed though it must not
 * @STAMP_TABLE: the shared page states disagree with the host's epochs
 * @STAMP_CHILD: a child's page has changed, though it is the child's own
 * @STAMP_UNLOGGED: a write is not in the dirty log
 * @STAMP_FAULTS: number of the above
 */
enum stamp_fault {
	STAMP_CLEAN,
	STAMP_FOREIGN,
	STAMP_CANARY,
	STAMP_WRONG_PAGE,
	STAMP_WRONG_OWNER,
	STAMP_OLD_EPOCH,
	STAMP_NEW_EPOCH,
	STAMP_LOST,
	STAMP_REVENANT,
	STAMP_TORN,
	STAMP_GAP,
	STAMP_ERROR,
	STAMP_TABLE,
	STAMP_CHILD,
	STAMP_UNLOGGED,
	STAMP_FAULTS,
};

/**
 * struct stamp - the content of a stamp
 * @page: number of the page it is on
 * @epoch: the page's epoch when it was written
 * @seq: the page's sequence number once it was complete
 * @owner: who wrote it
 */
struct stamp {
	uint32_t page;
	uint32_t epoch;
	uint32_t seq;
	uint32_t owner;
};

/**
 * struct stamp_rule - what a page may contain
 * @page: number of the page
 * @owner: its owner
 * @oldest: oldest epoch allowed
 * @newest: newest epoch allowed
 * @exact: nobody wrote meanwhile: @stamped and @seq hold
 * @stamped: epoch of the stamp there, zero for zeroes
 * @seq: sequence number of that stamp
 */
struct stamp_rule {
	uint32_t page;
	uint32_t owner;
	uint32_t oldest;
	uint32_t newest;
	bool exact;
	uint32_t stamped;
	uint32_t seq;
};

unsigned int stamp_sample_word(unsigned int sample);
void stamp_write(uint64_t *words, const struct stamp *stamp);
bool stamp_first(const uint64_t *words, struct stamp *stamp);
bool stamp_check(const uint64_t *words, const struct stamp_rule *rule,
		 struct stamp_finding *finding);

#endif /* VMM_STAMP_H */
