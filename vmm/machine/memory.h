/* SPDX-License-Identifier: GPL-2.0 */
/* Guest memory: its slots, the one accessor, and ways of losing it. */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "hypercall.h"

/* Slot 0 is the fixed region; the arena's slots follow. */
#define MEMORY_FIXED_SLOT	0
#define MEMORY_ARENA_SLOT	1
#define MEMORY_SLOTS		(MEMORY_ARENA_SLOT + ARENA_SLOTS)

#define MEMORY_MIN		(16ull << 20)
#define MEMORY_MAX		(8ull << 30)
/* With more, gpas reach 3 GiB, and memory stays sparse: none of its pages is huge by itself. */
#define MEMORY_LOW		(2ull << 30)

/* Users of scratch addresses, and what each has of them. */
#define MEMORY_SCRATCHES	4
#define MEMORY_SCRATCH_SIZE	(2ull << 20)

enum memory_backing {
	MEMORY_ANON,	/* MAP_PRIVATE | MAP_ANONYMOUS */
	MEMORY_MEMFD,	/* MAP_SHARED of one memfd, or of another file */
	MEMORY_BACKINGS,
};

/**
 * struct memory_slot - one contiguous range of guest memory
 * @gpa: first guest physical address
 * @length: bytes
 * @offset: offset in the memfd
 * @hva: first host address
 */
struct memory_slot {
	uint64_t gpa;
	uint64_t length;
	uint64_t offset;
	char *hva;
};

/**
 * struct memory - all of a guest's memory
 * @backing: what is behind it
 * @fd: the memfd, or -1
 * @hull: the reserved host range all slots lie in
 * @hull_length: its bytes
 * @scratch: host addresses behind the hull that are reserved for memory_scratch()
 * @pages: pages of the arena
 * @arena: where these pages are
 * @slots: the slots
 */
struct memory {
	enum memory_backing backing;
	int fd;
	char *hull;
	size_t hull_length;
	char *scratch;
	uint32_t pages;
	struct arena_slot arena[ARENA_SLOTS];
	struct memory_slot slots[MEMORY_SLOTS];
};

void memory_create(struct memory *memory, uint64_t size,
		   enum memory_backing backing, const char *path);
void memory_destroy(struct memory *memory);
char *memory_scratch(const struct memory *memory, uint32_t user);
void *memory_range(const struct memory *memory, uint64_t gpa, uint64_t length);

uint32_t memory_slot_of(const struct memory *memory, uint32_t page);
off_t memory_offset(const struct memory *memory, uint64_t gpa);
uint32_t memory_pages_from(const struct memory *memory, uint32_t page, uint32_t most);

int memory_punch(const struct memory *memory, uint64_t gpa, uint64_t length);
int memory_replace(const struct memory *memory, uint64_t gpa, uint64_t length);
int memory_unmap(const struct memory *memory, uint64_t gpa, uint64_t length);
int memory_remap(const struct memory *memory, uint64_t gpa, uint64_t length);

#endif /* VMM_MEMORY_H */
