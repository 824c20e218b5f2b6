// SPDX-License-Identifier: GPL-2.0
/* Operations on descriptors: transfers of engines, and what fits all files. */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "act.h"

/* Where a transfer's bytes are: values of "buffer". */
enum buffer {
	BUFFER_OWN,			/* where nothing happens to them */
	BUFFER_ARENA,			/* in memory that comes and goes, perhaps mirrored */
	BUFFER_NULL,			/* nowhere */
	BUFFER_EDGE,			/* across pages of the arena */
	BUFFER_VECTOR,			/* in three places */
};

int *world_entry(struct world *world, uint64_t what, uint64_t number)
{
	switch (what % 4) {
	case 0:
		return &world->device[number % NR_DEVICES];
	case 1:
		return &world->mirror[number % NR_MIRRORS];
	case 2:
		return &world->engine[number % NR_ENGINES];
	default:
		return &world->file[number % NR_FILES];
	}
}

static void transfer_bytes(struct world *world, const uint64_t *arg, int write)
{
	static _Thread_local char own[4 * PAGE];
	int fd = world->engine[arg[0]];
	off_t at = (arg[1] * PAGE + arg[2]) ^ tag_of(arg[5]);
	size_t length = arg[3] % sizeof(own);
	struct iovec iov[3] = {
		{ .iov_base = own, .iov_len = length },
		{ .iov_base = arena_page(2) + 5, .iov_len = length / 2 },
		{ .iov_base = own, .iov_len = 0 },
	};
	int nr = 1;

	switch (arg[4]) {
	case BUFFER_ARENA:
		iov[0].iov_base = arena_page(0);
		break;
	case BUFFER_NULL:
		iov[0].iov_base = NULL;
		break;
	case BUFFER_EDGE:
		iov[0].iov_base = arena_page(1) - 3;
		break;
	case BUFFER_VECTOR:
		nr = 3;
		break;
	}
	/* Numbers that the kernel takes for negative are none of the driver's. */
	if (write ? pwritev(fd, iov, nr, at) < 0 : preadv(fd, iov, nr, at) < 0)
		return;
}

void act_read(struct world *world, const uint64_t *arg)
{
	transfer_bytes(world, arg, 0);
}

void act_write(struct world *world, const uint64_t *arg)
{
	transfer_bytes(world, arg, 1);
}

/* Calls that a descriptor may not know. */
void act_odd(struct world *world, const uint64_t *arg)
{
	int fd = *world_entry(world, arg[0], arg[1]);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct stat st;
	char byte = 0;
	void *mem;
	long ret = 0;

	switch (arg[2]) {
	case 0:
		ret = poll(&pollfd, 1, 0);
		break;
	case 1:
		ret = lseek(fd, (off_t)arg[1] << 46, SEEK_SET);
		ret += read(fd, &byte, 1);
		break;
	case 2:
		ret = write(fd, &byte, 1);
		break;
	case 3:
		mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (mem != MAP_FAILED)
			munmap(mem, PAGE);
		break;
	case 4:
		ret = ioctl(fd, 0xb57f + arg[1] * 0x10, &byte);
		break;
	case 5:
		ret = ioctl(fd, 0xb500 + arg[1], &byte);
		break;
	case 6:
		ret = fsync(fd);
		ret += fallocate(fd, 0, 0, PAGE);
		break;
	default:
		ret = fstat(fd, &st);
		ret += ftruncate(fd, PAGE);
		break;
	}
	(void)ret;
}

void act_close(struct world *world, const uint64_t *arg)
{
	int *entry = world_entry(world, arg[0], arg[1]);
	int fd = __atomic_exchange_n(entry, -1, __ATOMIC_RELAXED);

	if (fd >= 0)
		close(fd);
}

/* The new one stays open when another program is executed. */
void act_dup(struct world *world, const uint64_t *arg)
{
	int fd = dup(*world_entry(world, arg[0], arg[1]));

	if (fd >= 0)
		__atomic_store_n(world_entry(world, arg[0], arg[2]), fd,
				 __ATOMIC_RELAXED);
}

/* What people look at, while it comes and goes. */
void act_debugfs(struct world *world, const uint64_t *arg)
{
	char text[PAGE];
	glob_t found;
	size_t at;
	int fd;

	(void)world;
	if (glob("/sys/kernel/debug/secmmu/mirror-*/*", GLOB_NOSORT, NULL,
		 &found))
		return;
	at = arg[0] % found.gl_pathc;
	fd = open(found.gl_pathv[at], O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		;
	if (fd >= 0)
		close(fd);
	globfree(&found);
}
