// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <unistd.h>

#include "bench.h"
#include "hmm.h"

#define DEVICE		"/dev/hmm_dmirror0"

/* From the kernel's sources, if the caller of make knows where they are. */
#if __has_include("test_hmm_uapi.h")

#include <linux/ioctl.h>
#include <linux/types.h>

#include "test_hmm_uapi.h"

#define PAGE		4096ul

/* Pages for each call. */
#define BATCH		512ul

bool hmm_there(void)
{
	static bool told;
	bool there = !access(DEVICE, R_OK | W_OK);

	if (!there && !told)
		fprintf(stderr, "%s: no %s (module test_hmm): measuring without it\n",
			program_invocation_short_name, DEVICE);
	told = true;
	return there;
}

int hmm_open(void)
{
	return bench_open(DEVICE, "load test_hmm.ko");
}

void hmm_read(int hmm, const void *memory, size_t pages)
{
	static char *buffer;

	if (!buffer)
		buffer = malloc(BATCH * PAGE);
	if (!buffer)
		bench_die("out of memory");
	/* Not its first time. */
	for (size_t i = 0; i < BATCH; i++)
		buffer[i * PAGE] = 1;
	for (size_t i = 0; i < pages; i += BATCH) {
		struct hmm_dmirror_cmd cmd = {
			.addr = (uintptr_t)memory + i * PAGE,
			.ptr = (uintptr_t)buffer,
			.npages = MIN(BATCH, pages - i),
		};

		if (ioctl(hmm, HMM_DMIRROR_READ, &cmd))
			bench_die("test_hmm cannot read: %s", strerror(errno));
		if (cmd.cpages != cmd.npages)
			bench_die("test_hmm has read %llu of %llu pages",
				  cmd.cpages, cmd.npages);
	}
}

#else

bool hmm_there(void)
{
	static bool told;

	if (!told)
		fprintf(stderr, "%s: built without HMM=, measuring without test_hmm\n",
			program_invocation_short_name);
	told = true;
	return false;
}

int hmm_open(void)
{
	bench_die("built without test_hmm");
}

void hmm_read(int hmm, const void *memory, size_t pages)
{
	(void)hmm;
	(void)memory;
	(void)pages;
}

#endif
