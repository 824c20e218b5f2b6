/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap space on a RAM disk, which comes and goes, to reclaim memory with. What fails ends
 * the program.
 */
#ifndef BENCH_SWAP_H
#define BENCH_SWAP_H

/* Make it on an empty /dev/ram0; the machine must have no other. */
void swap_make(void);
void swap_on(void);
/* Swapped pages come back. */
void swap_off(void);

#endif /* BENCH_SWAP_H */
