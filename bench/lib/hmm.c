// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "basics.h"
#include "hmm.h"
#include "test_hmm.h"

/* Pages for each call. */
#define BATCH		512ul

bool hmm_is_there(void)
{
	static bool told;
	bool there = !access(HMM_DMIRROR_DEVICE, R_OK | W_OK);

	if (!there && !told)
		fprintf(stderr, "%s: no %s (module test_hmm): measuring without it\n",
			program_invocation_short_name, HMM_DMIRROR_DEVICE);
	told = true;
	return there;
}

int hmm_open(void)
{
	return bench_open(HMM_DMIRROR_DEVICE, "load test_hmm.ko");
}

void hmm_read(int hmm, const void *memory, size_t pages)
{
	static char *buffer;

	if (!buffer)
		buffer = bench_alloc(BATCH * PAGE);
	/* The buffer is not to fault while test_hmm copies to it. */
	for (size_t i = 0; i < BATCH; i++)
		buffer[i * PAGE] = 1;
	for (size_t i = 0; i < pages; i += BATCH) {
		struct hmm_dmirror_cmd cmd;
		int err = hmm_dmirror_call(hmm, HMM_DMIRROR_READ, (uintptr_t)memory + i * PAGE,
					   buffer, MIN(BATCH, pages - i), &cmd);

		if (err)
			die("test_hmm cannot read: %s", strerror(-err));
		if (cmd.cpages != cmd.npages)
			die("test_hmm has read %llu of %llu pages",
			    cmd.cpages, cmd.npages);
	}
}
