// SPDX-License-Identifier: GPL-2.0
/* What a reader may see of a stamp while it is written byte by byte, and what nobody may see. */
#include <stdio.h>
#include <string.h>
#include "stamp.h"

#define PAGE	13863
#define OWNER	3

static const struct stamp new_stamp = { .page = PAGE, .epoch = 0x1234, .seq = 0x1002, .owner = OWNER };
static const struct stamp old_stamp = { .page = PAGE, .epoch = 0x1234, .seq = 0x0fd0, .owner = OWNER };
static const struct stamp foreign = { .page = PAGE + 1, .epoch = 0x1234, .seq = 0x1002, .owner = OWNER };
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

/* At each byte: where the writer is when it is seen, or the reader when the writer has been there. */
static bool pieces_are_right(const struct stamp *from, const struct stamp *to, bool exact)
{
	uint64_t before[GUEST_PAGE_WORDS] = { 0 }, after[GUEST_PAGE_WORDS] = { 0 };

	if (from)
		stamp_write(before, from);
	stamp_write(after, to);
	for (unsigned int at = 1; at < GUEST_PAGE_SIZE; at++)
		if (!is_mixture_right(after, before, at, exact) ||
		    !is_mixture_right(before, after, at, exact))
			return false;
	return true;
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

	tell(pieces_are_right(NULL, &new_stamp, false), "pieces of a copy into an empty page may be seen");
	tell(pieces_are_right(&old_stamp, &new_stamp, false), "those of a copy over an older stamp may be");
	tell(!pieces_are_right(NULL, &new_stamp, true), "not if nobody writes");
	tell(!pieces_are_right(NULL, &foreign, false), "nor that of another page");
	tell(!mistakes_are_right(false) && !mistakes_are_right(true), "a wrong byte is seen");
	page[stamp_sample_word(3)] = 0x34;
	tell(is_right(page, false), "and the beginning of an epoch, while somebody writes");
	page[stamp_sample_word(3)] = 0x77;
	tell(!is_right(page, false), "not that of an epoch that there has not been");
	stamp_write(page, &new_stamp);
	tell(is_right(page, true), "a whole stamp is right");
	return status;
}
