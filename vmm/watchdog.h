/* SPDX-License-Identifier: GPL-2.0 */
/* Ends the program when it is asked to, or when it does not end by itself. */
#ifndef VMM_WATCHDOG_H
#define VMM_WATCHDOG_H

#include <stdbool.h>

void watchdog_start(unsigned int seconds);
bool watchdog_interrupted(void);
void watchdog_hold_signals(bool hold);

#endif /* VMM_WATCHDOG_H */
