// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kcov.h>

#include "cover.h"
#include "world.h"

#define KCOV		"/sys/kernel/debug/kcov"
/* Places in a row that are kept of each thread; the rest is not seen. */
#define ENTRIES		(64 << 10)
/* More than the driver has; a power of two. */
#define PLACES		(16 << 10)
/* Pairs of places in a row, by a hash of 16 bits. */
#define PAIRS		(64 << 10)

static struct {
	int fd;
	unsigned long *trace;
} area[NR_THREADS];

static bool available;
static unsigned long place[PLACES];
static uint32_t nr_places;
static uint8_t pair[PAIRS];

/**
 * cover_open - get ready to record
 *
 * To be called once, before processes are forked that record: they share what is
 * recorded with the caller.
 *
 * Return: 0 or a negative errno; without it nothing is recorded.
 */
int cover_open(void)
{
	for (int i = 0; i < NR_THREADS; i++) {
		int fd = open(KCOV, O_RDWR | O_CLOEXEC);
		void *trace;

		if (fd < 0)
			return -errno;
		if (ioctl(fd, KCOV_INIT_TRACE, ENTRIES))
			return -errno;
		trace = mmap(NULL, ENTRIES * sizeof(unsigned long),
			     PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (trace == MAP_FAILED)
			return -errno;
		/* Those who record only need the descriptor. */
		madvise(trace, ENTRIES * sizeof(unsigned long), MADV_DONTFORK);
		area[i].fd = fd;
		area[i].trace = trace;
		area[i].trace[0] = 0;
	}
	available = true;
	return 0;
}

/**
 * cover_begin - record what the calling thread does
 * @thread: its number in the program
 */
void cover_begin(unsigned int thread)
{
	if (available && ioctl(area[thread].fd, KCOV_ENABLE, KCOV_TRACE_PC))
		fprintf(stderr, "%s: cannot record: %s\n", KCOV, strerror(errno));
}

/**
 * cover_end - record no more
 * @thread: of the caller
 */
void cover_end(unsigned int thread)
{
	if (available)
		ioctl(area[thread].fd, KCOV_DISABLE, 0);
}

/* Returns whether this place is new. */
static bool add_place(unsigned long pc)
{
	uint32_t at = (pc * 0x9e3779b97f4a7c15ul) >> 50;

	while (place[at] && place[at] != pc)
		at = (at + 1) % PLACES;
	if (place[at] || nr_places == PLACES / 2)
		return false;
	place[at] = pc;
	nr_places++;
	return true;
}

static bool add_pair(unsigned long before, unsigned long pc)
{
	uint32_t at = ((before * 31 + pc) * 0x9e3779b97f4a7c15ul) >> 48;
	bool new = !pair[at];

	pair[at] = 1;
	return new;
}

/**
 * cover_collect - look at what was recorded since the last call
 *
 * Return: whether there is a place, or a pair of places in a row, that no call has
 * seen before.
 */
bool cover_collect(void)
{
	bool new = false;

	for (int i = 0; available && i < NR_THREADS; i++) {
		unsigned long *trace = area[i].trace;
		unsigned long nr = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);

		for (unsigned long j = 1; j <= nr && j < ENTRIES; j++) {
			new |= add_place(trace[j]);
			new |= add_pair(j > 1 ? trace[j - 1] : 0, trace[j]);
		}
		__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
	}
	return new;
}

/**
 * cover_places - how many places were seen so far
 *
 * Return: their number.
 */
uint32_t cover_places(void)
{
	return nr_places;
}
