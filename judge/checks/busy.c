// SPDX-License-Identifier: GPL-2.0
/* Slots that come, go and change while another accessor is at work. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include "check.h"

#define ROUNDS		50
#define LOG_ROUNDS	120
#define EVENT_ROUNDS	50
/* Pages that the worker writes, and one that it only reads. */
#define WORK_PAGES	16
#define READ_PAGE	40
/* Pages that a worker discards: an event that takes its time. */
#define EVENT_PAGE	512
#define EVENT_PAGES	512

/**
 * struct busy - an accessor at work on a thread of its own
 * @trial: its trial
 * @begin: does one piece of work
 * @done: pieces so far
 * @stop: it must end
 * @thread: it
 */
struct busy {
	struct trial trial;
	void (*begin)(struct trial *trial);
	uint64_t done;
	bool stop;
	pthread_t thread;
};

static void *work(void *argument)
{
	struct busy *busy = argument;

	while (!__atomic_load_n(&busy->stop, __ATOMIC_ACQUIRE)) {
		busy->begin(&busy->trial);
		__atomic_add_fetch(&busy->done, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Returns when a piece of work has begun and ended since. */
static void await_work(struct busy *busy)
{
	uint64_t now = __atomic_load_n(&busy->done, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&busy->done, __ATOMIC_ACQUIRE) < now + 2)
		sched_yield();
}

static void begin_work(const struct trial *trial, struct busy *busy,
		       void (*begin)(struct trial *trial))
{
	memset(busy, 0, sizeof(*busy));
	busy->begin = begin;
	trial_second(trial, &busy->trial);
	need(trial, !pthread_create(&busy->thread, NULL, work, busy), "start a thread");
	await_work(busy);
}

static void end_work(struct busy *busy)
{
	__atomic_store_n(&busy->stop, true, __ATOMIC_RELEASE);
	pthread_join(busy->thread, NULL);
	trial_second_end(&busy->trial);
}

static void replace_slot(const struct trial *trial)
{
	need(trial, !trial->ops->slot_delete(trial->subject, ARENA_SLOT), "delete a slot");
	need(trial, !trial->ops->slot_set(trial->subject, ARENA_SLOT, 0, trial->gpa, trial->arena,
					  ARENA_SIZE), "set a slot");
}

/* There is the slot, or there is none: no third answer. */
static void access_slot(struct trial *trial)
{
	ssize_t done = read_page(trial, page_at(trial, READ_PAGE));

	if (done >= 0 || done == -ENXIO)
		done = write_page(trial, page_at(trial, next_stamp() % WORK_PAGES), next_stamp());
	if (done < 0 && done != -ENXIO)
		convict(trial, VERDICT_WRONG_PERMISSION, "an access to a slot that comes and goes "
			"gives \"%s\"", strerror((int)-done));
}

CHECK(slot_busy, .summary = "a slot goes and comes back while an accessor uses it",
      .unless = SUBJECT_NO_SLOTS | SUBJECT_ONE_ACCESSOR, .needs = NEED_SLOT_DELETE)
{
	char *page = page_at(trial, READ_PAGE);
	struct busy busy;

	begin_work(trial, &busy, access_slot);
	for (int i = 0; i < ROUNDS; i++) {
		await_work(&busy);
		replace_slot(trial);
		expect_read(trial, page, cpu_fill(trial, page, 1));
	}
	end_work(&busy);
}

/* Memory that is there, so that the event has something to do. */
static void discard_pages(struct trial *trial)
{
	char *first = page_at(trial, EVENT_PAGE);

	for (size_t n = 0; n < EVENT_PAGES; n++)
		first[n * PAGE] = 1;
	need(trial, !madvise(first, EVENT_PAGES * PAGE, MADV_DONTNEED), "discard pages");
}

/* What an event has begun must end with it, whatever slots there are by then. */
CHECK(slot_event, .summary = "a slot goes and comes back while its memory is discarded",
      .unless = SUBJECT_NO_SLOTS | SUBJECT_ONE_ACCESSOR, .needs = NEED_SLOT_DELETE)
{
	char *page = page_at(trial, READ_PAGE), *discarded = page_at(trial, EVENT_PAGE);
	struct busy busy;

	begin_work(trial, &busy, discard_pages);
	for (int i = 0; i < EVENT_ROUNDS; i++) {
		replace_slot(trial);
		expect_read(trial, page, cpu_fill(trial, page, 1));
	}
	end_work(&busy);
	expect_read(trial, discarded, cpu_fill(trial, discarded, 1));
	expect_write(trial, discarded);
}

/* There may be no slot: any error will do. */
static void prefault_slot(struct trial *trial)
{
	trial->ops->prefault(trial->accessor, trial->gpa, ARENA_SIZE, true);
}

CHECK(slot_prefault, .summary = "a slot goes and comes back while it is mapped beforehand",
      .unless = SUBJECT_NO_SLOTS | SUBJECT_ONE_ACCESSOR,
      .needs = NEED_SLOT_DELETE | NEED_PREFAULT)
{
	char *page = page_at(trial, READ_PAGE);
	int first = trial->ops->prefault(trial->accessor, trial->gpa, ARENA_SIZE, true);
	struct busy busy;

	if (first)
		convict(trial, VERDICT_WRONG_PERMISSION, "a prefault of mapped memory is refused: %s",
			strerror(-first));
	begin_work(trial, &busy, prefault_slot);
	for (int i = 0; i < ROUNDS; i++) {
		replace_slot(trial);
		expect_read(trial, page, cpu_fill(trial, page, 1));
	}
	end_work(&busy);
}

/* One transfer: no page of it is begun twice. */
static void write_pages(struct trial *trial)
{
	trial->ops->write(trial->accessor, trial->gpa, trial->buffer, WORK_PAGES * PAGE);
}

/* The process's mark is all over the page. */
static bool has_mark(const char *page)
{
	for (size_t i = 0; i < PAGE; i++)
		if (((const volatile char *)page)[i] != 'm')
			return false;
	return true;
}

/*
 * The process marks pages once the log has begun. A page that loses its mark was written
 * after that, and must be in the log.
 */
CHECK(dirty_log_busy, .summary = "a log that begins while an accessor writes misses no write",
      .unless = SUBJECT_ONE_ACCESSOR | SUBJECT_WHOLE_PAGES, .needs = NEED_DIRTY, .seconds = 60)
{
	uint64_t bitmap[ARENA_PAGES / 64];
	struct busy busy;

	begin_work(trial, &busy, write_pages);
	for (int i = 0; i < LOG_ROUNDS; i++) {
		bool kept[WORK_PAGES];

		trial_set_slot(trial, 0);
		await_work(&busy);
		trial_set_slot(trial, SLOT_LOG_DIRTY);
		memset(trial->arena, 'm', WORK_PAGES * PAGE);
		for (int tries = 0; tries < 100; tries++)
			sched_yield();
		for (size_t n = 0; n < WORK_PAGES; n++)
			kept[n] = has_mark(page_at(trial, n));
		need(trial, !trial->ops->dirty(trial->subject, ARENA_SLOT, bitmap, ARENA_PAGES),
		     "read the log");
		for (size_t n = 0; n < WORK_PAGES; n++)
			if (!kept[n] && !(bitmap[n / 64] >> n % 64 & 1))
				convict(trial, VERDICT_LOST_WRITE, "round %d: page %zu was written "
					"after the log had begun, and is not in it", i, n);
	}
	end_work(&busy);
}
