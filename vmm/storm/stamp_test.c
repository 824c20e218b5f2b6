// SPDX-License-Identifier: GPL-2.0
/* What a reader may see of a stamp while it is written byte by byte, and what nobody may see. */
#include <stdio.h>
#include <string.h>
#include "stamp.h"

#define PAGE	13863
#define OWNER	3

/* Between these bytes, whoever is half through has at least one whole word of a stamp. */
#define FIRST	9
#define LAST	(8 * (GUEST_PAGE_WORDS - 2))

static const struct stamp new_stamp = { .page = PAGE, .epoch = 0x1234, .seq = 0x1002, .owner = OWNER };
static const struct stamp old_stamp = { .page = PAGE, .epoch = 0x1234, .seq = 0x0fd0, .owner = OWNER };
static const struct stamp foreign = { .page = PAGE + 1, .epoch = 0x1234, .seq = 0x1002, .owner = OWNER };
static const struct stamp stale = { .page = PAGE, .epoch = 0x1200, .seq = 0x1002, .owner = OWNER };
static int status;

static bool is_right(const void *page, bool exact)
{
	const struct stamp_rule rule = {
		.page = PAGE,
		.owner = OWNER,
		.oldest = 0x1234,
		.newest = 0x1234,
		.exact = exact,
		.stamped = 0x1234,
		.seq = 0x1002,
	};
	struct stamp_finding finding;

	return stamp_check(page, &rule, &finding);
}

static void tell(bool fine, const char *what)
{
	printf("%s - stamps: %s\n", fine ? "ok" : "not ok", what);
	status |= !fine;
}

/* Is it right to see the first @at bytes of one page, and the rest of another? */
static bool is_mixture_right(const uint64_t *first, const uint64_t *rest, unsigned int at, bool exact)
{
	uint64_t page[GUEST_PAGE_WORDS];

	memcpy(page, rest, sizeof(page));
	memcpy(page, first, at);
	return is_right(page, exact);
}

/* At how many bytes: where the writer is when it is seen, or the reader when the writer was there? */
static unsigned int right_pieces(const struct stamp *from, const struct stamp *to, bool exact)
{
	uint64_t before[GUEST_PAGE_WORDS] = { 0 }, after[GUEST_PAGE_WORDS] = { 0 };
	unsigned int right = 0;

	if (from)
		stamp_write(before, from);
	stamp_write(after, to);
	for (unsigned int at = FIRST; at <= LAST; at++)
		right += is_mixture_right(after, before, at, exact) +
			 is_mixture_right(before, after, at, exact);
	return right;
}

/* Is a page right of which a turn has lost its first bytes? */
static bool holes_are_right(bool exact)
{
	uint64_t page[GUEST_PAGE_WORDS] = { 0 };
	bool right = false;

	stamp_write(page, &new_stamp);
	for (unsigned int i = 0; i < 4; i++) {
		((unsigned char *)page)[8 * (stamp_sample_word(3) + 1) + i] = 0;
		right |= is_right(page, exact);
	}
	return right;
}

static bool is_stamp_right(const struct stamp *stamp, bool exact)
{
	uint64_t page[GUEST_PAGE_WORDS] = { 0 };

	stamp_write(page, stamp);
	return is_right(page, exact);
}

/* Is a page right of which one byte is wrong? */
static bool mistakes_are_right(bool exact)
{
	uint64_t page[GUEST_PAGE_WORDS] = { 0 };
	unsigned char *byte = (unsigned char *)page;
	bool right = false;

	stamp_write(page, &new_stamp);
	/* The constant, the sample and the owner of the fourth sample. */
	for (unsigned int i = 0; i < 4; i++) {
		byte[8 * (stamp_sample_word(3) + 1) + i] ^= 1;
		right |= is_right(page, exact);
		byte[8 * (stamp_sample_word(3) + 1) + i] ^= 1;
	}
	return right;
}

int main(void)
{
	uint64_t page[GUEST_PAGE_WORDS] = { 0 };

	const unsigned int all = 2 * (LAST + 1 - FIRST);

	tell(right_pieces(NULL, &new_stamp, false) == all,
	     "pieces of a copy into an empty page may be seen");
	tell(right_pieces(&old_stamp, &new_stamp, false) == all,
	     "those of a copy over an older stamp may be");
	tell(!right_pieces(NULL, &new_stamp, true), "none if nobody writes");
	tell(!right_pieces(NULL, &foreign, false), "none of another page");
	tell(holes_are_right(false) && !holes_are_right(true), "a hole in a word neither");
	tell(!is_stamp_right(&stale, false) && !is_stamp_right(&stale, true),
	     "nor a whole stamp of an older epoch");
	tell(!mistakes_are_right(false) && !mistakes_are_right(true), "a wrong byte is seen");
	page[stamp_sample_word(3)] = 0x34;
	tell(is_right(page, false), "and the beginning of an epoch, while somebody writes");
	page[stamp_sample_word(3)] = 0x77;
	tell(!is_right(page, false), "not that of an epoch that there has not been");
	stamp_write(page, &new_stamp);
	tell(is_right(page, true), "a whole stamp is right");
	return status;
}
