/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client of the kernel's own test of HMM (lib/test_hmm.c), to compare with: a mirror
 * that keeps struct page pointers in an xarray. What fails ends the program.
 */
#ifndef BENCH_HMM_H
#define BENCH_HMM_H

#include <stdbool.h>
#include <stddef.h>

/* Is the module loaded? If not, say once that the comparison goes without it. */
bool hmm_is_there(void);
/* A mirror of this process, empty. */
int hmm_open(void);
/* Let it map pages, which it does in order to copy them to a buffer of its own. */
void hmm_read(int hmm, const void *memory, size_t pages);

#endif /* BENCH_HMM_H */
