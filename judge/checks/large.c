// SPDX-License-Identifier: GPL-2.0
/* Large pages that lose a part, and small ones that become large. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define THP		"/sys/kernel/mm/transparent_hugepage/"
/* khugepaged has come within a second; it looks every 10 ms. */
#define KHUGEPAGED_US	10000
#define KHUGEPAGED_TRIES	1000

/* In the middle of the large page, with neighbours. */
#define INNER		77

static void read_some(const struct trial *trial, char *large, uint32_t stamp)
{
	expect_read(trial, large, stamp);
	expect_read(trial, large + (INNER - 1) * PAGE, stamp);
	expect_read(trial, large + (INNER + 1) * PAGE, stamp);
	expect_read(trial, large + LARGE - PAGE, stamp);
}

CHECK(large, .summary = "a large page is seen, and written")
{
	char *large = trial->arena + LARGE;
	uint32_t stamp = map_large(trial, large);

	read_some(trial, large, stamp);
	expect_write(trial, large + INNER * PAGE);
	read_some(trial, large, stamp);
}

CHECK(large_part_unmapped, .summary = "a large page that loses a small one keeps the others")
{
	char *large = trial->arena + LARGE, *inner = large + INNER * PAGE;
	uint32_t stamp = map_large(trial, large);

	read_some(trial, large, stamp);
	expect_read(trial, inner, stamp);
	need(trial, !munmap(inner, PAGE), "unmap a page");
	expect_hole(trial, inner);
	read_some(trial, large, stamp);
	map_anon(trial, inner, PAGE, PROT_READ | PROT_WRITE);
	expect_read(trial, inner, 0);
	read_some(trial, large, stamp);
}

CHECK(large_part_discarded, .summary = "a large page of which a small one is discarded keeps the others")
{
	char *large = trial->arena + LARGE, *inner = large + INNER * PAGE;
	uint32_t stamp = map_large(trial, large);

	expect_write(trial, inner);
	need(trial, !madvise(inner, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, inner, 0);
	read_some(trial, large, stamp);
	expect_write(trial, inner);
}

CHECK(large_part_protected, .summary = "a large page of which a small one is protected can be written elsewhere",
      .unless = SUBJECT_NO_PERMISSION)
{
	char *large = trial->arena + LARGE, *inner = large + INNER * PAGE;
	uint32_t stamp = map_large(trial, large);

	expect_read(trial, inner, stamp);
	need(trial, !mprotect(inner, PAGE, PROT_READ), "protect a page");
	expect_no_write(trial, inner);
	expect_read(trial, inner, stamp);
	expect_write(trial, inner + PAGE);
	need(trial, !mprotect(inner, PAGE, PROT_READ | PROT_WRITE), "protect a page");
	expect_write(trial, inner);
}

/* All small pages go at once, and a large one with their content comes. */
CHECK(collapse, .summary = "small pages that are collapsed to a large one are followed")
{
	char *large = trial->arena + LARGE;
	uint32_t stamp;

	need(trial, mmap(large, LARGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == large, "map memory");
	need(trial, !madvise(large, LARGE, MADV_NOHUGEPAGE), "ask for small pages");
	stamp = cpu_fill(trial, large, LARGE / PAGE);
	read_some(trial, large, stamp);
	expect_read(trial, large + INNER * PAGE, expect_write(trial, large + INNER * PAGE));
	need(trial, !madvise(large, LARGE, MADV_HUGEPAGE), "ask for large pages");
	if (madvise(large, LARGE, MADV_COLLAPSE))
		skip(trial, errno == EINVAL ? "the kernel has no MADV_COLLAPSE" :
		     "the kernel does not collapse the pages");
	read_some(trial, large, stamp);
	stamp = cpu_fill(trial, large, LARGE / PAGE);
	read_some(trial, large, stamp);
	expect_write(trial, large + INNER * PAGE);
}

/*
 * One large page still, of which the process has small entries, and so has an accessor: as long as
 * one of them is another mapping's.
 */
static void map_small(const struct trial *trial, char *large, uint32_t stamp)
{
	char *inner = large + INNER * PAGE;

	need(trial, !mprotect(inner, PAGE, PROT_READ), "protect a page");
	read_some(trial, large, stamp);
	need(trial, !mprotect(inner, PAGE, PROT_READ | PROT_WRITE), "protect a page");
}

/* An event for the large page must be for all of it, though the process has small entries. */
CHECK(large_small_swapped, .summary = "a large page that is mapped as small ones is swapped out and in")
{
	char *large = trial->arena + LARGE;
	uint32_t stamp;

	need_swap(trial);
	stamp = map_large(trial, large);
	for (int i = 0; i < 2; i++) {
		map_small(trial, large, stamp);
		page_out(trial, large, LARGE);
		/* A write that brings a page in tells nobody: there was nothing. */
		stamp = cpu_fill(trial, large, LARGE / PAGE);
		read_some(trial, large, stamp);
	}
	expect_write(trial, large + INNER * PAGE);
}

/* To the other node, or skips. */
static void migrate_to(const struct trial *trial, char *hva, size_t length, unsigned int node)
{
	unsigned long mask = 1ul << node;

	if (syscall(SYS_mbind, hva, length, MPOL_BIND, &mask, 8 * sizeof(mask),
		    MPOL_MF_MOVE_ALL | MPOL_MF_STRICT))
		skip(trial, errno == EINVAL ? "the machine has one node" :
		     "the kernel does not migrate the pages");
}

CHECK(large_small_migrated, .summary = "a large page that is mapped as small ones is migrated")
{
	char *large = trial->arena + LARGE;
	uint32_t stamp = map_large(trial, large);

	map_small(trial, large, stamp);
	for (unsigned int i = 0; i < 4; i++) {
		migrate_to(trial, large, LARGE, i & 1);
		stamp = cpu_fill(trial, large, LARGE / PAGE);
		read_some(trial, large, stamp);
	}
	expect_write(trial, large + INNER * PAGE);
}

static void set_thp(const struct trial *trial, const char *name, const char *value)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		close(fd);
	if (!ok)
		skip(trial, "%s cannot be written", name);
}

/* Until khugepaged has taken the small entries of a file's large page away, or skips. */
static void await_khugepaged(const struct trial *trial, const char *large)
{
	int tries = KHUGEPAGED_TRIES;

	set_thp(trial, THP "khugepaged/pages_to_scan", "4096");
	set_thp(trial, THP "khugepaged/scan_sleep_millisecs", "10");
	while (pagemap_entry(trial, large) & PAGEMAP_PRESENT && --tries)
		usleep(KHUGEPAGED_US);
	/* While it looks, nothing can migrate the page. */
	set_thp(trial, THP "khugepaged/scan_sleep_millisecs", "10000");
	if (!tries)
		skip(trial, "khugepaged leaves the entries alone");
}

/*
 * The event that takes the small entries away is the last that an accessor hears of the page: a
 * migration looks for them in one mapping after the other, the oldest first, and only until none is
 * left.
 */
CHECK(file_collapsed, .summary = "a file's large page that khugepaged maps anew is followed")
{
	char *large = trial->arena + LARGE, *other = large + LARGE;
	uint32_t stamp;
	int fd;

	set_thp(trial, THP "shmem_enabled", "advise");
	fd = map_memfd(trial, other, LARGE);
	need(trial, mmap(large, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == large,
	     "map a file again");
	if (madvise(large, LARGE, MADV_HUGEPAGE))
		skip(trial, "the kernel has no large pages");
	stamp = cpu_fill(trial, large, LARGE / PAGE);
	map_small(trial, large, stamp);
	need(trial, pagemap_entry(trial, large) & PAGEMAP_PRESENT, "have small entries");
	await_khugepaged(trial, large);
	/* The other mapping's entries lead to the page. */
	stamp = cpu_fill(trial, other, LARGE / PAGE);
	for (unsigned int i = 0; i < 4; i++) {
		migrate_to(trial, other, LARGE, i & 1);
		stamp = cpu_fill(trial, other, LARGE / PAGE);
		/* At once: it may move back to where it was. */
		expect_read_moved(trial, large, other, stamp);
	}
	expect_read_moved(trial, large + LARGE - PAGE, other + LARGE - PAGE, stamp);
	expect_read_moved(trial, large + INNER * PAGE, other + INNER * PAGE, stamp);
	expect_write(trial, large + INNER * PAGE);
	close(fd);
}
