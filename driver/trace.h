/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM secmmu

#if !defined(SECMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SECMMU_TRACE_H

#include <linux/tracepoint.h>

#include "stats.h"

TRACE_DEFINE_ENUM(SECMMU_COUNT_RETRIES_EVENT);
TRACE_DEFINE_ENUM(SECMMU_COUNT_RETRIES_SELF);
TRACE_DEFINE_ENUM(SECMMU_COUNT_RETRIES_SLOT);
TRACE_DEFINE_ENUM(SECMMU_COUNT_RETRIES_TABLE);

/* An invalidation event begins or ends; addresses are the process's. */
DECLARE_EVENT_CLASS(secmmu_range,
	TP_PROTO(const void *chain, unsigned long start, unsigned long end),
	TP_ARGS(chain, start, end),
	TP_STRUCT__entry(
		__field(const void *, chain)
		__field(unsigned long, start)
		__field(unsigned long, end)
	),
	TP_fast_assign(
		__entry->chain = chain;
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("chain=%p hva=0x%lx-0x%lx",
		  __entry->chain, __entry->start, __entry->end)
);

DEFINE_EVENT(secmmu_range, secmmu_event_begin,
	TP_PROTO(const void *chain, unsigned long start, unsigned long end),
	TP_ARGS(chain, start, end));

DEFINE_EVENT(secmmu_range, secmmu_event_end,
	TP_PROTO(const void *chain, unsigned long start, unsigned long end),
	TP_ARGS(chain, start, end));

/* A mirror has dropped sptes of one span of an event. */
TRACE_EVENT(secmmu_zap,
	TP_PROTO(const void *mirror, u64 first, u64 last, u64 zapped),
	TP_ARGS(mirror, first, last, zapped),
	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(u64, first)
		__field(u64, last)
		__field(u64, zapped)
	),
	TP_fast_assign(
		__entry->mirror = mirror;
		__entry->first = first;
		__entry->last = last;
		__entry->zapped = zapped;
	),
	TP_printk("mirror=%p gfn=0x%llx-0x%llx zapped=%llu", __entry->mirror,
		  __entry->first, __entry->last, __entry->zapped)
);

/* A flush is complete; entries is zero for an assist or a dirty log. */
TRACE_EVENT(secmmu_flush,
	TP_PROTO(const void *tlbs, u64 gen, u64 entries),
	TP_ARGS(tlbs, gen, entries),
	TP_STRUCT__entry(
		__field(const void *, tlbs)
		__field(u64, gen)
		__field(u64, entries)
	),
	TP_fast_assign(
		__entry->tlbs = tlbs;
		__entry->gen = gen;
		__entry->entries = entries;
	),
	TP_printk("tlbs=%p gen=%llu entries=%llu",
		  __entry->tlbs, __entry->gen, __entry->entries)
);

/* A fault was served (result: number of pages mapped) or failed (result: an errno). */
TRACE_EVENT(secmmu_fault,
	TP_PROTO(const void *mirror, u64 gfn, bool write, int result),
	TP_ARGS(mirror, gfn, write, result),
	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(u64, gfn)
		__field(bool, write)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->mirror = mirror;
		__entry->gfn = gfn;
		__entry->write = write;
		__entry->result = result;
	),
	TP_printk("mirror=%p gfn=0x%llx %s result=%d", __entry->mirror,
		  __entry->gfn, __entry->write ? "write" : "read",
		  __entry->result)
);

/* A fault round is repeated; the cause is the counter of such rounds. */
TRACE_EVENT(secmmu_retry,
	TP_PROTO(const void *mirror, u64 gfn, unsigned int cause),
	TP_ARGS(mirror, gfn, cause),
	TP_STRUCT__entry(
		__field(const void *, mirror)
		__field(u64, gfn)
		__field(unsigned int, cause)
	),
	TP_fast_assign(
		__entry->mirror = mirror;
		__entry->gfn = gfn;
		__entry->cause = cause;
	),
	TP_printk("mirror=%p gfn=0x%llx cause=%s",
		  __entry->mirror, __entry->gfn,
		  __print_symbolic(__entry->cause,
				   { SECMMU_COUNT_RETRIES_EVENT, "event" },
				   { SECMMU_COUNT_RETRIES_SELF, "self" },
				   { SECMMU_COUNT_RETRIES_SLOT, "slot" },
				   { SECMMU_COUNT_RETRIES_TABLE, "table" }))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
