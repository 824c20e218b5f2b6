// SPDX-License-Identifier: GPL-2.0
/* Large pages that lose a part, and small ones that become large. */
#include <errno.h>
#include <sys/mman.h>
#include "check.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

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
