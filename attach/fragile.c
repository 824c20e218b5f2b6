// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a careless observer changes: merged by KSM, shared with a child since
 * fork(2), given up, never touched, and watched by soft-dirty bits. Numbers of the
 * process's own tell whether that happened. Needs the rights to see page frames.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "fragile.h"
#include "message.h"

#define PAGE		4096ul
#define MERGED_PAGES	1024u
#define SHARED_PAGES	64u
#define FILE_PAGES	1024u
#define OTHER_PAGES	64u

/* How long KSM may take, in seconds. */
#define KSM_PATIENCE	60

#define PAGEMAP_PRESENT		(1ull << 63)
#define PAGEMAP_SOFT_DIRTY	(1ull << 55)
#define PAGEMAP_FRAME		((1ull << 55) - 1)
/* In /proc/kpageflags. */
#define FLAG_KSM		(1ull << 21)

/**
 * struct fragile - the memory
 * @shared: shared with the child since fork(2), though private
 * @child: the child, which only sleeps
 * @merged: all pages alike, for KSM
 * @file: shared memory
 * @fd: the file behind it
 * @given: private, given up
 * @never: private, never touched
 * @written: private; the first half has been written since soft-dirty bits were cleared
 * @pagemap: descriptor of the process's own page map
 * @child_pagemap: ... of the child's
 * @flags: descriptor of /proc/kpageflags
 */
struct fragile {
	char *shared;
	pid_t child;
	char *merged;
	char *file;
	int fd;
	char *given;
	char *never;
	char *written;
	int pagemap;
	int child_pagemap;
	int flags;
};

static void die_of(const char *what)
{
	die("%s: %s", what, strerror(errno));
}

static char *map_small(unsigned int pages, int flags, int fd)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		die_of("mmap");
	madvise(memory, pages * PAGE, MADV_NOHUGEPAGE);
	return memory;
}

static char *map_private(unsigned int pages)
{
	return map_small(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die_of(path);
	return fd;
}

static uint64_t read_word(int fd, uint64_t index)
{
	uint64_t word;

	if (pread(fd, &word, sizeof(word), (off_t)(index * sizeof(word))) !=
	    sizeof(word))
		die_of("reading a word about a page");
	return word;
}

static uint64_t page_word(int pagemap, const char *page)
{
	return read_word(pagemap, (uintptr_t)page / PAGE);
}

static unsigned int count_with(const struct fragile *fragile, const char *memory,
			       unsigned int pages, uint64_t bit)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < pages; i++)
		count += !!(page_word(fragile->pagemap, memory + i * PAGE) & bit);
	return count;
}

static long count_merged(const struct fragile *fragile)
{
	long count = 0;

	for (unsigned int i = 0; i < MERGED_PAGES; i++) {
		uint64_t word = page_word(fragile->pagemap, fragile->merged + i * PAGE);

		if (word & PAGEMAP_PRESENT)
			count += !!(read_word(fragile->flags, word & PAGEMAP_FRAME) &
				    FLAG_KSM);
	}
	return count;
}

static long count_shared(const struct fragile *fragile)
{
	long count = 0;

	for (unsigned int i = 0; i < SHARED_PAGES; i++) {
		const char *page = fragile->shared + i * PAGE;

		count += !((page_word(fragile->pagemap, page) ^
			    page_word(fragile->child_pagemap, page)) & PAGEMAP_FRAME);
	}
	return count;
}

static long count_blocks(const struct fragile *fragile)
{
	struct stat stat;

	if (fstat(fragile->fd, &stat))
		die_of("fstat");
	return stat.st_blocks;
}

static long count_given(const struct fragile *fragile)
{
	return count_with(fragile, fragile->given, OTHER_PAGES, PAGEMAP_PRESENT);
}

static long count_never(const struct fragile *fragile)
{
	return count_with(fragile, fragile->never, OTHER_PAGES, PAGEMAP_PRESENT);
}

static long count_soft_dirty(const struct fragile *fragile)
{
	return count_with(fragile, fragile->written, OTHER_PAGES, PAGEMAP_SOFT_DIRTY) +
	       count_with(fragile, fragile->merged, MERGED_PAGES, PAGEMAP_SOFT_DIRTY) +
	       count_with(fragile, fragile->shared, SHARED_PAGES, PAGEMAP_SOFT_DIRTY) +
	       count_with(fragile, fragile->file, FILE_PAGES, PAGEMAP_SOFT_DIRTY) +
	       count_with(fragile, fragile->given, OTHER_PAGES, PAGEMAP_SOFT_DIRTY);
}

/* What must stay as it is, but for @slack. */
static const struct {
	const char *name;
	long (*count)(const struct fragile *fragile);
	long slack;
} numbers[] = {
	{ "merged", count_merged, 0 },
	{ "shared", count_shared, 0 },
	/* An observer may be about to read some when they go. */
	{ "blocks", count_blocks, PAGE / 512 },
	{ "given", count_given, 16 },
	{ "never", count_never, 0 },
	{ "soft-dirty", count_soft_dirty, 0 },
};

#define NUMBERS	(sizeof(numbers) / sizeof(*numbers))

static void start_child(struct fragile *fragile)
{
	char path[32];

	fragile->child = fork();
	if (fragile->child < 0)
		die_of("fork");
	if (!fragile->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (pause())
			;
	}
	snprintf(path, sizeof(path), "/proc/%d/pagemap", fragile->child);
	fragile->child_pagemap = open_file(path);
}

static void make_memory(struct fragile *fragile)
{
	fragile->shared = map_private(SHARED_PAGES);
	memset(fragile->shared, 's', SHARED_PAGES * PAGE);
	start_child(fragile);
	fragile->merged = map_private(MERGED_PAGES);
	memset(fragile->merged, 'm', MERGED_PAGES * PAGE);
	madvise(fragile->merged, MERGED_PAGES * PAGE, MADV_MERGEABLE);
	fragile->fd = memfd_create("fragile", MFD_CLOEXEC);
	if (fragile->fd < 0 || ftruncate(fragile->fd, FILE_PAGES * PAGE))
		die_of("memfd");
	fragile->file = map_small(FILE_PAGES, MAP_SHARED, fragile->fd);
	memset(fragile->file, 'f', FILE_PAGES * PAGE);
	fragile->given = map_private(OTHER_PAGES);
	memset(fragile->given, 'g', OTHER_PAGES * PAGE);
	fragile->never = map_private(OTHER_PAGES);
	fragile->written = map_private(OTHER_PAGES);
	memset(fragile->written, 'w', OTHER_PAGES * PAGE);
}

static void wait_for_ksm(const struct fragile *fragile)
{
	const struct timespec turn = { .tv_nsec = 100000000 };

	for (int i = 0; i < KSM_PATIENCE * 10; i++) {
		if (count_merged(fragile) == MERGED_PAGES)
			return;
		nanosleep(&turn, NULL);
	}
}

/* Nothing happens without CONFIG_MEM_SOFT_DIRTY: the numbers are zero then. */
static void clear_soft_dirty(const struct fragile *fragile)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "4", 1) != 1)
			say("clear_refs: %s", strerror(errno));
		close(fd);
	}
	for (unsigned int i = 0; i < OTHER_PAGES / 2; i++)
		fragile->written[i * PAGE] = 'W';
}

static void give_up(const struct fragile *fragile)
{
	if (fallocate(fragile->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		      FILE_PAGES * PAGE) ||
	    madvise(fragile->given, OTHER_PAGES * PAGE, MADV_DONTNEED))
		die_of("giving memory up");
}

static void print_line(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void wait_for_signal(const sigset_t *set)
{
	int signal;

	sigwait(set, &signal);
}

/**
 * fragile_run - be the process
 *
 * It says "ready", gives memory up after SIGUSR1 and says "emptied"; after another one
 * it says its numbers then and now, and "unchanged" or "changed", and ends.
 */
void fragile_run(void)
{
	struct fragile fragile = { 0 };
	long before[NUMBERS];
	bool changed = false;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fragile.pagemap = open_file("/proc/self/pagemap");
	fragile.flags = open_file("/proc/kpageflags");
	make_memory(&fragile);
	wait_for_ksm(&fragile);
	clear_soft_dirty(&fragile);
	print_line("ready");
	wait_for_signal(&set);
	give_up(&fragile);
	for (size_t i = 0; i < NUMBERS; i++)
		before[i] = numbers[i].count(&fragile);
	print_line("emptied");
	wait_for_signal(&set);
	for (size_t i = 0; i < NUMBERS; i++) {
		long now = numbers[i].count(&fragile);

		printf("%s: %ld, was %ld\n", numbers[i].name, now, before[i]);
		changed |= labs(now - before[i]) > numbers[i].slack;
	}
	print_line(changed ? "changed" : "unchanged");
	kill(fragile.child, SIGKILL);
	exit(0);
}
