/* SPDX-License-Identifier: GPL-2.0 */
/* A mirror of a running process: what can be read through it, and is it right? */
#ifndef ATTACH_ATTACH_H
#define ATTACH_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Passes of a comparison: what the first one mapped, later ones find mapped. */
#define ATTACH_PASSES	2

/* So many stale pages are described, and with so many it ends. */
#define ATTACH_DETAILS	20
#define ATTACH_LIMIT	100

/**
 * struct attach_options - what to look at, and how
 * @pid: the process
 * @verify: compare what is read
 * @stop: stop the process while comparing
 * @all: also read pages that the process has not
 * @seconds: how long to compare
 * @start: first address
 * @end: address behind the last one
 * @json: where to write the numbers, or NULL
 */
struct attach_options {
	pid_t pid;
	bool verify;
	bool stop;
	bool all;
	uint32_t seconds;
	uint64_t start;
	uint64_t end;
	const char *json;
};

int attach_main(int argc, char **argv);
int attach_run(const struct attach_options *options);

#endif /* ATTACH_ATTACH_H */
