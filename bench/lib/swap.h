/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap space on a RAM disk, to reclaim memory with: there at one moment, not at the
 * next. What fails ends the program with a sentence.
 */
#ifndef BENCH_SWAP_H
#define BENCH_SWAP_H

/* Make it, on an empty /dev/ram0; the machine has no other. */
void swap_make(void);
void swap_on(void);
/* What is swapped out comes back. */
void swap_off(void);

#endif /* BENCH_SWAP_H */
