/* SPDX-License-Identifier: GPL-2.0 */
/* Swap space on zram, for the checks that need some. */
#ifndef JUDGE_SWAP_H
#define JUDGE_SWAP_H

/* Makes some, if the machine has zram and no swap space yet. */
void swap_begin(void);

#endif /* JUDGE_SWAP_H */
