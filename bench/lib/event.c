// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "event.h"

const char *const calls[CALLS] = {
	[MADVISE] = "madvise",
	[MUNMAP] = "munmap",
	[MPROTECT] = "mprotect",
};

static int call_once(char *at, size_t length, enum call call)
{
	return call == MADVISE ? madvise(at, length, MADV_DONTNEED) :
	       call == MUNMAP ? munmap(at, length) : mprotect(at, length, PROT_READ);
}

uint64_t event_raise(char *at, size_t length, size_t events, enum call call)
{
	uint64_t ns = clock_ns();

	for (; events; events--, at += length)
		if (call_once(at, length, call))
			die("%s fails: %s", calls[call], strerror(errno));
	return clock_ns() - ns;
}
