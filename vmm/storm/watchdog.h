/* SPDX-License-Identifier: GPL-2.0 */
/* Ends the program when a signal asks it to, or when its threads do not get on. */
#ifndef VMM_WATCHDOG_H
#define VMM_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct watchdog - what is watched
 * @title: begins each line of what the watchdog says
 * @patience: seconds without progress, times SECMMU_TEST_SLOW, that mean "stuck"
 * @progress: a number that changes as long as the threads get on; called in the
 *	watchdog's thread, may neither allocate nor wait
 * @laggards: writes the names of threads that do not; the same holds for it
 * @violations: how many there are; the same holds for it
 * @context: argument of all three
 */
struct watchdog {
	const char *title;
	unsigned int patience;
	uint64_t (*progress)(void *context);
	void (*laggards)(void *context, char *text, size_t size);
	uint64_t (*violations)(void *context);
	void *context;
};

void watchdog_start(const struct watchdog *watchdog);
void watchdog_stop(void);
void watchdog_hold_signals(bool hold);

#endif /* VMM_WATCHDOG_H */
