// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exitcode.h"
#include "mark.h"
#include "interrupt.h"
#include "message.h"
#include "threads.h"
#include "watchdog.h"

#define SLOW_VARIABLE	"SECMMU_TEST_SLOW"
#define SLOW_MAX	100

/* How often the watchdog looks, and what it says in one line. */
#define TURN_US		250000u
#define TURNS_PER_S	(1000000u / TURN_US)
#define LINE_BYTES	1000

static struct watchdog watched;
static pthread_t thread;
static bool stop;

/*
 * Other threads may sleep in the kernel with the lock of the heap, of a stream or of
 * the address space: this one allocates nothing, and touches no memory that it has not
 * touched before, with -1 for @fd.
 */
static void tell_stuck(int fd, unsigned int seconds, uint64_t violations)
{
	static char line[LINE_BYTES], who[LINE_BYTES / 2];

	watched.laggards(watched.context, who, sizeof(who));
	snprintf(line, sizeof(line), "%s: stuck: no progress for %u s of: %s. These threads are alive:\n",
		 watched.title, seconds, who);
	threads_write(fd, line);
	threads_tell(fd, who);
	snprintf(line, sizeof(line),
		 "%s: report these stacks with the kernel's log; a machine that is only slow "
		 "takes a longer --stuck-after\n"
		 "%s: %s, %" PRIu64 " violations\n", watched.title,
		 watched.title, violations ? "FAIL" : "STUCK", violations);
	threads_write(fd, line);
}

static unsigned int slow_factor(void)
{
	const char *slow = getenv(SLOW_VARIABLE);
	int factor = slow ? atoi(slow) : 1;

	return factor < 1 || factor > SLOW_MAX ? 1 : (unsigned int)factor;
}

/* Counts its own turns, so that a process that was stopped is not called stuck. */
static void *watch_progress(void *argument)
{
	unsigned int patience = watched.patience * slow_factor(), turns = 0;
	uint64_t last = watched.progress(watched.context);

	(void)argument;
	tell_stuck(-1, patience, watched.violations(watched.context));
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		uint64_t now, violations;

		usleep(TURN_US);
		now = watched.progress(watched.context);
		turns = now == last ? turns + 1 : 0;
		last = now;
		if (turns < patience * TURNS_PER_S)
			continue;
		violations = watched.violations(watched.context);
		mark_here(MARK_WRONG);
		tell_stuck(STDOUT_FILENO, patience, violations);
		_exit(violations ? EXIT_FAIL : EXIT_STUCK);
	}
	return NULL;
}

/**
 * watchdog_start - from now on, threads must get on, and signals are heeded
 * @watchdog: what to watch; copied
 */
void watchdog_start(const struct watchdog *watchdog)
{
	int error;

	watched = *watchdog;
	watchdog_hold_signals(true);
	error = pthread_create(&thread, NULL, watch_progress, NULL);
	watchdog_hold_signals(false);
	if (error)
		die("cannot start a thread: %s", strerror(error));
	pthread_setname_np(thread, "watchdog");
	interrupt_catch();
}

/**
 * watchdog_stop - watch no longer
 *
 * Signals are heeded all the same.
 */
void watchdog_stop(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
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
	pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}
