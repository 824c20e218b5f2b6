// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "memory.h"
#include "message.h"

#define HUGE_SIZE	(2ull << 20)

/* Arena slots are this far apart in gpa, on purpose no power of two. */
#define ARENA_GAP	(33ull * GUEST_PAGE_SIZE)

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) / unit * unit;
}

static uint64_t fixed_length(uint64_t pages)
{
	return round_up(GUEST_STATES_GPA + pages * sizeof(struct page_state),
			HUGE_SIZE);
}

/* Half of the arena, a quarter, and the rest. */
static void lay_out(struct memory *memory, uint64_t size)
{
	uint64_t fixed = fixed_length(size / GUEST_PAGE_SIZE), offset, first = 0;
	uint64_t gpa = GUEST_FIXED_GPA + fixed;

	if (gpa < GUEST_ARENA_GPA)
		gpa = GUEST_ARENA_GPA;
	memory->pages = (size - fixed) / GUEST_PAGE_SIZE;
	memory->slots[MEMORY_FIXED_SLOT] = (struct memory_slot) {
		.gpa = GUEST_FIXED_GPA,
		.length = fixed,
	};
	offset = fixed;
	for (int i = 0; i < ARENA_SLOTS; i++) {
		uint64_t pages = i ? memory->pages / 4 : memory->pages / 2;

		if (i == ARENA_SLOTS - 1)
			pages = memory->pages - first;
		memory->arena[i] = (struct arena_slot) {
			.gpa = gpa,
			.first = first,
			.pages = pages,
		};
		memory->slots[MEMORY_ARENA_SLOT + i] = (struct memory_slot) {
			.gpa = gpa,
			.length = pages * GUEST_PAGE_SIZE,
			.offset = offset,
		};
		first += pages;
		offset += pages * GUEST_PAGE_SIZE;
		gpa += pages * GUEST_PAGE_SIZE + ARENA_GAP;
	}
}

static void *map_at(const struct memory *memory, char *hva, uint64_t offset,
		    uint64_t length, int fixed)
{
	int prot = PROT_READ | PROT_WRITE;

	if (memory->backing == MEMORY_MEMFD)
		return mmap(hva, length, prot, MAP_SHARED | fixed, memory->fd,
			    (off_t)offset);
	return mmap(hva, length, prot,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
}

/*
 * One slot has no huge pages, the others do where there are some: both ways of splitting and
 * freeing are wanted. Of those, only the arena's first one begins at a gpa where a secondary MMU
 * can have large entries, too. Fails where the kernel has none.
 */
static void advise_huge(const struct memory *memory, const struct memory_slot *slot,
			char *hva, uint64_t length)
{
	bool never = slot == &memory->slots[MEMORY_ARENA_SLOT + 1] ||
		     memory->pages * (uint64_t)GUEST_PAGE_SIZE > MEMORY_LOW;

	madvise(hva, length, never ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
}

/* One more than there are users, to be aligned. */
static const size_t scratch_length = (MEMORY_SCRATCHES + 1) * MEMORY_SCRATCH_SIZE;

static char *reserve(size_t length)
{
	char *range = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			   -1, 0);

	if (range == MAP_FAILED)
		die("cannot reserve %zu bytes: %s", length, strerror(errno));
	return range;
}

/* It has no name as soon as it is open. Returns a descriptor, or -1. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		unlink(path);
	return fd;
}

/**
 * memory_create - reserve and map guest memory
 * @memory: filled in
 * @size: bytes, MEMORY_MIN .. MEMORY_MAX
 * @backing: what to put behind it
 * @path: a file to be made, instead of a memfd; or NULL
 *
 * The slots lie in the host's range in reverse order, with a hole before each,
 * so that no two are adjacent in both address spaces.
 */
void memory_create(struct memory *memory, uint64_t size,
		   enum memory_backing backing, const char *path)
{
	char *hva;

	*memory = (struct memory) { .backing = backing, .fd = -1 };
	lay_out(memory, size);
	memory->hull_length = size + 2 * MEMORY_SLOTS * HUGE_SIZE;
	memory->hull = reserve(memory->hull_length);
	if (backing == MEMORY_MEMFD) {
		memory->fd = path ? make_file(path) : memfd_create("secmmu-vmm", MFD_CLOEXEC);
		if (memory->fd < 0 || ftruncate(memory->fd, (off_t)size))
			die("cannot make %s: %s", path ?: "a memfd", strerror(errno));
	}
	hva = memory->hull;
	for (int i = MEMORY_SLOTS - 1; i >= 0; i--) {
		struct memory_slot *slot = &memory->slots[i];

		hva = (char *)round_up((uintptr_t)hva + 1, HUGE_SIZE);
		slot->hva = map_at(memory, hva, slot->offset, slot->length,
				   MAP_FIXED);
		if (slot->hva == MAP_FAILED)
			die("cannot map guest memory: %s", strerror(errno));
		advise_huge(memory, slot, slot->hva, slot->length);
		hva += slot->length;
	}
	memory->scratch = reserve(scratch_length);
}

/**
 * memory_scratch - find addresses that nothing else uses
 * @memory: the guest's memory
 * @user: 0 .. MEMORY_SCRATCHES - 1
 *
 * Return: first of %MEMORY_SCRATCH_SIZE reserved bytes, aligned to that.
 */
char *memory_scratch(const struct memory *memory, uint32_t user)
{
	return (char *)round_up((uintptr_t)memory->scratch, MEMORY_SCRATCH_SIZE) +
	       user * MEMORY_SCRATCH_SIZE;
}

/**
 * memory_destroy - unmap all of it
 * @memory: what memory_create() filled in; may be all zeroes
 */
void memory_destroy(struct memory *memory)
{
	munmap(memory->hull, memory->hull_length);
	munmap(memory->scratch, scratch_length);
	if (memory->fd >= 0)
		close(memory->fd);
}

static const struct memory_slot *find_slot(const struct memory *memory,
					   uint64_t gpa, uint64_t length)
{
	for (int i = 0; i < MEMORY_SLOTS; i++) {
		const struct memory_slot *slot = &memory->slots[i];

		if (gpa >= slot->gpa && gpa - slot->gpa < slot->length &&
		    length && length <= slot->length - (gpa - slot->gpa))
			return slot;
	}
	return NULL;
}

/**
 * memory_range - the one way from a guest address to a host pointer
 * @memory: the guest's memory
 * @gpa: guest physical address, from anywhere
 * @length: bytes that will be touched
 *
 * In the arena the caller also holds off discarders, by a closed or an entered
 * latch: memory may be unmapped there.
 *
 * Return: host address of @length bytes, NULL unless all lie in one slot.
 */
void *memory_range(const struct memory *memory, uint64_t gpa, uint64_t length)
{
	const struct memory_slot *slot = find_slot(memory, gpa, length);

	return slot ? slot->hva + (gpa - slot->gpa) : NULL;
}

/**
 * memory_slot_of - find the slot of an arena page
 * @memory: the guest's memory
 * @page: number of the page
 *
 * Return: index of the slot.
 */
uint32_t memory_slot_of(const struct memory *memory, uint32_t page)
{
	for (uint32_t i = 0; i < ARENA_SLOTS; i++)
		if (page - memory->arena[i].first < memory->arena[i].pages)
			return MEMORY_ARENA_SLOT + i;
	return MEMORY_FIXED_SLOT;
}

/**
 * memory_pages_from - count the pages of one slot from a page on
 * @memory: the guest's memory
 * @page: number of a page in the arena
 * @most: enough
 *
 * Return: their number, at most @most.
 */
uint32_t memory_pages_from(const struct memory *memory, uint32_t page, uint32_t most)
{
	const struct arena_slot *slot =
		&memory->arena[memory_slot_of(memory, page) - MEMORY_ARENA_SLOT];
	uint32_t left = slot->first + slot->pages - page;

	return left < most ? left : most;
}

/**
 * memory_offset - find a page in the memfd
 * @memory: the guest's memory, backed by a memfd
 * @gpa: guest physical address of a page that there is
 *
 * Return: its offset.
 */
off_t memory_offset(const struct memory *memory, uint64_t gpa)
{
	const struct memory_slot *slot = find_slot(memory, gpa, GUEST_PAGE_SIZE);

	return slot ? (off_t)(slot->offset + (gpa - slot->gpa)) : 0;
}

/**
 * memory_punch - punch a hole into the memfd
 * @memory: the guest's memory, backed by a memfd
 * @gpa: page aligned
 * @length: page aligned
 *
 * Return: 0, or a negative errno.
 */
int memory_punch(const struct memory *memory, uint64_t gpa, uint64_t length)
{
	const struct memory_slot *slot = find_slot(memory, gpa, length);

	if (!slot || memory->fd < 0)
		return -ENXIO;
	return fallocate(memory->fd,
			 FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (off_t)(slot->offset + (gpa - slot->gpa)),
			 (off_t)length) ? -errno : 0;
}

static int map_again(const struct memory *memory, uint64_t gpa,
		     uint64_t length, int fixed)
{
	const struct memory_slot *slot = find_slot(memory, gpa, length);
	char *hva, *got;

	if (!slot)
		return -ENXIO;
	hva = slot->hva + (gpa - slot->gpa);
	got = map_at(memory, hva, slot->offset + (gpa - slot->gpa), length,
		     fixed);
	if (got == MAP_FAILED)
		return -errno;
	if (got != hva) {
		/* A kernel before MAP_FIXED_NOREPLACE took it as a hint. */
		munmap(got, length);
		return -EEXIST;
	}
	advise_huge(memory, slot, hva, length);
	return 0;
}

/**
 * memory_replace - mmap(MAP_FIXED) over what is there, leaving no gap
 * @memory: the guest's memory
 * @gpa: page aligned
 * @length: page aligned
 *
 * Discards anonymous memory; a memfd's content survives.
 *
 * Return: 0, or a negative errno.
 */
int memory_replace(const struct memory *memory, uint64_t gpa, uint64_t length)
{
	return map_again(memory, gpa, length, MAP_FIXED);
}

/**
 * memory_unmap - munmap(), to be followed by memory_remap()
 * @memory: the guest's memory
 * @gpa: page aligned
 * @length: page aligned
 *
 * Return: 0, or a negative errno.
 */
int memory_unmap(const struct memory *memory, uint64_t gpa, uint64_t length)
{
	char *hva = memory_range(memory, gpa, length);

	if (!hva)
		return -ENXIO;
	return munmap(hva, length) ? -errno : 0;
}

/**
 * memory_remap - map again what memory_unmap() unmapped
 * @memory: the guest's memory
 * @gpa: as for memory_unmap()
 * @length: as for memory_unmap()
 *
 * Fails rather than replace what somebody else mapped into the gap.
 *
 * Return: 0, or a negative errno.
 */
int memory_remap(const struct memory *memory, uint64_t gpa, uint64_t length)
{
	return map_again(memory, gpa, length, MAP_FIXED_NOREPLACE);
}
