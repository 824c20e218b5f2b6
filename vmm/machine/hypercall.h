/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between the guest and its host: ports, memory layout, and
 * what they share in the fixed region; layout_<machine>.h has the rest of that. Compiled
 * into both; no libc.
 */
#ifndef VMM_HYPERCALL_H
#define VMM_HYPERCALL_H

#include <stdint.h>

#define HYPERCALL_ABI		0x53564d32u

/* Ports, real ones or places. The guest writes 32 bits; what it stands for is in the mailbox. */
#define HYPERCALL_HELLO		0x510	/* value: HYPERCALL_ABI */
#define HYPERCALL_TICK		0x514	/* value: low bits of the write count */
#define HYPERCALL_VIOLATION	0x518	/* value: enum stamp_fault */
#define HYPERCALL_DONE		0x51c	/* value: zero; the vCPU has finished */
#define HYPERCALL_EXCEPTION	0x520	/* value: number of the exception */

/* A vCPU ticks once per so many writes; the host may keep it for a moment. */
#define GUEST_TICK_WRITES	64

#define GUEST_PAGE_SHIFT	12
#define GUEST_PAGE_SIZE		(1u << GUEST_PAGE_SHIFT)
#define GUEST_PAGE_WORDS	(GUEST_PAGE_SIZE / 8)

/*
 * The fixed region: never discarded, and read-only to the engines. Page 0
 * stays empty so that a stray null pointer meets nothing of value.
 */
#define GUEST_FIXED_GPA		0x0ul
#define GUEST_TABLES_GPA	0x1000ul	/* up to the mailbox */
/* Page tables of 512 entries each, the topmost first; leaves map 2 MiB. */
#define GUEST_TABLE0_GPA	0x2000ul
#define GUEST_TABLE1_GPA	0x3000ul
#define GUEST_TABLE2_GPA	0x4000ul	/* one page per GiB mapped */
#define GUEST_MAPPED_GIB	9
#define GUEST_NOWHERE		((uint64_t)GUEST_MAPPED_GIB << 30)
#define GUEST_MAILBOX_GPA	0x10000ul
#define GUEST_MAILBOX_SIZE	0x10000ul
#define GUEST_STACK_GPA		0x20000ul	/* one stack per vCPU */
#define GUEST_STACK_SIZE	0x4000ul
#define GUEST_IMAGE_GPA		0x100000ul
#define GUEST_IMAGE_SIZE	0x100000ul
#define GUEST_STATES_GPA	0x200000ul	/* struct page_state per page */

/*
 * The arena: stamped pages, in several slots with gaps of gpa between. It begins there, or
 * behind the fixed region.
 */
#define GUEST_ARENA_GPA		0x1000000ul

#define MAX_VCPUS		8
#define MAX_ENGINES		8
/* The inspector, and discarders. */
#define MAX_DISCARDERS		4
#define MAX_READERS		(1 + MAX_DISCARDERS)
#define MAX_OWNERS		(MAX_VCPUS + MAX_ENGINES)
#define MAX_PARTICIPANTS	(MAX_OWNERS + MAX_READERS)
#define ARENA_SLOTS		3

/**
 * struct page_state - what everyone agrees about one arena page
 * @latch: epoch << 1 | closed; written by discarders only
 * @seq: odd while the page is being written or discarded
 * @stamped: epoch of the last complete stamp, zero if the page is all zeroes
 * @reserved: zero
 *
 * @seq and @stamped belong to the page's owner while the latch is open, and to
 * the discarder that closed it afterwards. See latch.h for the protocol.
 */
struct page_state {
	uint32_t latch;
	uint32_t seq;
	uint32_t stamped;
	uint32_t reserved;
};

#define LATCH_CLOSED		1u

/**
 * struct participant - someone whose direct accesses a discarder waits for
 * @busy: page number + 1 while an access is under way, else zero
 * @reserved: fills the cache line, so that participants do not share one
 */
struct participant {
	uint32_t busy;
	uint32_t reserved[15];
};

/**
 * struct arena_slot - one contiguous piece of the arena
 * @gpa: first guest physical address
 * @first: number of its first page
 * @pages: number of pages
 */
struct arena_slot {
	uint64_t gpa;
	uint32_t first;
	uint32_t pages;
};

/**
 * struct stamp_finding - the facts of one violation
 * @fault: enum stamp_fault
 * @page: page that was read
 * @oldest: oldest epoch allowed
 * @newest: newest epoch allowed
 * @epoch: epoch seen (where one was)
 * @seq: sequence number expected (where it was exact)
 * @seen_seq: sequence number seen
 * @word: index of the offending word in the page
 * @value: that word
 */
struct stamp_finding {
	uint32_t fault;
	uint32_t page;
	uint32_t oldest;
	uint32_t newest;
	uint32_t epoch;
	uint32_t seq;
	uint32_t seen_seq;
	uint32_t word;
	uint64_t value;
};

/* What a guest can be told to do wrong, so that one sees it noticed. */
enum guest_mistake {
	MISTAKE_NONE,
	MISTAKE_INSTRUCTION,	/* an instruction that does not exist */
	MISTAKE_ADDRESS,	/* an address that is not mapped */
	MISTAKE_MOMENTARY,	/* the same, but mapped when it tries again */
	/* From here on only where vm_arch_shuts_down(). */
	MISTAKE_SHUTDOWN,	/* an exception, and no table of handlers */
	MISTAKE_TABLES,		/* page tables overwritten */
	MISTAKES,
};

#define GUEST_PAGING_LEVELS	3

/**
 * struct guest_exception - the facts of one exception
 * @vector: its number; on arm64 its class
 * @error: its error code; on arm64 its syndrome
 * @pc: the instruction
 * @address: what that accessed, if it is a page fault; else an older one
 * @entries: what the guest's own page tables say of @address, topmost first
 */
struct guest_exception {
	uint32_t vector;
	uint32_t error;
	uint64_t pc;
	uint64_t address;
	uint64_t entries[GUEST_PAGING_LEVELS];
};

/**
 * struct vcpu_box - written by one vCPU, read by the host
 * @writes: stamps written
 * @reads: pages read and judged
 * @closed: writes given up because the page was closed
 * @finding: facts of the last violation, valid at HYPERCALL_VIOLATION
 * @exception: facts of the last exception, valid at HYPERCALL_EXCEPTION
 * @reserved: keeps vCPUs in cache lines of their own
 */
struct vcpu_box {
	uint64_t writes;
	uint64_t reads;
	uint64_t closed;
	struct stamp_finding finding;
	struct guest_exception exception;
	uint64_t reserved[2];
};

/**
 * struct mailbox - the control page at GUEST_MAILBOX_GPA
 * @abi: HYPERCALL_ABI
 * @stop: host -> guest: finish
 * @hot: host -> guest: first page of the window most accesses go to
 * @hot_pages: size of that window
 * @pages: arena pages
 * @owners: page p belongs to owner p % @owners; vCPUs come first
 * @slots: where the arena's pages are
 * @seed: seed of the guest's random numbers
 * @mistake: enum guest_mistake, which the first vCPU makes once
 * @reserved: zero
 * @participants: owners, then readers
 * @vcpus: one box per vCPU
 * @question: host -> guest: number of a page + 1 that a vCPU is to look at, else zero
 * @answered: guest -> host: the question that @answer answers
 * @answer: what the vCPU has seen there
 */
struct mailbox {
	uint32_t abi;
	uint32_t stop;
	uint32_t hot;
	uint32_t hot_pages;
	uint32_t pages;
	uint32_t owners;
	uint64_t seed;
	uint32_t mistake;
	uint32_t reserved;
	struct arena_slot slots[ARENA_SLOTS];
	struct participant participants[MAX_PARTICIPANTS]
		__attribute__((aligned(64)));
	struct vcpu_box vcpus[MAX_VCPUS] __attribute__((aligned(64)));
	uint32_t question __attribute__((aligned(64)));
	uint32_t answered;
	uint64_t answer[GUEST_PAGE_WORDS];
};

_Static_assert(sizeof(struct page_state) == 16, "shared layout");
_Static_assert(sizeof(struct participant) == 64, "shared layout");
_Static_assert(sizeof(struct vcpu_box) == 128, "shared layout");
_Static_assert(sizeof(struct mailbox) <= GUEST_MAILBOX_SIZE, "shared layout");
_Static_assert(GUEST_TABLE2_GPA + GUEST_MAPPED_GIB * 0x1000 <= GUEST_MAILBOX_GPA,
	       "tables run into the mailbox");
_Static_assert(GUEST_STACK_GPA + MAX_VCPUS * GUEST_STACK_SIZE <=
	       GUEST_IMAGE_GPA, "stacks run into the image");

/* The gpa of an arena page; zero for a page that does not exist. */
static inline uint64_t arena_gpa(const struct arena_slot *slots, uint32_t page)
{
	for (int i = 0; i < ARENA_SLOTS; i++)
		if (page - slots[i].first < slots[i].pages)
			return slots[i].gpa + ((uint64_t)(page - slots[i].first)
					       << GUEST_PAGE_SHIFT);
	return 0;
}

#endif /* VMM_HYPERCALL_H */
