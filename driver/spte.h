/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A secondary page-table entry (spte): one 64-bit word.
 *
 *	bit  0		present
 *	bit  1		write: engines may write
 *	bit  2		accessed: set before the first access through it
 *	bit  3		dirty: set before the first write through it
 *	bits 12..51	page frame number
 *	bits 52..55	protection key
 *
 * A large spte maps 512 pages, and has the frame number of the first one.
 *
 * All other bits are zero; an absent entry is zero as a whole. The present, write, frame
 * and key bits change only under the lock of the entry's table. Accessed and dirty bits
 * also change without it, atomically.
 */
#ifndef SECMMU_SPTE_H
#define SECMMU_SPTE_H

#include <linux/bits.h>
#include <linux/types.h>

#define SPTE_PRESENT	BIT_ULL(0)
#define SPTE_WRITE	BIT_ULL(1)
#define SPTE_ACCESSED_BIT	2
#define SPTE_ACCESSED	BIT_ULL(SPTE_ACCESSED_BIT)
#define SPTE_DIRTY_BIT	3
#define SPTE_DIRTY	BIT_ULL(SPTE_DIRTY_BIT)
#define SPTE_PFN_SHIFT	12
#define SPTE_PFN_MASK	GENMASK_ULL(51, SPTE_PFN_SHIFT)

#define SPTE_KEY_SHIFT	52
#define SPTE_KEY_MASK	GENMASK_ULL(55, SPTE_KEY_SHIFT)

static inline u64 spte_make(unsigned long pfn, bool write, unsigned int key)
{
	u64 frame = ((u64)pfn << SPTE_PFN_SHIFT) & SPTE_PFN_MASK;

	return frame | (u64)key << SPTE_KEY_SHIFT | SPTE_PRESENT |
	       (write ? SPTE_WRITE : 0);
}

static inline unsigned int spte_key(u64 spte)
{
	return (spte & SPTE_KEY_MASK) >> SPTE_KEY_SHIFT;
}

static inline unsigned long spte_pfn(u64 spte)
{
	return (spte & SPTE_PFN_MASK) >> SPTE_PFN_SHIFT;
}

/* The spte of page @i of the block that a large spte maps. */
static inline u64 spte_small(u64 spte, unsigned int i)
{
	return spte + ((u64)i << SPTE_PFN_SHIFT);
}

/* Does @old map the same as @spte, and permit as much? */
static inline bool spte_covers(u64 old, u64 spte)
{
	return !((old ^ spte) & (SPTE_PRESENT | SPTE_PFN_MASK | SPTE_KEY_MASK)) &&
	       (old & SPTE_WRITE) >= (spte & SPTE_WRITE);
}

/* The bits that an access needs, and the bits that it sets. */
static inline u64 spte_needs(bool write)
{
	return SPTE_PRESENT | (write ? SPTE_WRITE : 0);
}

static inline u64 spte_leaves(bool write)
{
	return SPTE_ACCESSED | (write ? SPTE_DIRTY : 0);
}

#endif
