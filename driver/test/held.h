/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The historical flush policy, for comparison: every spte holds a reference to its
 * page, sptes are dropped when an event ends, and an array of K pages keeps the
 * references until the array is full and flushed.
 *
 * It promises less (nothing is gone before the event has ended) and disturbs more
 * (who counts references finds one too many: KSM, collapse, split). Test builds
 * only; in others all of this is nothing.
 */
#ifndef SECMMU_TEST_HELD_H
#define SECMMU_TEST_HELD_H

#include <linux/errno.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

/* Invalidations of a mirror that can batch at the same time; others do not. */
#define SECMMU_HELD_ARRAYS	4

/**
 * struct secmmu_held - one array of pages
 * @next: links unused arrays
 * @nr: pages in @page
 * @page: dropped, but not yet flushed; a reference is held to each
 */
struct secmmu_held {
	struct secmmu_held *next;
	unsigned int nr;
	struct page *page[];
};

/**
 * struct secmmu_holder - the arrays of a mirror
 * @lock: protects @unused; nothing nests inside
 * @unused: arrays not in use
 * @on: the mirror has this policy
 */
struct secmmu_holder {
	spinlock_t lock;
	struct secmmu_held *unused;
	bool on;
};

#ifdef CONFIG_SECMMU_TEST

/* Does any mirror have this policy? */
DECLARE_STATIC_KEY_FALSE(secmmu_holding);

int secmmu_holder_init(struct secmmu_holder *holder, unsigned int batch);
void secmmu_holder_destroy(struct secmmu_holder *holder);
struct secmmu_held *secmmu_held_take(struct secmmu_holder *holder);
void secmmu_held_give(struct secmmu_holder *holder, struct secmmu_held *held);
void secmmu_held_add(struct secmmu_held *held, struct page *page);
void secmmu_held_put(struct secmmu_held *held);

static inline bool secmmu_holds(const struct secmmu_holder *holder)
{
	return holder->on;
}

static inline bool secmmu_any_holds(void)
{
	return static_branch_unlikely(&secmmu_holding);
}

#else

static inline int secmmu_holder_init(struct secmmu_holder *holder,
				     unsigned int batch)
{
	return -EOPNOTSUPP;
}

static inline void secmmu_holder_destroy(struct secmmu_holder *holder)
{
}

static inline struct secmmu_held *secmmu_held_take(struct secmmu_holder *holder)
{
	return NULL;
}

static inline void secmmu_held_give(struct secmmu_holder *holder,
				    struct secmmu_held *held)
{
}

static inline void secmmu_held_add(struct secmmu_held *held, struct page *page)
{
}

static inline void secmmu_held_put(struct secmmu_held *held)
{
}

static inline bool secmmu_holds(const struct secmmu_holder *holder)
{
	return false;
}

static inline bool secmmu_any_holds(void)
{
	return false;
}

#endif

#endif
