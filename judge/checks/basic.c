// SPDX-License-Identifier: GPL-2.0
/* Private memory that goes, comes back, and changes its permission. */
#include <sys/mman.h>
#include "check.h"

/* The page that most checks use: the fourth, with neighbours of the same kind. */
#define SUBJECT_OF_CHECK	3

/* Neither needs a notifier: without these two, nothing else here means anything. */
CHECK(read, .summary = "an accessor sees what the process has written")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_read(trial, page, cpu_fill(trial, page, 1));
	expect_read(trial, page, cpu_fill(trial, page, 1));
}

CHECK(write, .summary = "the process sees what an accessor has written")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_write(trial, page);
	expect_read(trial, page, expect_write(trial, page));
}

/* The zero page is everybody's: the first write replaces it. */
CHECK(zero_page, .summary = "a zero page that was read is replaced by the first write")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_read(trial, page, 0);
	expect_read(trial, page, cpu_fill(trial, page, 1));
	madvise(page, PAGE, MADV_DONTNEED);
	expect_read(trial, page, 0);
	expect_write(trial, page);
}

CHECK(discard, .summary = "what MADV_DONTNEED has discarded reads as zeroes")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_read(trial, page, cpu_fill(trial, page, 1));
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, 0);
}

CHECK(discard_written, .summary = "a write after MADV_DONTNEED goes to the new page")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_write(trial, page);
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_write(trial, page);
}

CHECK(hole, .summary = "memory that is unmapped cannot be accessed")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_write(trial, page);
	need(trial, !munmap(page, PAGE), "unmap a page");
	expect_hole(trial, page);
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
}

CHECK(unmap_and_map, .summary = "memory that is mapped again is the new one")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_write(trial, page);
	need(trial, !munmap(page, PAGE), "unmap a page");
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
	expect_read(trial, page, 0);
	expect_write(trial, page);
}

CHECK(map_over, .summary = "memory that is mapped over another is the new one")
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);

	expect_write(trial, page);
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
	expect_read(trial, page, 0);
	expect_read(trial, page, cpu_fill(trial, page, 1));
}

CHECK(prot_none, .summary = "memory of PROT_NONE cannot be accessed, and keeps its content",
      .unless = SUBJECT_NO_PERMISSION)
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);
	uint32_t stamp = expect_write(trial, page);

	need(trial, !mprotect(page, PAGE, PROT_NONE), "protect a page");
	expect_hole(trial, page);
	need(trial, !mprotect(page, PAGE, PROT_READ | PROT_WRITE), "protect a page");
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, stamp);
}

CHECK(read_only, .summary = "memory of PROT_READ can be read and not be written",
      .unless = SUBJECT_NO_PERMISSION)
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);
	uint32_t stamp = cpu_fill(trial, page, 1);

	need(trial, !mprotect(page, PAGE, PROT_READ), "protect a page");
	expect_read(trial, page, stamp);
	expect_no_write(trial, page);
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, stamp);
}

CHECK(mprotect, .summary = "permission that goes is gone at once, and can come back",
      .unless = SUBJECT_NO_PERMISSION)
{
	char *page = page_at(trial, SUBJECT_OF_CHECK);
	uint32_t stamp = expect_write(trial, page);

	need(trial, !mprotect(page, PAGE, PROT_READ), "protect a page");
	expect_no_write(trial, page);
	expect_read(trial, page, stamp);
	need(trial, !mprotect(page, PAGE, PROT_READ | PROT_WRITE), "protect a page");
	expect_read(trial, page, stamp);
	expect_write(trial, page);
}
