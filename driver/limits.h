/* SPDX-License-Identifier: GPL-2.0 */
/* Constants that more than one file of the driver needs. */
#ifndef SECMMU_LIMITS_H
#define SECMMU_LIMITS_H

#include <linux/mm.h>
#include <linux/secmmu.h>

/* Guest frame number: a guest physical address in pages. */
typedef u64 gfn_t;

/* Kernels for arm64 with pages of 16 or 64 KiB are refused: nothing here has run on them. */
static_assert(PAGE_SHIFT == 12);

/* What a large spte maps: pages, and bytes. */
#define SECMMU_LARGE_PAGES	BIT(9)
#define SECMMU_LARGE_SIZE	(SECMMU_LARGE_PAGES << PAGE_SHIFT)

#define SECMMU_GFN_BITS		(SECMMU_GPA_BITS - PAGE_SHIFT)
#define SECMMU_GFN_LAST		(BIT_ULL(SECMMU_GFN_BITS) - 1)

/* The shards of an mm's records, a power of two. */
#define SECMMU_SHARDS		16U

/* Events recorded one by one, per shard; beyond them a hull and a count serve. */
#define SECMMU_EVENTS_MAX	64

/* Rounds that a walk loses to registrations before it holds them off. */
#define SECMMU_REPLAYS_MAX	4

/* Spans that a walk takes from a member at once. */
#define SECMMU_WALK_BATCH	8

/* Times that a fault waits for events in flight, or starts again, before it gives up. */
#define SECMMU_PATIENCE		4

/* Pages that one fault round asks GUP for; their pointers live on the stack. */
#define SECMMU_FAULT_BATCH	32

/* Tables kept for splits, in a page table that has large sptes. */
#define SECMMU_SPARE_TABLES	2

/* Buckets of the latency histogram: powers of two, in nanoseconds. */
#define SECMMU_LATENCY_BUCKETS	40

/* Address spaces that an engine keeps loaded. */
#define SECMMU_ASIDS		4

/* Entries of an engine's TLB, a power of two. */
#define SECMMU_TLB_ENTRIES	256

#endif
