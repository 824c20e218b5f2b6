// SPDX-License-Identifier: GPL-2.0
#include <linux/highmem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "direct.h"
#include "engine.h"
#include "job.h"

static void copy_byte(u8 *to, const u8 *from)
{
	WRITE_ONCE(*to, READ_ONCE(*from));
}

static void copy_word(u64 *to, const u64 *from, unsigned int i)
{
	WRITE_ONCE(to[i], READ_ONCE(from[i]));
}

static noinline void copy_many(void *to, const void *from, unsigned int len)
{
	const unsigned int word = sizeof(u64), line = 8 * word;

	for (; len && !IS_ALIGNED((unsigned long)to, word); len--)
		copy_byte(to++, from++);
	for (; len >= line; len -= line, to += line, from += line) {
		copy_word(to, from, 0);
		copy_word(to, from, 1);
		copy_word(to, from, 2);
		copy_word(to, from, 3);
		copy_word(to, from, 4);
		copy_word(to, from, 5);
		copy_word(to, from, 6);
		copy_word(to, from, 7);
	}
	for (; len >= word; len -= word, to += word, from += word)
		copy_word(to, from, 0);
	for (; len; len--)
		copy_byte(to++, from++);
}

/*
 * Processors see this memory too: copy aligned words as a whole, as a device would;
 * memcpy() may go byte by byte. Both sides are aligned alike.
 */
static void copy_bytes(void *to, const void *from, unsigned int len)
{
	if (len == sizeof(u64) && IS_ALIGNED((unsigned long)to, sizeof(u64)))
		copy_word(to, from, 0);
	else
		copy_many(to, from, len);
}

static u64 translate_gfn(struct secmmu_engine *engine,
			 const struct secmmu_window *window, gfn_t gfn,
		     const struct secmmu_use *use)
{
	struct secmmu_space *space = engine->spaces.current_space;
	struct secmmu_tlb *tlb = &engine->spaces.tlb;

	return secmmu_tlb_translate(tlb, space->asid, space->pt, window, gfn, use);
}

/* Move the data of a piece from or to a page frame; the window is open. */
static void copy_piece(struct secmmu_engine *engine, unsigned long pfn,
		       const struct secmmu_move *move)
{
	unsigned int offset = secmmu_move_offset(move);
	char *page = kmap_local_pfn(pfn);

	if (move->write)
		copy_bytes(page + offset, engine->bounce + offset, move->len);
	else
		copy_bytes(engine->bounce + offset, page + offset, move->len);
	kunmap_local(page);
}

static void count_window(struct secmmu_engine *engine, const struct secmmu_move *move)
{
	secmmu_count(engine->spaces.mirror->counters,
		     move->write ? SECMMU_COUNT_WRITES : SECMMU_COUNT_READS, 1);
}

/*
 * Move one piece inside one window. Returns -EAGAIN if a fault of *@gfn must come
 * first, or -ENXIO, -EACCES.
 */
static int move_in_window(struct secmmu_engine *engine, const struct secmmu_move *move,
			  gfn_t *gfn)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;
	struct secmmu_use use = { .write = move->write, .touch = !move->len };
	struct secmmu_window window;
	int err = -ENXIO;
	u64 spte;

	secmmu_window_open(&mirror->tlbs, &window);
	use.rights = READ_ONCE(engine->rights);
	*gfn = secmmu_space_address(&engine->spaces, &window, move->gpa,
				    move->done) >> PAGE_SHIFT;
	if (*gfn > SECMMU_GFN_LAST)
		goto close;
	err = -EAGAIN;
	spte = translate_gfn(engine, &window, *gfn, &use);
	if (!spte)
		goto close;
	err = -EACCES;
	if (secmmu_use_denied(&use, spte))
		goto close;
	err = 0;
	secmmu_gate_spin(WINDOW_TRANSLATED, (u64)*gfn << PAGE_SHIFT);
	if (move->len)
		copy_piece(engine, spte_pfn(spte), move);
	count_window(engine, move);
close:
	secmmu_window_close(&mirror->tlbs, &window);
	return err;
}

/* Move one piece with a page that GUP gave past the mirror. */
static int move_direct(struct secmmu_engine *engine, const struct secmmu_move *move,
		       const struct secmmu_direct *direct)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;
	struct secmmu_window window;
	int err = -EAGAIN;
	u32 rights;
	gfn_t gfn;

	secmmu_window_open(&mirror->tlbs, &window);
	rights = READ_ONCE(engine->rights);
	gfn = secmmu_space_address(&engine->spaces, &window, move->gpa,
				   move->done) >> PAGE_SHIFT;
	if (gfn != direct->gfn || !secmmu_direct_valid(direct))
		goto close;
	err = -EACCES;
	if (secmmu_key_denies(rights, direct->target.key, direct->write))
		goto close;
	err = 0;
	secmmu_gate_spin(DIRECT_CHECKED, (u64)gfn << PAGE_SHIFT);
	if (move->len)
		copy_piece(engine, page_to_pfn(direct->page), move);
	count_window(engine, move);
close:
	secmmu_window_close(&mirror->tlbs, &window);
	return err;
}

/* The domain does not show the page: fail, or go to domain 0. */
static int leave_domain(struct secmmu_engine *engine)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;

	if (!(engine->flags & SECMMU_ENGINE_LEAVE_DOMAIN))
		return -EACCES;
	secmmu_count(mirror->counters, SECMMU_COUNT_LEFT, 1);
	return secmmu_spaces_enter(&engine->spaces, 0);
}

static struct secmmu_access access_of(struct secmmu_engine *engine, bool write)
{
	return (struct secmmu_access) {
		.domain = engine->spaces.current_space->domain,
		.flags = (write ? SECMMU_FAULT_WRITE : 0) |
			 (engine->flags & SECMMU_ENGINE_NOFAULT ? SECMMU_FAULT_NOFAULT : 0),
		.rights = READ_ONCE(engine->rights),
	};
}

/* Fault in the pages of the next @end bytes from @gfn on. */
static int fault_in(struct secmmu_engine *engine, gfn_t gfn, u64 end, bool write)
{
	u64 pages = DIV_ROUND_UP_ULL(max(end, 1ULL), PAGE_SIZE);
	struct secmmu_access access = access_of(engine, write);
	int ret;

	if (engine->flags & SECMMU_ENGINE_FAULT_AROUND)
		access.flags |= SECMMU_FAULT_AROUND;
	ret = secmmu_fault(engine->spaces.mirror, gfn, pages, &access);
	if (ret == -EXDEV)
		return leave_domain(engine);
	return min(ret, 0);
}

/* Events leave no moment for an spte: move the piece without. -EAGAIN: start again. */
static int move_past_mirror(struct secmmu_engine *engine, const struct secmmu_move *move,
			    gfn_t gfn)
{
	struct secmmu_access access = access_of(engine, move->write);
	struct secmmu_direct direct;
	int err;

	err = secmmu_direct_begin(&direct, engine->spaces.mirror, gfn, &access);
	if (err == -EXDEV)
		return leave_domain(engine) ?: -EAGAIN;
	if (err)
		return err;
	err = move_direct(engine, move, &direct);
	secmmu_direct_end(&direct, !err && move->write && move->len);
	return err;
}

/* Out of line, to keep the path without a fault short. */
static noinline int move_after_fault(struct secmmu_engine *engine,
				     const struct secmmu_move *move, gfn_t gfn)
{
	unsigned int rounds = 0;
	int err;

	do {
		err = fault_in(engine, gfn, secmmu_move_offset(move) + move->left,
			       move->write);
		/* An event may drop the entry before the window opens. */
		if (!err)
			err = move_in_window(engine, move, &gfn);
		if (err == -EBUSY || (err == -EAGAIN && ++rounds >= secmmu_patience()))
			err = move_past_mirror(engine, move, gfn);
	} while (err == -EAGAIN && !signal_pending(current));
	return err == -EAGAIN ? -EINTR : err;
}

/**
 * secmmu_engine_move - move one piece between memory and the bounce buffer
 * @engine: the engine, locked
 * @move: the piece
 *
 * Context: may sleep.
 * Return: 0, or as secmmu_fault(); -ENXIO also behind the last address, or if no
 * mirror is attached.
 */
int secmmu_engine_move(struct secmmu_engine *engine, const struct secmmu_move *move)
{
	gfn_t gfn;
	int err;

	if (!engine->spaces.mirror)
		return -ENXIO;
	err = move_in_window(engine, move, &gfn);
	if (likely(err != -EAGAIN))
		return err;
	return move_after_fault(engine, move, gfn);
}

/* Transfer one piece. Returns the bytes done, fewer than asked only on an error. */
static size_t transfer_piece(struct secmmu_engine *engine, struct secmmu_move *move,
			     struct iov_iter *iter, int *err)
{
	unsigned int offset = secmmu_move_offset(move);
	void *bounce = engine->bounce + offset;
	size_t done;

	*err = 0;
	move->left = iov_iter_count(iter);
	move->len = min_t(size_t, move->left, PAGE_SIZE - offset);
	if (move->write) {
		move->len = copy_from_iter(bounce, move->len, iter);
		if (!move->len) {
			*err = -EFAULT;
			return 0;
		}
		*err = secmmu_engine_move(engine, move);
		if (*err)
			iov_iter_revert(iter, move->len);
		return *err ? 0 : move->len;
	}

	*err = secmmu_engine_move(engine, move);
	if (*err)
		return 0;
	done = copy_to_iter(bounce, move->len, iter);
	if (done < move->len)
		*err = -EFAULT;
	return done;
}

/*
 * The position at which read(2) and write(2) continue. At the end of the address space it
 * is the largest offset, where the kernel refuses every transfer, instead of the first
 * address with the next tag.
 */
static loff_t position_after(struct secmmu_engine *engine,
			     const struct secmmu_move *move)
{
	if (move->done && secmmu_space_carries(&engine->spaces, move->gpa, move->done))
		return LLONG_MAX;
	return move->gpa + move->done;
}

/**
 * secmmu_engine_transfer - read or write memory
 * @engine: the engine
 * @pos: the address, with a tag or without; moved to where the next transfer continues
 * @iter: the data
 * @write: to memory
 *
 * Context: may sleep; no locks.
 * Return: bytes done; or, if none, a negative errno.
 */
ssize_t secmmu_engine_transfer(struct secmmu_engine *engine, loff_t *pos,
			       struct iov_iter *iter, bool write)
{
	struct secmmu_move move = { .gpa = *pos, .write = write };
	int err = 0;

	if (mutex_lock_interruptible(&engine->lock))
		return -EINTR;
	while (!err && iov_iter_count(iter)) {
		move.done += transfer_piece(engine, &move, iter, &err);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	*pos = position_after(engine, &move);
	mutex_unlock(&engine->lock);
	return move.done ? (ssize_t)move.done : err;
}

/**
 * secmmu_engine_create - make an engine that is attached to a mirror
 * @mirror: the mirror
 * @flags: SECMMU_ENGINE_*, checked
 *
 * Context: may sleep; no locks.
 * Return: the engine with a reference, or NULL if there is no memory.
 */
struct secmmu_engine *secmmu_engine_create(struct secmmu_mirror *mirror, u32 flags)
{
	struct secmmu_engine *engine;

	engine = kvzalloc(sizeof(*engine), GFP_KERNEL_ACCOUNT);
	if (!engine)
		return NULL;
	engine->bounce = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!engine->bounce)
		goto free_engine;
	if (flags & SECMMU_ENGINE_BACKGROUND) {
		engine->job = secmmu_job_create(engine);
		if (!engine->job)
			goto free_bounce;
	}
	refcount_set(&engine->refs, 1);
	mutex_init(&engine->config);
	mutex_init(&engine->lock);
	engine->flags = flags;
	secmmu_spaces_init(&engine->spaces);
	secmmu_mirror_get(mirror);
	secmmu_spaces_attach(&engine->spaces, mirror, 0);
	return engine;

free_bounce:
	free_page((unsigned long)engine->bounce);
free_engine:
	kvfree(engine);
	return NULL;
}

static void put_mirror(struct secmmu_mirror *mirror)
{
	if (mirror)
		secmmu_mirror_put(mirror);
}

static void free_engine(struct secmmu_engine *engine)
{
	put_mirror(engine->spaces.mirror);
	secmmu_spaces_destroy(&engine->spaces);
	secmmu_job_free(engine->job);
	free_page((unsigned long)engine->bounce);
	mutex_destroy(&engine->lock);
	mutex_destroy(&engine->config);
	kvfree(engine);
}

/**
 * secmmu_engine_get - take a reference
 * @engine: the engine; the caller has one
 */
void secmmu_engine_get(struct secmmu_engine *engine)
{
	refcount_inc(&engine->refs);
}

/**
 * secmmu_engine_put - drop a reference; the last one frees the engine
 * @engine: the engine
 *
 * Context: may sleep; no locks.
 */
void secmmu_engine_put(struct secmmu_engine *engine)
{
	if (refcount_dec_and_test(&engine->refs))
		free_engine(engine);
}

/* Keep the engine from working. */
static int stop_engine(struct secmmu_engine *engine)
{
	if (mutex_lock_interruptible(&engine->config))
		return -EINTR;
	if (!mutex_lock_interruptible(&engine->lock))
		return 0;
	mutex_unlock(&engine->config);
	return -EINTR;
}

static void resume_engine(struct secmmu_engine *engine)
{
	mutex_unlock(&engine->lock);
	mutex_unlock(&engine->config);
}

/**
 * secmmu_engine_attach - let an engine work on a mirror
 * @engine: the engine
 * @mirror: the mirror; the caller has a reference, and keeps it
 * @domain: where to begin
 *
 * Context: may sleep; no locks. Waits until the engine is idle.
 * Return: 0; -ENXIO if there is no such domain, -EINTR.
 */
int secmmu_engine_attach(struct secmmu_engine *engine, struct secmmu_mirror *mirror,
			 unsigned int domain)
{
	struct secmmu_mirror *old;
	int err;

	err = stop_engine(engine);
	if (err)
		return err;
	old = engine->spaces.mirror;
	secmmu_mirror_get(mirror);
	err = secmmu_spaces_attach(&engine->spaces, mirror, domain);
	resume_engine(engine);
	/* Until the freeze, mode changes still reach this engine like any other loaded one. */
	if (!err && !engine->job)
		secmmu_freeze_tag_bits(mirror);
	put_mirror(err ? mirror : old);
	return err;
}

/**
 * secmmu_engine_detach - let an engine leave its mirror
 * @engine: the engine
 *
 * Context: may sleep; no locks. Waits until the engine is idle.
 * Return: 0; -EINTR.
 */
int secmmu_engine_detach(struct secmmu_engine *engine)
{
	struct secmmu_mirror *old;
	int err = stop_engine(engine);

	if (err)
		return err;
	old = engine->spaces.mirror;
	secmmu_spaces_detach(&engine->spaces);
	resume_engine(engine);
	put_mirror(old);
	return 0;
}

/**
 * secmmu_engine_enter - let an engine go to another domain of its mirror
 * @engine: the engine
 * @domain: the domain
 *
 * Context: may sleep; no locks. Waits until the engine is idle.
 * Return: 0; -ENXIO if there is no such domain, -EINTR.
 */
int secmmu_engine_enter(struct secmmu_engine *engine, unsigned int domain)
{
	int err;

	if (mutex_lock_interruptible(&engine->lock))
		return -EINTR;
	err = secmmu_spaces_enter(&engine->spaces, domain);
	mutex_unlock(&engine->lock);
	return err;
}
