/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations: what a program is made of. Each is one call or a few, has a name, and
 * takes small numbers: of things in the world, of pages, of variants.
 */
#ifndef FUZZ_OP_H
#define FUZZ_OP_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_ARGS	9

struct world;

/* What a number stands for, and with that how to choose one. */
enum meaning {
	MEANS_CHOICE,		/* one of a few variants */
	MEANS_SELDOM,		/* ... mostly the first */
	MEANS_BITS,		/* flags */
	MEANS_DEVICE,		/* things in the world */
	MEANS_MIRROR,
	MEANS_ENGINE,
	MEANS_FILE,
	MEANS_CHILD,
	MEANS_PAGE,		/* a page of the arena */
	MEANS_GPAGE,		/* a page of the guest */
	MEANS_PAGES,		/* how many */
	MEANS_SLOT,		/* a slot's id */
	MEANS_BYTE,		/* an offset in a page */
	MEANS_BYTES,		/* how many */
	MEANS_TWIST,		/* how to spoil the argument of an ioctl */
};

/**
 * struct arg - an argument of an operation
 * @name: in text; NULL ends the list
 * @means: what it stands for
 * @bound: it is below this, if that makes sense
 * @makes: the operation puts a new thing there, rather than using one
 */
struct arg {
	const char *name;
	enum meaning means;
	uint32_t bound;
	bool makes;
};

/**
 * struct op_kind - a kind of operation
 * @name: in text
 * @weight: how often it is chosen, compared with others
 * @act: does it; failures are not its business
 * @arg: what it takes
 */
struct op_kind {
	const char *name;
	unsigned int weight;
	void (*act)(struct world *world, const uint64_t *arg);
	struct arg arg[MAX_ARGS + 1];
};

extern const struct op_kind op_kinds[];
extern const unsigned int nr_op_kinds;

int op_find(const char *name, unsigned int length);
unsigned int op_args(unsigned int kind);

#endif /* FUZZ_OP_H */
