// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "basics.h"
#include "swap.h"

#define DEVICE	"/dev/ram0"

/* The first page of swap space, as mkswap(8) writes it. */
struct swap_header {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_bad;
	char rest[PAGE - 1024 - 12 - 10];
	char magic[10];
};

static void need_no_other(void)
{
	FILE *file = fopen("/proc/swaps", "re");
	char line[512];
	int lines = 0;

	while (file && fgets(line, sizeof(line), file))
		lines++;
	if (!file || lines > 1)
		die("the machine has swap space of its own: turn it off (swapoff -a)");
	fclose(file);
}

void swap_make(void)
{
	static const struct swap_header zero;
	struct swap_header header;
	off_t size;
	int fd;

	_Static_assert(sizeof(header) == PAGE, "one page");
	bench_need_permission("overwrites " DEVICE " and swaps to it");
	fd = bench_open(DEVICE, "load brd, with rd_size=65536");
	size = lseek(fd, 0, SEEK_END);
	need_no_other();
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		die("cannot read " DEVICE ": %s", strerror(errno));
	if (memcmp(&header, &zero, sizeof(header)) &&
	    memcmp(header.magic, "SWAPSPACE2", sizeof(header.magic)))
		die(DEVICE " is in use, and needed for swap space");
	header = zero;
	header.version = 1;
	header.last_page = size / PAGE - 1;
	memcpy(header.magic, "SWAPSPACE2", sizeof(header.magic));
	if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header) || fsync(fd))
		die("cannot write " DEVICE ": %s", strerror(errno));
	close(fd);
}

void swap_on(void)
{
	if (swapon(DEVICE, 0))
		die("cannot swap to " DEVICE ": %s", strerror(errno));
}

void swap_off(void)
{
	if (swapoff(DEVICE))
		die("cannot stop swapping to " DEVICE ": %s", strerror(errno));
}
