// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim, and one rule: what an accessor has written and the process has seen stays. Who
 * writes to a page tells the kernel, by set_page_dirty() or what stands for it, or the kernel
 * takes the page for clean and drops it.
 */
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

#define PAGE_NUMBER	100

CHECK(swap, .summary = "a page that was swapped out and in again is followed")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;

	need_swap(trial);
	stamp = cpu_fill(trial, page, 1);
	expect_read(trial, page, stamp);
	page_out(trial, page, PAGE);
	/* The accessor brings it in; then the process does. */
	expect_read(trial, page, stamp);
	expect_cpu(trial, page, stamp);
	stamp = cpu_fill(trial, page, 1);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
	stamp = cpu_fill(trial, page, 1);
	expect_read(trial, page, stamp);
}

CHECK(swap_written, .summary = "what an accessor has written is swapped out and in")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;

	need_swap(trial);
	stamp = expect_write(trial, page);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, stamp);
	stamp = expect_write(trial, page);
	page_out(trial, page, PAGE);
	expect_read(trial, page, stamp);
}

/* The process's entry is writable and clean again: a fault for writing finds nothing to do. */
CHECK(stays_free, .summary = "what an accessor wrote after MADV_FREE, and the process saw, stays")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;

	need_swap(trial);
	cpu_fill(trial, page, 1);
	need(trial, !madvise(page, PAGE, MADV_FREE), "free a page lazily");
	stamp = expect_write(trial, page);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
}

/* The same with a translation from before: it must go, for it may be clean from now on. */
CHECK(stays_free_mapped, .summary = "the same, where the accessor has written before MADV_FREE")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;

	need_swap(trial);
	expect_write(trial, page);
	need(trial, !madvise(page, PAGE, MADV_FREE), "free a page lazily");
	stamp = expect_write(trial, page);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
}

/* A shared page of a memfd is mapped writable at once, and clean, though it is only read. */
CHECK(stays_memfd, .summary = "what an accessor wrote to a memfd that the process only reads stays")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;
	int fd;

	need_swap(trial);
	fd = map_memfd(trial, page, PAGE);
	expect_cpu(trial, page, 0);
	stamp = expect_write(trial, page);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
	close(fd);
}

/* A page that a read brought back still has its copy in swap space, and is clean. */
CHECK(stays_pageout, .summary = "what an accessor wrote to a page that came back from swap stays")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;

	need_swap(trial);
	stamp = cpu_fill(trial, page, 1);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
	stamp = expect_write(trial, page);
	page_out(trial, page, PAGE);
	expect_cpu(trial, page, stamp);
}
