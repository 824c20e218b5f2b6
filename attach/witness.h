/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The process as /proc shows it. Looking changes nothing there, with two exceptions
 * that witness_read() and witness_grants() name.
 */
#ifndef ATTACH_WITNESS_H
#define ATTACH_WITNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct witness - a process's own view of its memory
 * @pid: the process
 * @mem: descriptor of its /proc/N/mem, of this very memory whatever it executes; or -1
 * @pagemap: descriptor of its /proc/N/pagemap, likewise
 */
struct witness {
	pid_t pid;
	int mem;
	int pagemap;
};

void witness_open(struct witness *witness, int proc, pid_t pid, bool reads);
int witness_present(const struct witness *witness, uint64_t page);
int witness_read_present(const struct witness *witness, uint64_t start, void *buffer,
			 unsigned int pages);
ssize_t witness_read(const struct witness *witness, uint64_t start, void *buffer,
		     size_t length);
int witness_grants(const struct witness *witness, uint64_t page);
int witness_has(const struct witness *witness, uint64_t page);

#endif /* ATTACH_WITNESS_H */
