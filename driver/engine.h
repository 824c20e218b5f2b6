/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Engines access memory through a mirror. A transfer consists of pieces of at most one
 * page. Each piece has a window, in which the engine copies it from or to its bounce
 * buffer; user memory is touched outside of windows only.
 */
#ifndef SECMMU_ENGINE_H
#define SECMMU_ENGINE_H

#include <linux/mutex.h>
#include <linux/refcount.h>

#include "space.h"

struct iov_iter;
struct secmmu_job;

/**
 * struct secmmu_engine - one access agent
 * @refs: its descriptor, and the thread of its job
 * @config: serialises attaching and detaching; outside of @lock
 * @lock: serialises the threads that use the engine: protects @spaces and
 *	@bounce; outside of mmap_lock, because user buffers may fault under it
 * @bounce: one page; data have the same offset in it as in the guest's page
 * @flags: SECMMU_ENGINE_*
 * @rights: the accesses that keys deny; one word, without a lock
 * @job: for jobs in the background, or NULL
 * @spaces: the address spaces, with the TLB
 */
struct secmmu_engine {
	refcount_t refs;
	struct mutex config;
	struct mutex lock;
	void *bounce;
	u32 flags;
	u32 rights;
	struct secmmu_job *job;
	struct secmmu_spaces spaces;
};

/**
 * struct secmmu_move - one piece of a transfer
 * @gpa: where the transfer began, with a tag or without
 * @done: bytes of the transfer before this piece
 * @left: bytes left to move, those of this piece included
 * @len: bytes of this piece, all in one page; zero: only map the page
 * @write: to memory
 */
struct secmmu_move {
	u64 gpa;
	u64 done;
	u64 left;
	unsigned int len;
	bool write;
};

/* The offset in the page; a tag does not change it. */
static inline unsigned int secmmu_move_offset(const struct secmmu_move *move)
{
	return offset_in_page(move->gpa + move->done);
}

struct secmmu_engine *secmmu_engine_create(struct secmmu_mirror *mirror, u32 flags);
void secmmu_engine_get(struct secmmu_engine *engine);
void secmmu_engine_put(struct secmmu_engine *engine);
int secmmu_engine_attach(struct secmmu_engine *engine, struct secmmu_mirror *mirror,
			 unsigned int domain);
int secmmu_engine_detach(struct secmmu_engine *engine);
int secmmu_engine_enter(struct secmmu_engine *engine, unsigned int domain);
int secmmu_engine_move(struct secmmu_engine *engine, const struct secmmu_move *move);
ssize_t secmmu_engine_transfer(struct secmmu_engine *engine, loff_t *pos,
			       struct iov_iter *iter, bool write);

#endif
