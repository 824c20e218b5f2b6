// SPDX-License-Identifier: GPL-2.0
/* Copy-on-write: who writes first gets a page of its own; an accessor stays the parent's. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define PAGE_NUMBER	3

CHECK(fork_cpu_writes, .summary = "after fork, an accessor follows the parent's page, not the child's")
{
	char *page = page_at(trial, PAGE_NUMBER);
	pid_t child;

	expect_write(trial, page);
	child = fork_idle(trial);
	expect_read(trial, page, cpu_fill(trial, page, 1));
	expect_write(trial, page);
	end_child(child);
	expect_write(trial, page);
}

/* The child looks only after the accessor has written. */
CHECK(fork_accessor_writes, .summary = "after fork, an accessor writes to the parent's page only")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = expect_write(trial, page);
	int go[2];
	pid_t child;

	need(trial, !pipe(go), "make a pipe");
	child = fork();
	need(trial, child >= 0, "fork");
	if (!child) {
		char byte;

		close(go[1]);
		/* The end of the file is the word. */
		if (read(go[0], &byte, 1))
			_exit(1);
		expect_cpu(trial, page, stamp);
		_exit(0);
	}
	expect_write(trial, page);
	close(go[1]);
	need(trial, !await_child(trial, child), "let a child look");
	expect_write(trial, page);
}

CHECK(fork_child_writes, .summary = "what a child writes is not seen by the parent's accessor")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = expect_write(trial, page);
	pid_t child = fork();

	need(trial, child >= 0, "fork");
	if (!child) {
		cpu_fill(trial, page, 1);
		_exit(0);
	}
	need(trial, !await_child(trial, child), "let a child write");
	expect_read(trial, page, stamp);
	expect_write(trial, page);
}

/* A copy with the same content is seen by nobody until it is written to. */
CHECK(cow_without_write, .summary = "a page that is copied though nobody writes is replaced")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp = cpu_fill(trial, page, 1);
	pid_t child = fork_idle(trial);

	expect_read(trial, page, stamp);
	if (madvise(page, PAGE, MADV_POPULATE_WRITE)) {
		end_child(child);
		skip(trial, "the kernel has no MADV_POPULATE_WRITE");
	}
	expect_read(trial, page, stamp);
	/* The page is writable: this write tells nobody. */
	expect_read(trial, page, cpu_fill(trial, page, 1));
	end_child(child);
}

/* The page cache's page is everybody's until the first write. */
CHECK(private_file, .summary = "a private page of a file is replaced by the first write")
{
	char *page = page_at(trial, PAGE_NUMBER);
	int fd = map_memfd(trial, page, PAGE);
	uint32_t stamp = cpu_fill(trial, page, 1);

	need(trial, mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0) == page,
	     "map a file");
	expect_read(trial, page, stamp);
	expect_read(trial, page, cpu_fill(trial, page, 1));
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	/* The file never changed. */
	expect_read(trial, page, stamp);
	expect_write(trial, page);
	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, stamp);
	close(fd);
}
