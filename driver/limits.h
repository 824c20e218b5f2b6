/* SPDX-License-Identifier: GPL-2.0 */
/* Constants that more than one file of the driver needs. */
#ifndef SECMMU_LIMITS_H
#define SECMMU_LIMITS_H

#include <linux/mm.h>
#include <linux/secmmu.h>

/* Guest frame number: a guest physical address in pages. */
typedef u64 gfn_t;

#define SECMMU_GFN_BITS		(SECMMU_GPA_BITS - PAGE_SHIFT)
#define SECMMU_GFN_LAST		(BIT_ULL(SECMMU_GFN_BITS) - 1)

/* Events recorded one by one, per mm; beyond them a hull and a count serve. */
#define SECMMU_EVENTS_MAX	64

/* Rounds a walk loses to registrations before it holds them off. */
#define SECMMU_REPLAYS_MAX	4

/* Spans an event walk takes from a member under one hold of the lock. */
#define SECMMU_WALK_BATCH	8

/* Times a fault waits for the events in flight, or starts again, before it gives up. */
#define SECMMU_PATIENCE		4

/* Pages one fault round asks of GUP; their pointers live on the stack. */
#define SECMMU_FAULT_BATCH	32

/* Tables kept to split large sptes with, per page table that has some. */
#define SECMMU_SPARE_TABLES	2

/* Buckets of the latency histogram: powers of two, in nanoseconds. */
#define SECMMU_LATENCY_BUCKETS	40

/* Address spaces that an engine keeps loaded. */
#define SECMMU_ASIDS		4

/* Entries of an engine's TLB, a power of two. */
#define SECMMU_TLB_ENTRIES	256

#endif
