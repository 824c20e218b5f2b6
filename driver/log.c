// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "log.h"

/* Words of a log to move before the next chance to reschedule. */
#define WORDS_AT_ONCE	4096

/**
 * secmmu_log_alloc - create an empty log
 * @pages: pages of the span
 *
 * Context: may sleep.
 * Return: the log with one reference, or NULL if there is no memory.
 */
struct secmmu_log *secmmu_log_alloc(u64 pages)
{
	struct secmmu_log *log;
	size_t size = struct_size(log, bits, BITS_TO_LONGS(pages));

	log = kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (log)
		refcount_set(&log->refs, 1);
	return log;
}

/**
 * secmmu_log_put - drop a reference
 * @log: the log, or NULL
 *
 * Context: any.
 */
void secmmu_log_put(struct secmmu_log *log)
{
	if (log && refcount_dec_and_test(&log->refs))
		kvfree_rcu(log, rcu);
}

/**
 * secmmu_log_free - free a log at once
 * @log: the log, which no zap and no call can find; or NULL
 *
 * Context: may sleep.
 */
void secmmu_log_free(struct secmmu_log *log)
{
	kvfree(log);
}

/**
 * secmmu_log_take - move a part of a log out
 * @log: the log
 * @first: first word of the part
 * @bits: what to add it to
 * @words: its length
 *
 * Context: may sleep.
 * Return: true if there was something.
 */
bool secmmu_log_take(struct secmmu_log *log, u64 first, unsigned long *bits,
		     u64 words)
{
	unsigned long *from = log->bits + first;
	bool any = false;
	u64 i;

	for (i = 0; i < words; i++) {
		if (READ_ONCE(from[i])) {
			bits[i] |= xchg(&from[i], 0);
			any = true;
		}
		if (i % WORDS_AT_ONCE == 0)
			cond_resched();
	}
	return any;
}

/**
 * secmmu_log_give_back - put bits back into a log
 * @log: the log
 * @first: first word of the part
 * @bits: the bits
 * @words: its length
 *
 * Context: may sleep.
 */
void secmmu_log_give_back(struct secmmu_log *log, u64 first,
			  const unsigned long *bits, u64 words)
{
	unsigned long *to = log->bits + first;
	u64 i;

	for (i = 0; i < words; i++) {
		if (bits[i])
			atomic_long_or(bits[i], (atomic_long_t *)&to[i]);
		if (i % WORDS_AT_ONCE == 0)
			cond_resched();
	}
}
