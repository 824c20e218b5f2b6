// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "canary.h"
#include "message.h"
#include "stamp.h"

/*
 * The batches in flight together hold what several discards free; the newest
 * is filled while the older ones lie still. More than this only burns time.
 */
#define BATCH_PAGES	128
#define BATCHES		4
#define HOLD_MS		10

#define WORD_BITS	9

struct batch {
	uint64_t *words;
	uint64_t serial;
};

static uint64_t canary_word(uint64_t serial, unsigned int word)
{
	return CANARY_TAG << 48 |
	       (serial << WORD_BITS & 0xffffffffffffull) | word;
}

static int fill_batch(struct batch *batch, uint64_t serial)
{
	size_t length = BATCH_PAGES * GUEST_PAGE_SIZE;

	batch->serial = serial;
	batch->words = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (batch->words == MAP_FAILED) {
		batch->words = NULL;
		return -1;
	}
	/* Small pages are what discards free. */
	madvise(batch->words, length, MADV_NOHUGEPAGE);
	for (unsigned int page = 0; page < BATCH_PAGES; page++)
		for (unsigned int i = 0; i < GUEST_PAGE_WORDS; i++)
			batch->words[page * GUEST_PAGE_WORDS + i] =
				canary_word(serial + page, i);
	return 0;
}

static void verify_page(struct canary_status *status,
			const uint64_t *words, uint64_t serial)
{
	for (unsigned int i = 0; i < GUEST_PAGE_WORDS; i++) {
		/* The compiler must not know what it wrote there. */
		uint64_t value = __atomic_load_n(&words[i], __ATOMIC_RELAXED);

		if (value == canary_word(serial, i))
			continue;
		if (!status->violations) {
			status->word = i;
			status->value = value;
		}
		/* After the facts: the parent reads them by it. */
		__atomic_store_n(&status->violations, status->violations + 1,
				 __ATOMIC_RELEASE);
		return;
	}
}

static void drain_batch(struct batch *batch, struct canary_status *status)
{
	if (!batch->words)
		return;
	for (unsigned int page = 0; page < BATCH_PAGES; page++)
		verify_page(status, batch->words + page * GUEST_PAGE_WORDS,
			    batch->serial + page);
	munmap(batch->words, BATCH_PAGES * GUEST_PAGE_SIZE);
	batch->words = NULL;
	__atomic_store_n(&status->pages, status->pages + BATCH_PAGES,
			 __ATOMIC_RELAXED);
}

/*
 * Freed pages wait in lists of the processor that freed them: visit them all.
 * Fails harmlessly for a processor that is not there.
 */
static void visit_processor(unsigned int number)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(number, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Returns false if there was no memory. */
static bool canary_child(int pipe, struct canary_status *status)
{
	unsigned int processors = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	struct batch batches[BATCHES] = { 0 };
	struct pollfd stop = { .fd = pipe, .events = POLLIN };
	uint64_t serial = 1, round;
	bool fine = true;

	for (round = 0; fine && !poll(&stop, 1, HOLD_MS); round++) {
		struct batch *batch = &batches[round % BATCHES];

		visit_processor(round % processors);
		drain_batch(batch, status);
		fine = !fill_batch(batch, serial);
		serial += BATCH_PAGES;
	}
	for (unsigned int i = 0; i < BATCHES; i++)
		drain_batch(&batches[i], status);
	return fine;
}

/**
 * canary_start - fork the canary process
 * @canary: filled in
 *
 * To be called before the program has threads or guest memory: the child must
 * inherit neither.
 */
void canary_start(struct canary *canary)
{
	int ends[2];

	*canary = (struct canary) { .pipe = -1 };
	canary->status = mmap(NULL, sizeof(*canary->status),
			      PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (canary->status == MAP_FAILED || pipe(ends))
		die("cannot start the canary process: %s", strerror(errno));
	canary->pid = fork();
	if (canary->pid < 0)
		die("cannot start the canary process: %s", strerror(errno));
	if (!canary->pid) {
		/* A signal to all processes of a job is the parent's business. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		_exit(canary_child(ends[0], canary->status) ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	close(ends[0]);
	canary->pipe = ends[1];
}

/**
 * canary_report - report what the canary has seen since the last time
 * @canary: started, or stopped
 * @report: where violations go
 *
 * Return: pages the canary has held so far.
 */
uint64_t canary_report(struct canary *canary, struct report *report)
{
	const struct canary_status *status = canary->status;
	uint64_t violations = __atomic_load_n(&status->violations,
					      __ATOMIC_ACQUIRE);
	char line[96];

	snprintf(line, sizeof(line),
		 "somebody wrote into its memory: word %" PRIu64 " = 0x%016"
		 PRIx64 " in the first page changed", status->word,
		 status->value);
	for (; canary->reported < violations; canary->reported++)
		report_line(report, "canary", line);
	return __atomic_load_n(&status->pages, __ATOMIC_RELAXED);
}

/**
 * canary_stop - let the canary verify what it holds, and end it
 * @canary: started, and stopped already or not
 *
 * What it has seen can be read until the program ends.
 */
void canary_stop(struct canary *canary)
{
	int status = -1;

	if (canary->pid <= 0)
		return;
	close(canary->pipe);
	while (waitpid(canary->pid, &status, 0) < 0 && errno == EINTR)
		;
	canary->pid = 0;
	canary->gone = status;
	if (canary->gone)
		printf("storm: the canary process was killed, or had no memory: nobody watched what was "
		       "freed\n");
}
