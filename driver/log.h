/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A dirty log: one bit for each page of a span that an engine has written through an spte
 * that was dropped since. Sptes still in place keep their dirty bits until user space asks
 * for the log: see dirty.h.
 *
 * A zap finds the log through the span that shows the page at that moment, in an RCU
 * read-side section. So the log of a removed span is freed after a grace period.
 */
#ifndef SECMMU_LOG_H
#define SECMMU_LOG_H

#include <linux/bitops.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

/**
 * struct secmmu_log - the dirty log of a span
 * @refs: the span, and callers that copy the log out
 * @rcu: defers the freeing
 * @bits: the pages, counted from the first one of the span
 */
struct secmmu_log {
	refcount_t refs;
	struct rcu_head rcu;
	unsigned long bits[];
};

struct secmmu_log *secmmu_log_alloc(u64 pages);
void secmmu_log_put(struct secmmu_log *log);
void secmmu_log_free(struct secmmu_log *log);
bool secmmu_log_take(struct secmmu_log *log, u64 first, unsigned long *bits,
		     u64 words);
void secmmu_log_give_back(struct secmmu_log *log, u64 first,
			  const unsigned long *bits, u64 words);

/* The caller holds a reference, or the configuration lock. */
static inline struct secmmu_log *secmmu_log_get(struct secmmu_log *log)
{
	refcount_inc(&log->refs);
	return log;
}

/* Log that a page was written. */
static inline void secmmu_log_set(struct secmmu_log *log, u64 page)
{
	set_bit(page, log->bits);
}

#endif
