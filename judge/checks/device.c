// SPDX-License-Identifier: GPL-2.0
/* Pages in memory of the subject's own, and pages that it has for itself. */
#include <string.h>
#include <sys/mman.h>
#include "check.h"

#define PAGE_NUMBER	3
/* More than earlier checks have used: a page of the device keeps what was known of its last user. */
#define LAZY_PAGES	64

static void move_there(const struct trial *trial, char *page)
{
	ssize_t moved = trial->ops->migrate(trial->accessor, gpa_at(trial, page), PAGE);

	if (moved != (ssize_t)PAGE)
		skip(trial, "nothing is migrated: %s", moved < 0 ? strerror((int)-moved) :
		     "no memory of the device");
}

/* A page with a stamp that the accessor has written goes to the subject's memory. */
static uint32_t move_page(const struct trial *trial, char *page)
{
	uint32_t stamp = expect_write(trial, page);

	move_there(trial, page);
	return stamp;
}

CHECK(device_memory, .summary = "a page in device memory is seen, and comes back when touched",
      .needs = NEED_MIGRATE)
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = move_page(trial, page);

	expect_read(trial, page, stamp);
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, cpu_fill(trial, page, 1));
	expect_write(trial, page);
}

/* expect_write() touches the page only after the accessor has written. */
CHECK(device_memory_written, .summary = "what is written to device memory comes back",
      .needs = NEED_MIGRATE)
{
	char *page = page_at(trial, PAGE_NUMBER);

	move_page(trial, page);
	expect_write(trial, page);
	move_page(trial, page);
	expect_read(trial, page, expect_write(trial, page));
}

CHECK(device_memory_discarded, .summary = "a page in device memory can be discarded and unmapped",
      .needs = NEED_MIGRATE)
{
	char *page = page_at(trial, PAGE_NUMBER);

	move_page(trial, page);
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, 0);
	move_page(trial, page);
	need(trial, !munmap(page, PAGE), "unmap a page");
	expect_hole(trial, page);
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
}

CHECK(device_memory_forked, .summary = "a page in device memory is copied for a child",
      .needs = NEED_MIGRATE)
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = move_page(trial, page);
	pid_t child = fork_idle(trial);

	expect_read(trial, page, stamp);
	expect_read(trial, page, cpu_fill(trial, page, 1));
	expect_write(trial, page);
	end_child(child);
}

/* Only the process's entry knew that the page was written, and it goes away with the move. */
CHECK(device_memory_lazy, .summary = "what the process wrote after MADV_FREE stays, in device memory too",
      .needs = NEED_MIGRATE)
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;

	need_swap(trial);
	cpu_fill(trial, page, LAZY_PAGES);
	need(trial, !madvise(page, LAZY_PAGES * PAGE, MADV_FREE), "free pages lazily");
	stamp = cpu_fill(trial, page, LAZY_PAGES);
	for (size_t i = 0; i < LAZY_PAGES; i++)
		move_there(trial, page + i * PAGE);
	for (size_t i = 0; i < LAZY_PAGES; i++)
		expect_cpu(trial, page + i * PAGE, stamp);
	page_out(trial, page, LAZY_PAGES * PAGE);
	for (size_t i = 0; i < LAZY_PAGES; i++)
		expect_cpu(trial, page + i * PAGE, stamp);
}

/* The driver must bring the page back, or free it, without the accessor. */
CHECK(device_memory_left, .summary = "a page in device memory outlives its accessor",
      .unless = SUBJECT_ONE_ACCESSOR, .needs = NEED_MIGRATE)
{
	char *page = page_at(trial, PAGE_NUMBER);
	struct trial second;
	uint32_t stamp;

	trial_second(trial, &second);
	stamp = move_page(&second, page);
	trial_second_end(&second);
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, stamp);
	expect_write(trial, page);
}

/* The process's entry is gone until it touches the page; then the subject's is. */
CHECK(exclusive, .summary = "a page that is taken exclusively is the process's when touched",
      .needs = NEED_EXCLUSIVE)
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;
	ssize_t taken;

	stamp = expect_write(trial, page);
	for (int i = 0; i < 2; i++) {
		taken = trial->ops->make_exclusive(trial->accessor, gpa_at(trial, page), PAGE);
		if (taken != (ssize_t)PAGE)
			skip(trial, "nothing is taken: %s", taken < 0 ? strerror((int)-taken) :
			     "the kernel does not give the page");
		expect_cpu(trial, page, stamp);
		expect_read(trial, page, stamp);
		expect_read(trial, page, cpu_fill(trial, page, 1));
		stamp = expect_write(trial, page);
	}
	taken = trial->ops->make_exclusive(trial->accessor, gpa_at(trial, page), PAGE);
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, 0);
}
