/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address tags: bits at the top of a gpa that mean nothing to the mirror. How many
 * there are is one word, the mask that takes them away: whoever reads it once has all
 * of it.
 */
#ifndef SECMMU_TAG_H
#define SECMMU_TAG_H

#include <linux/bits.h>
#include <linux/types.h>

static inline bool secmmu_tag_bits_valid(u32 bits)
{
	return bits == 0 || bits == 6 || bits == 15;
}

/* Bit 63, the sign of a file offset, is none of them. */
static inline u64 secmmu_untag_mask(u32 bits)
{
	return bits ? ~GENMASK_ULL(62, 63 - bits) : ~0ULL;
}

#endif
