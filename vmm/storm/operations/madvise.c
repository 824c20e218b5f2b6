// SPDX-License-Identifier: GPL-2.0
/* madvise(2) and its relatives. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "acts.h"
#include "evidence.h"
#include "inside.h"
#include "operation.h"
#include "swap.h"

#define BACK_TO_BACK	4

/**
 * act_advise - madvise()
 */
ACT(advise)
{
	return madvise(scene->hva, scene->length, (int)scene->operation->value) ? -errno : 0;
}

/**
 * act_discard_slot - discard a whole slot, which is sparse for the most part, several times
 */
ACT(discard_slot)
{
	int error = 0;

	/* What the first has missed, the next would take. */
	for (int i = (int)prng_below(scene->prng, BACK_TO_BACK); i >= 0 && !error; i--)
		error = act_advise(scene);
	return error;
}

/**
 * act_discard_locked - discard locked memory
 */
ACT(discard_locked)
{
	int error = mlock(scene->hva, scene->length) ? -errno : 0;

	if (!error)
		error = act_advise(scene);
	munlock(scene->hva, scene->length);
	return error;
}

/**
 * act_advise_and_populate - new pages, by faults under other advice
 *
 * They come into being at another place: a reader who met the gap first would have a page of
 * zeroes there, and no huge page could come any more.
 */
ACT(advise_and_populate)
{
	char *scratch = scene->agent->scratch;
	int error = 0;

	if (mmap(scratch, scene->length, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED ||
	    madvise(scratch, scene->length, (int)scene->operation->value) ||
	    madvise(scratch, scene->length, MADV_POPULATE_WRITE))
		error = -errno;
	if (!error && mremap(scratch, scene->length, scene->length,
			     MREMAP_MAYMOVE | MREMAP_FIXED, scene->hva) == MAP_FAILED) {
		/* It may have unmapped what was there. */
		error = -errno;
		scene_fail(scene, "cannot move new pages to their place", error);
	}
	scene_reserve_scratch(scene);
	return error;
}

/**
 * act_collapse - small pages become a huge one, where that was not wanted too
 */
ACT(collapse)
{
	if (madvise(scene->hva, scene->length, MADV_HUGEPAGE))
		return -errno;
	return act_advise(scene);
}

/**
 * act_advise_process - process_madvise(), as from outside
 */
ACT(advise_process)
{
	struct iovec range = { scene->hva, scene->length };
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	long done;

	if (pidfd < 0)
		return -errno;
	done = syscall(SYS_process_madvise, pidfd, &range, 1UL, scene->operation->value, 0);
	done = done < 0 ? -errno : 0;
	close(pidfd);
	return (int)done;
}

/**
 * usable_advice - does this kernel know the advice?
 */
USABLE(advice)
{
	(void)instance;
	/* Of no pages, nothing is done; what is unknown is refused all the same. */
	if (!madvise(NULL, 0, (int)operation->value))
		return 0;
	return -snprintf(why, size, "this kernel does not know the advice");
}

/**
 * usable_swap - is there swap space?
 *
 * In the test VM, takes zram for it.
 */
USABLE(swap)
{
	static const char path[] = "/proc/swaps";
	char text[512] = "";
	FILE *file;

	(void)operation;
	(void)instance;
	for (int tries = 0; tries < 2; tries++) {
		file = fopen(path, "re");
		if (file) {
			text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
			fclose(file);
		}
		/* A heading, and a line for each. */
		if (strchr(text, '\n') && strchr(text, '\n')[1])
			return 0;
		if (inside_or_told())
			swap_begin();
	}
	return -snprintf(why, size, "no swap space; the test VM takes --load zram");
}
