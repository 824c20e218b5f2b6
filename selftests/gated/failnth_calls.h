/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that the failnth test lets fail, and what must hold after each. Nothing
 * here knows the harness.
 */
#ifndef FAILNTH_CALLS_H
#define FAILNTH_CALLS_H

#include <sys/types.h>

#include <linux/types.h>

/* What a call works on. */
struct world {
	int dev, mirror, engine;
	int made;
	pid_t child;
	char *mem;	/* page i starts with label(i, 1); slot 0, with a log */
	char *map, *huge;	/* slot 1, when wanted */
	char *buf;
	__u64 log;
};

/**
 * struct op - a call
 * @prepare: before it, if anything
 * @call: the call; without a failure it returns @full
 * @check: is all as the result says?
 * @full: pages transferred, or zero
 * @allocations: number of allocations that a test build can make fail, one by one
 * @copies: number of copies from and to user space, likewise
 * @least: the kernel finds this many allocations at least
 */
struct op {
	int (*prepare)(struct world *w);
	long (*call)(struct world *w);
	int (*check)(struct world *w, long ret);
	long full;
	unsigned int allocations, copies, least;
};

#define FOR_EACH_OP(X)  \
	X(open) X(info) X(first_mirror) X(mirror) \
	X(mirror_of_another) X(engine) X(slot_add) X(slot_replace) \
	X(slot_delete) X(read) X(read_huge) X(write) X(prefault) \
	X(dirty_log) X(stats) X(discard) X(split) X(domain) \
	X(background) X(start_job) X(attach) X(key) X(close)

#define OP_NUMBER(name)	OP_##name,

enum { FOR_EACH_OP(OP_NUMBER) NR_OPS };

extern const struct op ops[NR_OPS];

/* A mirror of its own for one call of @op, on w->dev; zero, or something is wrong. */
int world_make(struct world *w, const struct op *op);
void world_end(struct world *w);

#endif /* FAILNTH_CALLS_H */
