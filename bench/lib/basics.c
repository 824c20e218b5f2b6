// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basics.h"
#include "inside.h"

void *bench_alloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		die("out of memory");
	return memory;
}

int bench_open(const char *path, const char *advice)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("cannot open %s: %s; %s", path, strerror(errno),
		    errno == EACCES || errno == EPERM ? "be root" : advice);
	return fd;
}

void bench_need_permission(const char *what)
{
	if (!inside_or_told())
		die("refused outside of the test VM, for it %s; " INSIDE_VARIABLE
		    "=yes lets it", what);
}

static void *map_with(size_t length, int flags)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	return at;
}

void *map_memory(size_t length)
{
	return map_with(length, MAP_PRIVATE);
}

void *map_shared(size_t length)
{
	return map_with(length, MAP_SHARED);
}

char *map_aligned(size_t length, size_t alignment)
{
	char *area = map_memory(length + alignment);
	char *at = area + (-(uintptr_t)area & (alignment - 1));

	if (at > area)
		munmap(area, at - area);
	munmap(at + length, area + alignment - at);
	return at;
}

void forbid_huge_pages(void)
{
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		die("huge pages stay on: %s", strerror(errno));
}

void discard_memory(void *at, size_t length)
{
	if (madvise(at, length, MADV_DONTNEED))
		die("cannot discard memory: %s", strerror(errno));
}

/* The processors that the program was started on. */
static cpu_set_t *allowed_cpus(void)
{
	static cpu_set_t set;
	static bool known;

	if (!known && sched_getaffinity(0, sizeof(set), &set))
		die("cannot tell the processors: %s", strerror(errno));
	known = true;
	return &set;
}

unsigned int count_cpus(void)
{
	return CPU_COUNT(allowed_cpus());
}

void limit_to_two_cpus(void)
{
	cpu_set_t *set = allowed_cpus(), two;

	CPU_ZERO(&two);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&two) < 2; i++)
		if (CPU_ISSET(i, set))
			CPU_SET(i, &two);
	*set = two;
}

void pin_to_cpu(unsigned int index)
{
	const cpu_set_t *set = allowed_cpus();
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, set))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		if (!index--)
			break;
	}
	if (sched_setaffinity(0, sizeof(one), &one))
		die("cannot stay on one processor: %s", strerror(errno));
}

void bench_count(int mirror, const struct secmmu_stats *before, struct secmmu_stats *after,
		 struct bench_sample *sample)
{
	mirror_stats(mirror, after);
	sample->counted = true;
	sample->flushes = after->flushes - before->flushes;
	sample->interrupts = after->interrupts - before->interrupts;
}
