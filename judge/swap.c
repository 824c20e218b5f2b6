// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>
#include "subject.h"
#include "swap.h"

#define DEVICE		"/dev/zram0"
#define DISKSIZE	"/sys/block/zram0/disksize"
#define SIZE		"64M"

/* The first page of swap space, as mkswap(8) writes it. */
struct swap_header {
	char boot[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_bad;
	char rest[SUBJECT_PAGE - 1024 - 12 - 10];
	char magic[10];
};

/*
 * zram is what the checks want: it writes at once, so that a page is out when reclaim
 * returns. Checks that find no swap space say so.
 */
void swap_begin(void)
{
	struct swap_header header = { .version = 1 };
	off_t size;
	int fd;

	fd = open(DISKSIZE, O_WRONLY | O_CLOEXEC);
	/* No zram, or one in use. */
	if (fd < 0 || write(fd, SIZE, strlen(SIZE)) < 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	close(fd);
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	size = lseek(fd, 0, SEEK_END);
	header.last_page = (uint32_t)(size / (off_t)SUBJECT_PAGE - 1);
	memcpy(header.magic, "SWAPSPACE2", sizeof(header.magic));
	if (pwrite(fd, &header, sizeof(header), 0) == sizeof(header) && !fsync(fd))
		swapon(DEVICE, 0);
	close(fd);
}
