// SPDX-License-Identifier: GPL-2.0
/* Memory and processes for checks. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

/* Reclaim may have to be asked more than once: a page can be locked, or on its way. */
#define PAGE_OUT_TRIES	200

/**
 * map_anon - map fresh private memory of small pages at a place of the arena
 * @trial: the trial
 * @hva: where
 * @length: bytes
 * @prot: as of mmap(2)
 */
void map_anon(const struct trial *trial, void *hva, size_t length, int prot)
{
	need(trial, mmap(hva, length, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == hva,
	     "map memory");
	/* Not an error where the kernel has no large pages. */
	madvise(hva, length, MADV_NOHUGEPAGE);
}

/**
 * map_memfd - map a new memfd, shared, at a place of the arena
 * @trial: the trial
 * @hva: where
 * @length: bytes
 *
 * Return: its descriptor.
 */
int map_memfd(const struct trial *trial, void *hva, size_t length)
{
	int fd = memfd_create("judge", MFD_CLOEXEC);

	need(trial, fd >= 0 && !ftruncate(fd, (off_t)length), "create a memfd");
	need(trial, mmap(hva, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == hva,
	     "map a memfd");
	return fd;
}

/* Bytes of large pages in the mapping at @hva, by the process's smaps. */
static uint64_t large_at(const struct trial *trial, const void *hva)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	uint64_t start, end, size = 0;
	bool inside = false;
	char line[512];

	need(trial, file, "open smaps");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			inside = (uintptr_t)hva >= start && (uintptr_t)hva < end;
		else if (inside && sscanf(line, "AnonHugePages: %" SCNu64, &size) == 1)
			break;
	}
	fclose(file);
	return size << 10;
}

/**
 * map_large - map and fill a large page, private and anonymous, at a place of the arena
 * @trial: the trial
 * @large: where, aligned; skips the check if the kernel gives small pages
 *
 * Return: the stamp that is in it.
 */
uint32_t map_large(const struct trial *trial, char *large)
{
	uint32_t stamp;

	need(trial, mmap(large, LARGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == large, "map memory");
	if (madvise(large, LARGE, MADV_HUGEPAGE))
		skip(trial, "the kernel has no large pages");
	stamp = cpu_fill(trial, large, LARGE / PAGE);
	if (large_at(trial, large) < LARGE)
		skip(trial, "the kernel gives no large page");
	return stamp;
}

/**
 * pagemap_entry - what the kernel says of a page of the process
 * @trial: the trial
 * @hva: the page
 *
 * Return: %PAGEMAP_PRESENT, if the process has an entry of it, and the frame in %PAGEMAP_PFN.
 */
uint64_t pagemap_entry(const struct trial *trial, const void *hva)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	need(trial, pread(fd, &entry, sizeof(entry),
			  (off_t)((uintptr_t)hva / PAGE * sizeof(entry))) == sizeof(entry),
	     "read the pagemap");
	close(fd);
	return entry;
}

/**
 * fork_idle - make a child that only is there
 * @trial: the trial
 *
 * Return: the child.
 */
pid_t fork_idle(const struct trial *trial)
{
	pid_t child = fork();

	need(trial, child >= 0, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return child;
}

/**
 * end_child - end a child, and wait until it has gone
 * @child: the child
 */
void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/**
 * await_child - wait for a child that ends by itself
 * @trial: the trial
 * @child: the child; what it convicts is the check's verdict
 *
 * Return: its status, as of waitpid(2).
 */
int await_child(const struct trial *trial, pid_t child)
{
	int status;
	pid_t ret;

	do {
		ret = waitpid(child, &status, 0);
	} while (ret < 0 && errno == EINTR);
	need(trial, ret == child, "wait for a child");
	/* It has said more than this process could. */
	if (__atomic_load_n(&trial->result->verdict, __ATOMIC_ACQUIRE) != VERDICT_NONE)
		_exit(0);
	return status;
}

/*
 * Pages that were just touched wait in a list of their processor, which holds them, and which
 * only that processor empties when it reclaims.
 */
static void stay_here(const struct trial *trial)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	need(trial, !sched_setaffinity(0, sizeof(set), &set), "stay on a processor");
}

/**
 * need_swap - skip the check if there is no swap space
 * @trial: the trial; nothing was accessed yet
 */
void need_swap(const struct trial *trial)
{
	FILE *file = fopen("/proc/swaps", "re");
	char line[256];
	int lines = 0;

	while (file && fgets(line, sizeof(line), file))
		lines++;
	if (file)
		fclose(file);
	if (lines < 2)
		skip(trial, "no swap space (module zram)");
	stay_here(trial);
}

static bool any_resident(const struct trial *trial, void *hva, size_t length)
{
	unsigned char in[ARENA_PAGES];

	need(trial, !mincore(hva, length, in), "ask for resident pages");
	for (size_t i = 0; i < length / PAGE; i++)
		if (in[i] & 1)
			return true;
	return false;
}

/**
 * page_out - let the kernel reclaim pages
 * @trial: the trial; there is swap space
 * @hva: the first page
 * @length: bytes; skips the check if they do not go
 */
void page_out(const struct trial *trial, void *hva, size_t length)
{
	for (int i = 0; i < PAGE_OUT_TRIES; i++) {
		need(trial, !madvise(hva, length, MADV_PAGEOUT), "reclaim pages");
		if (!any_resident(trial, hva, length))
			return;
		usleep(1000);
	}
	skip(trial, "the kernel does not reclaim the page");
}
