// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include "watchdog.h"

/* How long after its time the storm may still be winding up; on slow kernels, longer. */
#define GRACE_SECONDS	9
#define SLOW_VARIABLE	"SECMMU_TEST_SLOW"
#define SLOW_MAX	100

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* Threads may be stuck in the kernel: nothing but async-signal-safe calls. */
static void on_alarm(int signal)
{
	static const char text[] =
		"storm: stuck: threads do not finish\n"
		"storm: FAIL, 1 violations\n";

	(void)signal;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

/**
 * watchdog_start - from now on, the program has so much time
 * @seconds: how long the storm itself shall take
 */
void watchdog_start(unsigned int seconds)
{
	const struct sigaction interrupt = { .sa_handler = on_interrupt };
	const struct sigaction timeout = { .sa_handler = on_alarm };
	const char *slow = getenv(SLOW_VARIABLE);
	int factor = slow ? atoi(slow) : 1;

	if (factor < 1 || factor > SLOW_MAX)
		factor = 1;
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	sigaction(SIGALRM, &timeout, NULL);
	alarm(seconds + factor * GRACE_SECONDS);
}

/**
 * watchdog_interrupted - has somebody asked the program to end?
 *
 * Return: true after SIGINT or SIGTERM.
 */
bool watchdog_interrupted(void)
{
	return interrupted;
}

/**
 * watchdog_hold_signals - keep signals away from the threads made meanwhile
 * @hold: before they are made; false afterwards
 *
 * Threads inherit the mask. A signal would make their transfers fail or fall
 * short, which is no violation but looks like one.
 */
void watchdog_hold_signals(bool hold)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGALRM);
	pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}
