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
 * @follow: also the processes that it forks
 * @brief: only show areas with pages that are stale or changing
 * @quiet: tell no progress
 * @seconds: how long to compare
 * @start: first address, of a guest: guest address
 * @end: address behind the last one
 * @json: where to write the numbers, or NULL
 * @domain: a guest of libvirt, whose QEMU is the process; or NULL
 * @connect: URI of libvirt, or NULL
 * @dump: file for the guest's memory, or NULL
 */
struct attach_options {
	pid_t pid;
	bool verify;
	bool stop;
	bool all;
	bool follow;
	bool brief;
	bool quiet;
	uint32_t seconds;
	uint64_t start;
	uint64_t end;
	const char *json;
	const char *domain;
	const char *connect;
	const char *dump;
};

int attach_main(int argc, char **argv);
int attach_run(const struct attach_options *options);

#endif /* ATTACH_ATTACH_H */
