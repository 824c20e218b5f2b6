// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on memory: everything that takes pages away, gives them or changes what
 * may be done with them. All stay inside the arena. Failures are fine.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/falloc.h>

#include "act.h"

/* Kinds of memory: values of "kind". */
enum map {
	MAP_KIND_PRIVATE,
	MAP_KIND_SHARED,
	MAP_KIND_FILE,
	MAP_KIND_FILE_PRIVATE,
	MAP_KIND_POPULATED,
	MAP_KIND_HUGETLB,
	MAP_KIND_ZERO,
};

_Static_assert(MAP_KIND_ZERO + 1 == NR_MAPS, "all kinds of memory");

/* The bytes of a range that starts in the arena and does not leave it. */
static size_t range_bytes(uint64_t page, uint64_t pages)
{
	if (page >= ARENA_PAGES)
		return 0;
	if (pages > ARENA_PAGES - page)
		pages = ARENA_PAGES - page;
	return pages * PAGE;
}

/* Where the range starts; the end of the arena if it is not in there. */
static char *range_start(uint64_t page)
{
	return arena_page(page < ARENA_PAGES ? page : ARENA_PAGES);
}

void act_file(struct world *world, const uint64_t *arg)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0)
		return;
	if (ftruncate(fd, range_bytes(0, arg[1])))
		close(fd);
	else
		__atomic_store_n(&world->file[arg[0]], fd, __ATOMIC_RELAXED);
}

void act_map(struct world *world, const uint64_t *arg)
{
	int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, fd = -1;

	switch (arg[2]) {
	case MAP_KIND_SHARED:
		flags = MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS;
		break;
	case MAP_KIND_FILE:
		flags = MAP_FIXED | MAP_SHARED;
		fd = world->file[arg[4]];
		break;
	case MAP_KIND_FILE_PRIVATE:
		flags = MAP_FIXED | MAP_PRIVATE;
		fd = world->file[arg[4]];
		break;
	case MAP_KIND_POPULATED:
		flags |= MAP_POPULATE;
		break;
	case MAP_KIND_HUGETLB:
		flags |= MAP_HUGETLB;
		break;
	case MAP_KIND_ZERO:
		flags = MAP_FIXED | MAP_PRIVATE;
		fd = world->zero;
		break;
	}
	/* Failures leave what was there. */
	if (mmap(range_start(arg[0]), range_bytes(arg[0], arg[1]), arg[3] & 7, flags, fd,
		 fd < 0 ? 0 : (off_t)(arg[0] % 16 * PAGE)) == MAP_FAILED)
		return;
}

void act_unmap(struct world *world, const uint64_t *arg)
{
	(void)world;
	munmap(range_start(arg[0]), range_bytes(arg[0], arg[1]));
}

void act_protect(struct world *world, const uint64_t *arg)
{
	(void)world;
	mprotect(range_start(arg[0]), range_bytes(arg[0], arg[1]), arg[2] & 7);
}

void act_move(struct world *world, const uint64_t *arg)
{
	size_t length = range_bytes(arg[0], arg[1]);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED |
		    (arg[3] ? MREMAP_DONTUNMAP : 0);

	(void)world;
	if (length > range_bytes(arg[2], ARENA_PAGES))
		length = range_bytes(arg[2], ARENA_PAGES);
	if (mremap(range_start(arg[0]), length, length, flags, range_start(arg[2])) ==
	    MAP_FAILED)
		return;
}

void act_advise(struct world *world, const uint64_t *arg)
{
	static const int advice[NR_ADVICE] = {
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_COLLAPSE,
		MADV_PAGEOUT, MADV_COLD, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
		MADV_WILLNEED, MADV_MERGEABLE, MADV_UNMERGEABLE,
		MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK,
		MADV_GUARD_INSTALL, MADV_GUARD_REMOVE,
	};

	(void)world;
	madvise(range_start(arg[0]), range_bytes(arg[0], arg[1]), advice[arg[2] % NR_ADVICE]);
}

void act_touch(struct world *world, const uint64_t *arg)
{
	size_t length = range_bytes(arg[0], arg[1]);

	(void)world;
	if (!arg[2])
		madvise(range_start(arg[0]), length, MADV_POPULATE_READ);
	/* Unlike a store, this cannot kill. */
	else if (read(world->zero, range_start(arg[0]), length) < 0)
		return;
}

void act_lock(struct world *world, const uint64_t *arg)
{
	(void)world;
	if (!arg[2])
		munlock(range_start(arg[0]), range_bytes(arg[0], arg[1]));
	else
		mlock2(range_start(arg[0]), range_bytes(arg[0], arg[1]),
		       arg[2] == 2 ? MLOCK_ONFAULT : 0);
}

void act_truncate(struct world *world, const uint64_t *arg)
{
	if (ftruncate(world->file[arg[0]], range_bytes(0, arg[1])))
		return;
}

void act_punch(struct world *world, const uint64_t *arg)
{
	fallocate(world->file[arg[0]],
		  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  arg[1] * PAGE, range_bytes(arg[1], arg[2]));
}

static void tell_kernel(const char *path, char what)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, &what, 1) < 0)
		what = 0;
	close(fd);
}

/* 1: all pages are old; 4: none is soft-dirty. */
void act_clear_refs(struct world *world, const uint64_t *arg)
{
	(void)world;
	tell_kernel("/proc/self/clear_refs", '0' + arg[0]);
}

/* All memory of the machine is gone through: once will do, however many rounds. */
void act_compact(struct world *world, const uint64_t *arg)
{
	static int done;

	(void)world;
	(void)arg;
	if (!__atomic_exchange_n(&done, 1, __ATOMIC_RELAXED))
		tell_kernel("/proc/sys/vm/compact_memory", '1');
}
