/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT and SIGTERM: the first is noted, so that what was begun is finished; the second
 * of its kind ends the program at once.
 */
#ifndef LIB_INTERRUPT_H
#define LIB_INTERRUPT_H

void interrupt_catch(void);
/* The number of the latest signal, or 0. */
int interrupt_signal(void);

#endif /* LIB_INTERRUPT_H */
