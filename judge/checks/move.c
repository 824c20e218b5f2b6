// SPDX-License-Identifier: GPL-2.0
/* Pages that get another address, and addresses that get another page. */
#include <errno.h>
#include <sys/mman.h>
#include "check.h"

#define PAGE_NUMBER	3
#define TARGET_NUMBER	7

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

static void move_page(const struct trial *trial, char *from, char *to, int flags)
{
	need(trial, mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | flags, to) == to,
	     "move a page");
}

CHECK(mremap, .summary = "a page that moves is found at its new address only")
{
	char *from = page_at(trial, PAGE_NUMBER), *to = page_at(trial, TARGET_NUMBER);
	uint32_t stamp = expect_write(trial, from);

	expect_write(trial, to);
	move_page(trial, from, to, 0);
	expect_hole(trial, from);
	expect_cpu_moved(trial, to, from, stamp);
	expect_read_moved(trial, to, from, stamp);
	expect_write(trial, to);
	map_anon(trial, from, PAGE, PROT_READ | PROT_WRITE);
	expect_read(trial, from, 0);
}

CHECK(mremap_dontunmap, .summary = "a page that moves with MREMAP_DONTUNMAP leaves zeroes")
{
	char *from = page_at(trial, PAGE_NUMBER), *to = page_at(trial, TARGET_NUMBER);
	uint32_t stamp = expect_write(trial, from);

	expect_write(trial, to);
	move_page(trial, from, to, MREMAP_DONTUNMAP);
	expect_read(trial, from, 0);
	expect_read_moved(trial, to, from, stamp);
	stamp = expect_write(trial, from);
	expect_write(trial, to);
	expect_cpu(trial, from, stamp);
}

/* Page tables move as a whole where both addresses are aligned to a table. */
CHECK(mremap_table, .summary = "2 MiB of small pages that move are found there, each")
{
	char *from = trial->arena, *to = trial->arena + 2 * LARGE;
	uint32_t stamp = cpu_fill(trial, from, LARGE / PAGE);

	for (size_t offset = 0; offset < LARGE; offset += 64 * PAGE)
		expect_read(trial, from + offset, stamp);
	need(trial, mremap(from, LARGE, LARGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
	     "move a table");
	for (size_t offset = 0; offset < LARGE; offset += 64 * PAGE) {
		expect_hole(trial, from + offset);
		expect_read_moved(trial, to + offset, from + offset, stamp);
	}
	map_anon(trial, from, LARGE, PROT_READ | PROT_WRITE);
}

/* Migration: another page with the same content. */
CHECK(migrate, .summary = "a page that is migrated is followed")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = expect_write(trial, page);

	for (int i = 0; i < 4; i++) {
		if (madvise(page, PAGE, MADV_SOFT_OFFLINE))
			skip(trial, errno == EINVAL ? "the kernel has no MADV_SOFT_OFFLINE" :
			     "the kernel does not migrate the page");
		expect_cpu(trial, page, stamp);
		expect_read(trial, page, stamp);
		/* The process's entry is there: its writes tell nobody. */
		stamp = cpu_fill(trial, page, 1);
		expect_read(trial, page, stamp);
		stamp = expect_write(trial, page);
	}
}
