// SPDX-License-Identifier: GPL-2.0
/* A fault against an event of the same page. */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include "check.h"

/* A fault that asks too early, or never, was convicted in rounds 27, 34, 67 and 367. */
#define ROUNDS		1000

/**
 * struct racer - an accessor that reads one page all the time
 * @trial: with an accessor of its own
 * @page: what it reads
 * @begun: it has read once
 * @stop: it is to end
 */
struct racer {
	struct trial trial;
	char *page;
	bool begun;
	bool stop;
};

/* What it reads is nobody's business: it is there to fault while the page changes. */
static void *read_always(void *argument)
{
	struct racer *racer = argument;

	while (!__atomic_load_n(&racer->stop, __ATOMIC_RELAXED)) {
		read_page(&racer->trial, racer->page);
		__atomic_store_n(&racer->begun, true, __ATOMIC_RELEASE);
	}
	return NULL;
}

/*
 * After a discard the racer faults the zero page in, while the process's write replaces it. A
 * fault that does not notice keeps the zero page, where the accessors share what they have.
 */
CHECK(fault_race, .summary = "a fault that an event overtakes leaves nothing old behind",
      .unless = SUBJECT_ONE_ACCESSOR, .seconds = 120)
{
	struct racer racer = { .page = page_at(trial, 3) };
	pthread_t thread;

	trial_second(trial, &racer.trial);
	need(trial, !pthread_create(&thread, NULL, read_always, &racer), "start a thread");
	while (!__atomic_load_n(&racer.begun, __ATOMIC_ACQUIRE))
		sched_yield();
	for (int i = 0; i < ROUNDS; i++) {
		need(trial, !madvise(racer.page, PAGE, MADV_DONTNEED), "discard a page");
		expect_read(trial, racer.page, cpu_fill(trial, racer.page, 1));
	}
	__atomic_store_n(&racer.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	trial_second_end(&racer.trial);
}
