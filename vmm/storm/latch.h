/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handshake between those who write pages and those who discard them.
 * Compiled into the guest and the host; no libc.
 *
 * A store computed before a discard must not land after it, or the judge
 * would take it for a stale translation:
 *
 *	owner (vCPU or engine)		discarder
 *	----------------------		---------
 *	busy = page			latch = epoch | closed
 *	full barrier (A)		full barrier (B)
 *	if latch is closed: give up	wait until nobody is busy in the range
 *	seq odd, write, seq even	seq odd, discard, epoch + 1, seq even
 *	busy = none			latch = epoch + 1
 *
 * A pairs with B: either the owner sees the latch closed or the discarder sees
 * the owner busy.
 */
#ifndef VMM_LATCH_H
#define VMM_LATCH_H

#include <stdbool.h>
#include <stdint.h>
#include "hypercall.h"

/**
 * latch_enter - announce a direct access to a page
 * @self: the caller's participant line
 * @state: the page's shared state
 * @page: the page's number
 * @epoch: set to the page's epoch
 *
 * Return: false if the page is closed; then nothing is announced any more.
 */
static inline bool latch_enter(struct participant *self,
			       const struct page_state *state, uint32_t page,
			       uint32_t *epoch)
{
	uint32_t latch;

	__atomic_store_n(&self->busy, page + 1, __ATOMIC_RELAXED);
	/* Barrier A, pairs with B in judge_close(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	latch = __atomic_load_n(&state->latch, __ATOMIC_ACQUIRE);
	if (latch & LATCH_CLOSED) {
		__atomic_store_n(&self->busy, 0, __ATOMIC_RELEASE);
		return false;
	}
	*epoch = latch >> 1;
	return true;
}

/**
 * latch_leave - the access that latch_enter() announced is over
 * @self: the caller's participant line
 */
static inline void latch_leave(struct participant *self)
{
	/* Release: every store of the access comes before. */
	__atomic_store_n(&self->busy, 0, __ATOMIC_RELEASE);
}

/**
 * latch_write_begin - make the page's sequence odd
 * @state: the page's shared state; the caller owns it or has closed it
 *
 * Return: the sequence number the finished content shall carry.
 */
static inline uint32_t latch_write_begin(struct page_state *state)
{
	uint32_t seq = __atomic_load_n(&state->seq, __ATOMIC_RELAXED);

	/* A writer that was stopped half-way left it odd. */
	seq |= 1;
	__atomic_store_n(&state->seq, seq, __ATOMIC_RELAXED);
	/* Odd before the content changes; pairs with latch_read_end(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return seq + 1;
}

/**
 * latch_write_end - the page's content is complete
 * @state: the page's shared state
 * @seq: what latch_write_begin() returned
 * @stamped: epoch of the stamp now there, zero for zeroes
 */
static inline void latch_write_end(struct page_state *state, uint32_t seq,
				   uint32_t stamped)
{
	__atomic_store_n(&state->stamped, stamped, __ATOMIC_RELAXED);
	/* Content and @stamped before the even number; pairs as above. */
	__atomic_store_n(&state->seq, seq, __ATOMIC_RELEASE);
}

/**
 * struct latch_read - a read of a page, to be judged
 * @seq: sequence number before the read
 * @stamped: epoch of the stamp expected, zero for zeroes
 * @stable: nobody wrote or discarded the page meanwhile
 */
struct latch_read {
	uint32_t seq;
	uint32_t stamped;
	bool stable;
};

/**
 * latch_read_begin - before reading a page without announcing it
 * @state: the page's shared state
 * @read: filled in
 */
static inline void latch_read_begin(const struct page_state *state,
				    struct latch_read *read)
{
	read->seq = __atomic_load_n(&state->seq, __ATOMIC_ACQUIRE);
	read->stamped = __atomic_load_n(&state->stamped, __ATOMIC_RELAXED);
	/* Before the content; an engine's loads are not the compiler's. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/**
 * latch_read_end - after reading it
 * @state: the page's shared state
 * @read: what latch_read_begin() filled in; @stable is set
 *
 * Only a stable read must equal what the shared state says; the words of any
 * read must obey the epochs.
 */
static inline void latch_read_end(const struct page_state *state,
				  struct latch_read *read)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	read->stable = !(read->seq & 1) &&
		       __atomic_load_n(&state->seq, __ATOMIC_RELAXED) ==
		       read->seq;
}

#endif /* VMM_LATCH_H */
