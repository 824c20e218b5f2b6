/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is what a mirror shows what the process has? The witness is the process's own page
 * table, through /proc (witness.h). Documentation/attach.rst has the same for users.
 *
 * Whether a page can be read at all is judged in proof.h. A running process may change
 * the bytes of a page between any two looks at it, so a page that differs is no more
 * than a suspect. It is judged in COMPARE_ROUNDS rounds of COMPARE_LOOKS looks each;
 * which one of them is the mirror's is drawn by lot, in each round anew. A byte is
 * *odd* in a round if all looks could read the page, the mirror shows a value that no
 * other look of the round shows, and either these agree with each other, or it is the
 * value that the mirror showed when suspicion arose. A page is stale if one byte is odd
 * in every round; with the first round in which none of its bytes is left, it is
 * cleared, and counts as changing.
 *
 * Why this accuses no mirror that is right: where all looks can read the page, each sees
 * the bytes of the page that the CPU's page table had at one moment during the look. The
 * kernel finds it there, and the mirror's entry is dropped before the table changes. So
 * a look sees the same by either way, and whatever the process does, a round's looks
 * see some sequence of values, and at most one look of it can be odd, for there are two
 * others at least. The process cannot tell which look is the mirror's. So the lot falls
 * on the odd one with a chance of 1 in COMPARE_LOOKS at most, and so in all rounds with
 * 4^-32, about 5e-20, for each byte of a suspect, however the process goes back and
 * forth between two values. What a broken mirror shows is either frozen or unrelated to
 * the process: odd in every round, unless the process keeps the whole page in motion.
 *
 * Of a process that is stopped (and of memory only it can write) no byte may differ:
 * then the first difference is the verdict.
 */
#ifndef ATTACH_COMPARE_H
#define ATTACH_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "layout.h"
#include "prng.h"
#include "witness.h"

#define COMPARE_ROUNDS	32
#define COMPARE_LOOKS	4

/* So many pages are looked at at once. */
#define COMPARE_PAGES	64

enum verdict {
	VERDICT_READ,		/* read, and equal if it was to be compared */
	VERDICT_REFUSED,	/* nobody may read there */
	VERDICT_ABSENT,		/* the process has no page there, nor has the mirror */
	VERDICT_CHANGING,	/* differed, but that was the process's doing */
	VERDICT_STALE,		/* differs */
};

/**
 * struct finding - what is wrong with a stale page
 * @page: its address
 * @mirror_reads: the mirror shows something
 * @process_reads: the process has something there
 * @offset: the first byte that differs, if there are two to compare
 * @mirror: what the mirror shows
 * @process: what the process has
 */
struct finding {
	uint64_t page;
	bool mirror_reads;
	bool process_reads;
	unsigned int offset;
	unsigned char mirror;
	unsigned char process;
};

/**
 * struct compare - mirror and process
 * @device: descriptor of /dev/secmmu
 * @mirror: the mirror
 * @quiet: an engine of it, with SECMMU_ENGINE_NOFAULT
 * @engine: an engine that faults pages in
 * @layout: which gpa an address has; NULL: they are the same
 * @dump: file that gets what the mirror shows, at its gpa; -1 if there is none
 * @witness: the process
 * @single: read through the mirror only, and compare nothing
 * @fills: also read what the process has not, which gives it to the process; the
 *	caller may change it between two calls
 * @prng: draws the lots
 * @finding: of the last stale page
 */
struct compare {
	int device;
	int mirror;
	int quiet;
	int engine;
	const struct layout *layout;
	int dump;
	struct witness witness;
	bool single;
	bool fills;
	struct prng prng;
	struct finding finding;
};

/* What the caller knows of the pages to be compared. */
#define COMPARE_STILL	(1u << 0)	/* only the process writes there, and it is stopped */
#define COMPARE_REFUSES	(1u << 1)	/* no area is there, or none that may be read */
#define COMPARE_OWN	(1u << 2)	/* private and anonymous */

int compare_pages(struct compare *compare, uint64_t start, unsigned int pages,
		  unsigned int flags, enum verdict *verdicts);
int compare_mirror_shows(const struct compare *compare, uint64_t page);

#endif /* ATTACH_COMPARE_H */
