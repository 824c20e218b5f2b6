// SPDX-License-Identifier: GPL-2.0
#include <linux/highmem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "engine.h"
#include "fault.h"
#include "job.h"
#include "test/gate.h"
#include "test/inject.h"
#include "test/mutant.h"

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
 * The processors see this memory too: aligned words are copied whole, as a device
 * would, where memcpy() may go byte by byte. Both sides are aligned alike.
 */
static void copy(void *to, const void *from, unsigned int len)
{
	if (len == sizeof(u64) && IS_ALIGNED((unsigned long)to, sizeof(u64)))
		copy_word(to, from, 0);
	else
		copy_many(to, from, len);
}

static u64 translate(struct secmmu_engine *engine,
		     const struct secmmu_window *window, gfn_t gfn, bool write)
{
	struct secmmu_space *space = engine->spaces.current_space;
	struct secmmu_tlb *tlb = &engine->spaces.tlb;
	u64 spte;

	if (secmmu_mutant(WINDOW_TWO_PAGES) && !write && (gfn & 1)) {
		spte = secmmu_tlb_translate(tlb, space->asid, space->pt, window,
					    gfn - 1, false);
		if (spte)
			return spte_small(spte, 1);
	}
	return secmmu_tlb_translate(tlb, space->asid, space->pt, window, gfn, write);
}

/**
 * secmmu_engine_rights - the register of rights of an engine
 * @engine: the engine
 *
 * Return: the word, to be read and written at once.
 */
u32 *secmmu_engine_rights(struct secmmu_engine *engine)
{
	static u32 shared;

	return secmmu_mutant(RIGHTS_SHARED) ? &shared : &engine->rights;
}

/*
 * Move one piece inside one window. Returns -EAGAIN if a fault of *@gfn must come
 * first, or -ENXIO, -EACCES.
 */
static int cross(struct secmmu_engine *engine, u64 gpa, unsigned int len,
		 bool write, gfn_t *gfn)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;
	unsigned int offset = offset_in_page(gpa);
	struct secmmu_window window;
	int err = -ENXIO;
	char *page;
	u32 rights;
	u64 spte;

	secmmu_window_open(&mirror->tlbs, &window);
	*gfn = secmmu_space_untag(&engine->spaces, &window, gpa) >> PAGE_SHIFT;
	if (*gfn > SECMMU_GFN_LAST)
		goto close;
	err = -EAGAIN;
	spte = translate(engine, &window, *gfn, write);
	if (!spte)
		goto close;
	err = -EACCES;
	rights = READ_ONCE(*secmmu_engine_rights(engine));
	if (secmmu_key_denies(rights, spte_key(spte), write) &&
	    !secmmu_mutant(RIGHTS_AT_FAULT))
		goto close;
	err = 0;
	secmmu_gate_spin(WINDOW_TRANSLATED, (u64)*gfn << PAGE_SHIFT);
	page = kmap_local_pfn(spte_pfn(spte));
	if (write)
		copy(page + offset, engine->bounce + offset, len);
	else
		copy(engine->bounce + offset, page + offset, len);
	kunmap_local(page);
	secmmu_count(mirror->counters, write ? SECMMU_COUNT_WRITES :
					       SECMMU_COUNT_READS, 1);
close:
	secmmu_window_close(&mirror->tlbs, &window);
	return err;
}

/* The domain does not show the page. */
static int leave(struct secmmu_engine *engine)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;

	if (!(engine->flags & SECMMU_ENGINE_LEAVE_DOMAIN))
		return -EACCES;
	secmmu_count(mirror->counters, SECMMU_COUNT_LEFT, 1);
	return secmmu_spaces_enter(&engine->spaces, 0);
}

/* Fault the page in, and a few that will be wanted next, up to @end bytes from it. */
static int fault_in(struct secmmu_engine *engine, gfn_t gfn, u64 end, bool write)
{
	u64 pages = DIV_ROUND_UP_ULL(max(end, 1ULL), PAGE_SIZE);
	struct secmmu_access access = {
		.domain = engine->spaces.current_space->domain,
		.rights = READ_ONCE(*secmmu_engine_rights(engine)),
	};
	int ret;

	if (write)
		access.flags |= SECMMU_FAULT_WRITE;
	if (engine->flags & SECMMU_ENGINE_FAULT_AROUND)
		access.flags |= SECMMU_FAULT_AROUND;
	if (engine->flags & SECMMU_ENGINE_NOFAULT)
		access.flags |= SECMMU_FAULT_NOFAULT;
	ret = secmmu_fault(engine->spaces.mirror, gfn, pages, &access);
	if (ret == -EXDEV)
		return leave(engine);
	return min(ret, 0);
}

/* Kept out of the way of those that need no fault. */
static noinline int cross_after_fault(struct secmmu_engine *engine, u64 gpa,
				      unsigned int len, u64 left, bool write,
				      gfn_t gfn)
{
	int err;

	do {
		err = fault_in(engine, gfn, offset_in_page(gpa) + left, write);
		if (err)
			return err;
		/* An event may drop the entry before the window opens. */
		err = cross(engine, gpa, len, write, &gfn);
	} while (err == -EAGAIN && !signal_pending(current));
	return err == -EAGAIN ? -EINTR : err;
}

/**
 * secmmu_engine_move - move one piece between memory and the bounce buffer
 * @engine: the engine, locked
 * @gpa: where, with a tag or without
 * @len: bytes, all in one page; none: only translate
 * @left: bytes that the transfer will move yet, these included
 * @write: to memory
 *
 * Context: may sleep.
 * Return: 0, or as secmmu_fault(); -ENXIO also if no mirror is attached.
 */
int secmmu_engine_move(struct secmmu_engine *engine, u64 gpa, unsigned int len,
		       u64 left, bool write)
{
	gfn_t gfn;
	int err;

	if (!engine->spaces.mirror)
		return -ENXIO;
	err = cross(engine, gpa, len, write, &gfn);
	if (likely(err != -EAGAIN))
		return err;
	return cross_after_fault(engine, gpa, len, left, write, gfn);
}

/* One piece. Returns the bytes done, which are fewer only on an error. */
static size_t piece(struct secmmu_engine *engine, u64 gpa, struct iov_iter *iter,
		    bool write, int *err)
{
	size_t left = iov_iter_count(iter);
	size_t len = min_t(size_t, left, PAGE_SIZE - offset_in_page(gpa));
	void *bounce = engine->bounce + offset_in_page(gpa);
	size_t done;

	*err = 0;
	if (write) {
		len = secmmu_may_fault(copy_from_iter(bounce, len, iter), 0);
		if (!len) {
			*err = -EFAULT;
			return 0;
		}
		*err = secmmu_engine_move(engine, gpa, len, left, true);
		if (*err)
			iov_iter_revert(iter, len);
		return *err ? 0 : len;
	}

	*err = secmmu_engine_move(engine, gpa, len, left, false);
	if (*err)
		return 0;
	done = secmmu_may_fault(copy_to_iter(bounce, len, iter), 0);
	if (done < len)
		*err = -EFAULT;
	return done;
}

/**
 * secmmu_engine_transfer - read or write memory
 * @engine: the engine
 * @gpa: where, with a tag or without
 * @iter: the data
 * @write: to memory
 *
 * Context: may sleep; no locks.
 * Return: bytes done, or if there are none, what prevented it.
 */
ssize_t secmmu_engine_transfer(struct secmmu_engine *engine, u64 gpa,
			       struct iov_iter *iter, bool write)
{
	ssize_t done = 0;
	int err = 0;

	if (mutex_lock_interruptible(&engine->lock))
		return -EINTR;
	while (!err && iov_iter_count(iter)) {
		done += piece(engine, gpa + done, iter, write, &err);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	mutex_unlock(&engine->lock);
	return done ?: err;
}

/* Test builds: the oracle sees what the engine has in its TLB. */
static void watch(struct secmmu_engine *engine)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;

	if (mirror)
		secmmu_oracle_watch(&mirror->oracle, &engine->watched, &engine->lock,
				    &engine->spaces);
}

static void unwatch(struct secmmu_engine *engine)
{
	struct secmmu_mirror *mirror = engine->spaces.mirror;

	if (mirror)
		secmmu_oracle_unwatch(&mirror->oracle, &engine->watched);
}

/**
 * secmmu_engine_create - make an engine that is attached to a mirror
 * @mirror: the mirror
 * @flags: SECMMU_ENGINE_*, checked
 *
 * Context: may sleep; no locks.
 * Return: the engine, or NULL if there is no memory.
 */
struct secmmu_engine *secmmu_engine_create(struct secmmu_mirror *mirror, u32 flags)
{
	struct secmmu_engine *engine;

	engine = secmmu_may_fail(kvzalloc(sizeof(*engine), GFP_KERNEL_ACCOUNT), NULL);
	if (!engine)
		return NULL;
	engine->bounce =
		(void *)secmmu_may_fail(__get_free_page(GFP_KERNEL_ACCOUNT), 0);
	if (!engine->bounce)
		goto free_engine;
	if (flags & SECMMU_ENGINE_BACKGROUND) {
		engine->job = secmmu_job_create(engine);
		if (!engine->job)
			goto free_bounce;
	}
	mutex_init(&engine->config);
	mutex_init(&engine->lock);
	engine->flags = flags;
	secmmu_spaces_init(&engine->spaces);
	secmmu_mirror_get(mirror);
	secmmu_spaces_attach(&engine->spaces, mirror, 0);
	watch(engine);
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

/**
 * secmmu_engine_free - free an engine
 * @engine: the engine; nobody uses it
 *
 * Context: may sleep; no locks.
 */
void secmmu_engine_free(struct secmmu_engine *engine)
{
	unwatch(engine);
	put_mirror(engine->spaces.mirror);
	secmmu_spaces_destroy(&engine->spaces);
	secmmu_job_free(engine->job);
	free_page((unsigned long)engine->bounce);
	mutex_destroy(&engine->lock);
	mutex_destroy(&engine->config);
	kvfree(engine);
}

/* Make the engine stand still. */
static int stop(struct secmmu_engine *engine)
{
	if (mutex_lock_interruptible(&engine->config))
		return -EINTR;
	unwatch(engine);
	if (!mutex_lock_interruptible(&engine->lock))
		return 0;
	watch(engine);
	mutex_unlock(&engine->config);
	return -EINTR;
}

static void go_on(struct secmmu_engine *engine)
{
	mutex_unlock(&engine->lock);
	watch(engine);
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

	err = stop(engine);
	if (err)
		return err;
	old = engine->spaces.mirror;
	secmmu_mirror_get(mirror);
	err = secmmu_spaces_attach(&engine->spaces, mirror, domain);
	go_on(engine);
	/* Until then a change of the mode reaches it as any that is loaded. */
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
	int err = stop(engine);

	if (err)
		return err;
	old = engine->spaces.mirror;
	secmmu_spaces_detach(&engine->spaces);
	go_on(engine);
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
