// SPDX-License-Identifier: GPL-2.0
/* Shared memory of a file that shrinks, gets holes, and is mapped twice. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "check.h"

#define PAGE_NUMBER	3

CHECK(memfd, .summary = "a file that is mapped over memory is seen, and changed")
{
	char *page = page_at(trial, PAGE_NUMBER);
	uint32_t stamp;
	int fd;

	expect_write(trial, page);
	fd = map_memfd(trial, page, PAGE);
	expect_read(trial, page, 0);
	stamp = expect_write(trial, page);
	/* The file has it, whoever maps it. */
	need(trial, !munmap(page, PAGE), "unmap a file");
	need(trial, mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == page,
	     "map a file");
	expect_cpu(trial, page, stamp);
	expect_read(trial, page, stamp);
	close(fd);
}

CHECK(punch_hole, .summary = "a hole that is punched into a file reads as zeroes")
{
	char *page = page_at(trial, PAGE_NUMBER);
	int fd = map_memfd(trial, page, PAGE);

	expect_write(trial, page);
	need(trial, !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
	     "punch a hole");
	expect_read(trial, page, 0);
	expect_write(trial, page);
	close(fd);
}

/* To touch the page is SIGBUS for the process, and -EFAULT for an accessor. */
CHECK(truncate, .summary = "what lies behind the end of a file cannot be accessed")
{
	char *page = page_at(trial, PAGE_NUMBER);
	int fd = map_memfd(trial, page, 2 * PAGE);
	uint32_t stamp;

	stamp = expect_write(trial, page);
	expect_write(trial, page + PAGE);
	need(trial, !ftruncate(fd, PAGE), "truncate a file");
	expect_hole(trial, page + PAGE);
	expect_read(trial, page, stamp);
	need(trial, !ftruncate(fd, 2 * PAGE), "extend a file");
	expect_read(trial, page + PAGE, 0);
	close(fd);
}

/* Dropping the process's entries loses nothing, and the next fault finds the same page. */
CHECK(discard_shared, .summary = "MADV_DONTNEED of a shared page keeps its content")
{
	char *page = page_at(trial, PAGE_NUMBER);
	int fd = map_memfd(trial, page, PAGE);
	uint32_t stamp = expect_write(trial, page);

	need(trial, !madvise(page, PAGE, MADV_DONTNEED), "discard a page");
	expect_read(trial, page, stamp);
	expect_cpu(trial, page, stamp);
	close(fd);
}

/* Both mappings are one page, for the process and for an accessor. */
CHECK(mapped_twice, .summary = "a file's page that is mapped twice is one page")
{
	char *page = page_at(trial, PAGE_NUMBER), *other = page_at(trial, PAGE_NUMBER + 4);
	int fd = map_memfd(trial, page, PAGE);
	uint32_t stamp;

	need(trial, mmap(other, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == other,
	     "map a file");
	stamp = expect_write(trial, page);
	expect_read_moved(trial, other, page, stamp);
	need(trial, !munmap(page, PAGE), "unmap a file");
	expect_hole(trial, page);
	expect_read_moved(trial, other, page, stamp);
	map_anon(trial, page, PAGE, PROT_READ | PROT_WRITE);
	close(fd);
}
