// SPDX-License-Identifier: GPL-2.0
/* Operations that are ioctls of the driver. */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/secmmu.h>
#include <linux/secmmu_test.h>

#include "act.h"

/* How a structure is spoilt before a call: values of "twist". */
enum twist {
	TWIST_NONE,
	TWIST_EMPTY,			/* @size is 0 */
	TWIST_SHORT,			/* ... 4 too small */
	TWIST_LONG,			/* ... 8 too large, zeros there */
	TWIST_TAIL,			/* ... and something else there */
	TWIST_PAGE,			/* ... a page, all that is allowed */
	TWIST_HUGE,			/* ... more */
	TWIST_NULL,			/* no structure */
	TWIST_ARENA,			/* it lies where memory comes and goes */
	TWIST_EDGE,			/* ... across the end of it */
	TWIST_WORD,			/* this 32-bit word of it, and so on, is odd */
};

_Static_assert(TWIST_WORD < NR_TWISTS, "there are more twists");

/* Put it there, if there is memory. */
static void *into_arena(void *at, const void *from, size_t size)
{
	struct iovec local = { .iov_base = (void *)from, .iov_len = size };
	struct iovec remote = { .iov_base = at, .iov_len = size };

	/* What cannot be written is for the driver to find out. */
	if (process_vm_writev(getpid(), &local, 1, &remote, 1, 0) < 0)
		return at;
	return at;
}

int driver_call(int fd, unsigned long cmd, const void *arg, uint32_t size,
		uint64_t twist)
{
	/* Room for all sizes. */
	union {
		uint32_t size;
		uint32_t word[2 * PAGE / sizeof(uint32_t)];
		char bytes[2 * PAGE];
	} copy = { 0 };
	uint64_t word = twist - TWIST_WORD;

	memcpy(&copy, arg, size);
	copy.size = size;
	switch (twist) {
	case TWIST_NONE:
		break;
	case TWIST_EMPTY:
		copy.size = 0;
		break;
	case TWIST_SHORT:
		copy.size = size - 4;
		break;
	case TWIST_TAIL:
		copy.bytes[size + 7] = 1;
		copy.size = size + 8;
		break;
	case TWIST_LONG:
		copy.size = size + 8;
		break;
	case TWIST_PAGE:
		copy.size = PAGE;
		break;
	case TWIST_HUGE:
		copy.size = PAGE + 1;
		break;
	case TWIST_NULL:
		return ioctl(fd, cmd, NULL);
	case TWIST_ARENA:
		return ioctl(fd, cmd, into_arena(arena_page(0), &copy, size));
	case TWIST_EDGE:
		return ioctl(fd, cmd, into_arena(arena_page(1) - 4, &copy, size));
	default:
		if (word < size / 4)
			copy.word[word] ^= 0x80000001;
		break;
	}
	return ioctl(fd, cmd, &copy);
}

/* Put a descriptor into a table of the world; what was there is left open. */
static void keep_descriptor(int *entry, int fd)
{
	if (fd >= 0)
		__atomic_store_n(entry, fd, __ATOMIC_RELAXED);
}

void act_open(struct world *world, const uint64_t *arg)
{
	keep_descriptor(&world->device[arg[0]], open("/dev/secmmu", O_RDWR | O_CLOEXEC));
}

void act_info(struct world *world, const uint64_t *arg)
{
	struct secmmu_info info = { 0 };

	driver_call(world->device[arg[0]], SECMMU_GET_INFO, &info, sizeof(info), arg[1]);
}

void act_mirror(struct world *world, const uint64_t *arg)
{
	static const uint32_t batches[] = { 0, 1, 2, 16, SECMMU_MAX_FLUSH_BATCH };
	struct secmmu_create_mirror create = {
		.flags = arg[7],
		.flush_policy = arg[2],
		.flush_batch = batches[arg[3] % 5],
		.tag_bits = arg[6] == 2 ? 15 : 6 * arg[6],
	};

	if (arg[4] && arg[4] <= NR_CHILDREN)
		create.pid = world->child[arg[4] - 1];
	else if (arg[4] == NR_CHILDREN + 1)
		create.pid = world->self;
	else if (arg[4])
		create.pid = 1 << 30;
	/* Whoever sets a policy with batches means a valid one, and the reverse. */
	if (arg[2] == SECMMU_FLUSH_ARRAY)
		create.flush_batch += !create.flush_batch;
	else if (arg[5] == TWIST_NONE)
		create.flush_batch = 0;
	keep_descriptor(&world->mirror[arg[1]],
			driver_call(world->device[arg[0]], SECMMU_CREATE_MIRROR, &create,
				    sizeof(create), arg[5]));
}

void act_slot(struct world *world, const uint64_t *arg)
{
	struct secmmu_set_slot set = {
		.slot = arg[1],
		.gpa = arg[2] * PAGE,
		.hva = ARENA_START + arg[3] * PAGE,
		.length = arg[4] * PAGE,
		.flags = arg[5],
		.key = arg[7],
		.domains = arg[8],
	};

	driver_call(world->mirror[arg[0]], SECMMU_SET_SLOT, &set, sizeof(set), arg[6]);
}

void act_engine(struct world *world, const uint64_t *arg)
{
	struct secmmu_create_engine create = {
		.flags = arg[2],
	};

	keep_descriptor(&world->engine[arg[1]],
			driver_call(world->mirror[arg[0]], SECMMU_CREATE_ENGINE, &create,
				    sizeof(create), arg[3]));
}

void act_stats(struct world *world, const uint64_t *arg)
{
	struct secmmu_stats stats = { 0 };

	driver_call(world->mirror[arg[0]], SECMMU_GET_STATS, &stats, sizeof(stats),
		    arg[1]);
}

void act_prefault(struct world *world, const uint64_t *arg)
{
	struct secmmu_prefault range = {
		.gpa = arg[1] * PAGE,
		.length = arg[2] * PAGE,
		.flags = arg[3] & SECMMU_PREFAULT_WRITE,
		.domain = arg[5],
	};

	driver_call(world->mirror[arg[0]], SECMMU_PREFAULT, &range, sizeof(range),
		    arg[4]);
}

void act_dirty_log(struct world *world, const uint64_t *arg)
{
	static uint64_t bitmap[ARENA_PAGES / 64 * 2];
	struct secmmu_get_dirty_log log = {
		.slot = arg[1],
		/* Mostly aligned as it must be. */
		.first_page = arg[2] & ~63ULL,
		.nr_pages = arg[3],
	};

	switch (arg[4]) {
	case 1:
		log.bitmap = ARENA_START;
		break;
	case 2:
		break;
	case 3:
		log.bitmap = ARENA_START + PAGE - 8;
		break;
	default:
		/* Only what has room: nobody else is to be written over. */
		if (log.nr_pages > 64 * sizeof(bitmap) / sizeof(*bitmap))
			log.nr_pages = 64;
		log.bitmap = (uintptr_t)bitmap;
		break;
	}
	driver_call(world->mirror[arg[0]], SECMMU_GET_DIRTY_LOG, &log, sizeof(log),
		    arg[5]);
}

void act_event(struct world *world, const uint64_t *arg)
{
	struct secmmu_test_event event = {
		.size = sizeof(event),
		.start = ARENA_START + arg[1] * PAGE,
		.flags = arg[3],
	};

	/* The core never leaves an event open, nor makes an empty one. */
	if (event.flags & SECMMU_TEST_EVENT_BEGIN)
		event.flags |= SECMMU_TEST_EVENT_END;
	else
		event.flags &= ~SECMMU_TEST_EVENT_END;
	event.end = event.start + PAGE * (arg[2] % ARENA_PAGES + 1);
	ioctl(world->mirror[arg[0]], SECMMU_TEST_EVENT, &event);
}
