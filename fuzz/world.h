/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world of a running program: what its operations have made so far, and refer to
 * by number. All threads of the program share it.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <stdint.h>
#include <sys/types.h>

#define PAGE		4096UL
/*
 * All memory that operations map, unmap and touch: at the same place in all
 * processes, so that one of them means something to a mirror of another. Four huge
 * pages.
 */
#define ARENA_START	0x100000000000UL
#define ARENA_PAGES	2048UL
/* Slots say so much of guest physical memory, and some say more. */
#define GUEST_PAGES	4096UL

#define NR_DEVICES	2
#define NR_MIRRORS	4
#define NR_ENGINES	4
#define NR_FILES	2
#define NR_CHILDREN	4
#define NR_THREADS	3

/**
 * struct world - what there is
 * @device: descriptors, or -1; so are the following
 * @mirror: ...
 * @engine: ...
 * @file: files in memory
 * @zero: /dev/zero
 * @child: processes, or 0
 * @thread: thread ids of the program's threads, or 0
 * @self: the process itself
 */
struct world {
	int device[NR_DEVICES];
	int mirror[NR_MIRRORS];
	int engine[NR_ENGINES];
	int file[NR_FILES];
	int zero;
	pid_t child[NR_CHILDREN];
	pid_t thread[NR_THREADS];
	pid_t self;
};

static inline char *arena_page(uint64_t page)
{
	return (char *)(ARENA_START + page * PAGE);
}

void world_init(struct world *world);
void world_end_children(struct world *world);

#endif /* FUZZ_WORLD_H */
