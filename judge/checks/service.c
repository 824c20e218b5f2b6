// SPDX-License-Identifier: GPL-2.0
/* What only some subjects offer: prefault, dirty log, aging. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

#define FIRST_PAGE	64
#define PAGES		16

#define IDLE_BITMAP	"/sys/kernel/mm/page_idle/bitmap"
#define DROP_CACHES	"/proc/sys/vm/drop_caches"

CHECK(prefault, .summary = "what was mapped beforehand is followed like all else",
      .needs = NEED_PREFAULT)
{
	char *page = page_at(trial, FIRST_PAGE);
	uint32_t stamp = cpu_fill(trial, page, PAGES);
	int ret = trial->ops->prefault(trial->accessor, gpa_at(trial, page), PAGES * PAGE, true);

	if (ret)
		convict(trial, VERDICT_WRONG_PERMISSION, "a prefault of mapped memory is refused: %s",
			strerror(-ret));
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, 0);
	expect_read(trial, page + PAGE, stamp);
	expect_write(trial, page + 2 * PAGE);
	need(trial, !munmap(page, PAGE), "unmap a page");
	expect_hole(trial, page);
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
}

static bool is_dirty(const struct trial *trial, const char *page, uint64_t *bitmap)
{
	size_t number = (size_t)(page - trial->arena) / PAGE;

	need(trial, !trial->ops->dirty(trial->subject, ARENA_SLOT, bitmap, ARENA_PAGES),
	     "get the dirty log");
	return bitmap[number / 64] >> number % 64 & 1;
}

CHECK(dirty_log, .summary = "each page that was written since the last time is in the log",
      .needs = NEED_DIRTY)
{
	uint64_t bitmap[ARENA_PAGES / 64];
	char *page = page_at(trial, FIRST_PAGE);
	uint32_t stamp;

	stamp = cpu_fill(trial, page, PAGES);
	/* A page with a translation from before there was a log. */
	expect_write(trial, page + PAGE);
	trial_set_slot(trial, SLOT_LOG_DIRTY);
	is_dirty(trial, page, bitmap);
	for (int i = 0; i < 3; i++) {
		expect_write(trial, page + PAGE);
		if (!is_dirty(trial, page + PAGE, bitmap))
			convict(trial, VERDICT_LOST_WRITE, "write %d of a page is not in the log", i);
		if (is_dirty(trial, page + PAGE, bitmap))
			convict(trial, VERDICT_OVER_INVALIDATED, "a page that was written once is in "
				"the log twice");
	}
	expect_read(trial, page, stamp);
	need(trial, !madvise(page + PAGE, PAGE, MADV_DONTNEED), "discard a page");
	expect_write(trial, page + PAGE);
	if (!is_dirty(trial, page + PAGE, bitmap))
		convict(trial, VERDICT_LOST_WRITE, "a write to a new page is not in the log");
}

/* Large entries must not outlive the beginning of the log. */
CHECK(dirty_log_large, .summary = "a log that begins over a large page misses no write",
      .needs = NEED_DIRTY)
{
	uint64_t bitmap[ARENA_PAGES / 64];
	char *large = trial->arena + LARGE, *page = large + 77 * PAGE;

	map_large(trial, large);
	expect_write(trial, page);
	trial_set_slot(trial, SLOT_LOG_DIRTY);
	is_dirty(trial, page, bitmap);
	expect_write(trial, page);
	if (!is_dirty(trial, page, bitmap))
		convict(trial, VERDICT_LOST_WRITE, "a write through a large page is not in the log");
	expect_write(trial, page + PAGE);
	if (!is_dirty(trial, page + PAGE, bitmap))
		convict(trial, VERDICT_LOST_WRITE, "a write beside another is not in the log");
}

/* Marks the page idle, or tells if it still is. */
static bool idle_page(const struct trial *trial, int fd, uint64_t pfn, bool mark)
{
	uint64_t word = 1ull << pfn % 64;
	off_t offset = (off_t)(pfn / 64 * 8);

	if (mark) {
		need(trial, pwrite(fd, &word, sizeof(word), offset) == sizeof(word),
		     "mark a page idle");
		return true;
	}
	need(trial, pread(fd, &word, sizeof(word), offset) == sizeof(word), "ask for idle pages");
	return word >> pfn % 64 & 1;
}

/* A page that is new waits in a list of its CPU's, where nothing marks it. */
static void drain_lists(const struct trial *trial)
{
	int fd = open(DROP_CACHES, O_WRONLY | O_CLOEXEC);

	need(trial, write(fd, "1", 1) == 1, "have new pages listed");
	close(fd);
}

/* A page that only an accessor uses is in use. */
CHECK(aging, .summary = "an access through an accessor makes a page young", .needs = NEED_AGES)
{
	int fd = open(IDLE_BITMAP, O_RDWR | O_CLOEXEC);
	char *page = page_at(trial, FIRST_PAGE);
	uint32_t stamp;
	uint64_t pfn;

	if (fd < 0)
		skip(trial, "the kernel has no " IDLE_BITMAP);
	stamp = expect_write(trial, page);
	drain_lists(trial);
	pfn = pagemap_entry(trial, page) & PAGEMAP_PFN;
	for (int i = 0; i < 2; i++) {
		idle_page(trial, fd, pfn, true);
		if (!idle_page(trial, fd, pfn, false))
			skip(trial, "the kernel does not mark the page idle");
		expect_read(trial, page, stamp);
		if (idle_page(trial, fd, pfn, false))
			convict(trial, VERDICT_STALE, "a page is idle that was just read");
	}
	close(fd);
}
