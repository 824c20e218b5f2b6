/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Coverage: which instrumented places (PCs) of the kernel the threads of a program
 * come by, and in which order. KCOV records them for each thread apart; on a kernel
 * where only the driver is instrumented these are places of the driver. Not seen: what
 * runs in interrupts, RCU callbacks, other threads and processes, and while a thread
 * ends.
 */
#ifndef FUZZ_COVER_H
#define FUZZ_COVER_H

#include <stdbool.h>
#include <stdint.h>

int cover_open(void);
void cover_begin(unsigned int thread);
void cover_end(unsigned int thread);
bool cover_collect(void);
uint32_t cover_places(void);

#endif /* FUZZ_COVER_H */
