/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address tags: bits at the top of a gpa that mean nothing to the mirror. Their number is
 * kept in one word, the mask that removes them, so one read gets all of it.
 */
#ifndef SECMMU_TAG_H
#define SECMMU_TAG_H

#include <linux/bits.h>
#include <linux/types.h>

static inline bool secmmu_tag_bits_valid(u32 bits)
{
	return bits == 0 || bits == 6 || bits == 15;
}

/* Bit 63 is the sign of a file offset, and no tag. */
static inline u64 secmmu_untag_mask(u32 bits)
{
	return bits ? ~GENMASK_ULL(62, 63 - bits) : ~0ULL;
}

#endif
