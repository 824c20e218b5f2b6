// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log against engines that write meanwhile. Who copies each page that
 * a log names, right after that log, must in the end have a true copy: no write
 * is lost between two logs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define BASE	0xb0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define WRITERS	2
#define PAGES_EACH	96L
#define PAGES	(WRITERS * PAGES_EACH)
#define WRITES	40000

/*
 * Other slots that show the first page: an event there has to look at them all,
 * so that the entry of the first one is dropped long before the flush.
 */
#define ALIASES	16384
#define ALIAS(slot)	(2 * BASE + (slot) * (PAGE << 9))
#define ROUNDS	40

struct shared {
	int mirror;
	char *mem;
	atomic_int writing;		/* writers that are not done */
	__u64 copy[PAGES];
	__u64 log[PAGES / 64];
	bool ever[PAGES];		/* in any log */
	unsigned long logs, pages;	/* fetched; named by them */
	atomic_bool ready;		/* the follower looks out */
	int error;			/* the follower's result */
};

struct writer {
	pthread_t thread;
	struct shared *shared;
	int engine;
	long first;
	__u64 last[PAGES_EACH];		/* stored last, per page */
	int error;
};

FIXTURE(dirtyrace)
{
	int dev, mirror, engine;
	struct shared *shared;
	struct writer writers[WRITERS];
};

FIXTURE_SETUP(dirtyrace)
{
	int i;

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->shared = calloc(1, sizeof(*self->shared));
	ASSERT_NE(NULL, self->shared);
	self->shared->mirror = self->mirror;
	self->shared->mem = ASSERT_MEMORY(region_map(PAGES));
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, SECMMU_SLOT_LOG_DIRTY,
				     BASE, self->shared->mem, PAGES * PAGE));
	for (i = 0; i < WRITERS; i++) {
		self->writers[i].shared = self->shared;
		self->writers[i].first = i * PAGES_EACH;
		self->writers[i].engine = NEW_ENGINE(self->mirror);
	}
}

FIXTURE_TEARDOWN(dirtyrace)
{
	int i;

	EXPECT_COHERENT_IF_KNOWN(self->mirror);
	for (i = 0; i < WRITERS; i++)
		close(self->writers[i].engine);
	region_unmap(self->shared->mem, PAGES);
	free(self->shared);
	SECMMU_TEARDOWN();
}

/* Fetches the log and copies the pages that it names. */
static int follow(struct shared *shared, long pages)
{
	int ret = secmmu_dirty_log(shared->mirror, 0, 0, pages, shared->log);
	long i;

	if (ret)
		return ret;
	shared->logs++;
	for (i = 0; i < pages; i++) {
		if (!(shared->log[i / 64] >> i % 64 & 1))
			continue;
		shared->copy[i] = *word_at(shared->mem, i);
		shared->ever[i] = true;
		shared->pages++;
	}
	return 0;
}

static void *write_pages(void *data)
{
	struct writer *writer = data;
	long i, page;

	for (i = 1; i <= WRITES && !writer->error; i++) {
		/* Some pages often, some seldom, the last third never. */
		page = i % 7 ? i % 8 : i / 7 % (PAGES_EACH * 2 / 3);
		writer->last[page] = label(writer->first + page, i);
		writer->error = gpa_put(writer->engine, GPA(writer->first + page),
					writer->last[page]);
	}
	atomic_fetch_sub(&writer->shared->writing, 1);
	return NULL;
}

SECMMU_TEST_F_TIMEOUT(dirtyrace, C2_writers_against_the_log, SECMMU_TIMEOUT_LONG)
{
	struct shared *shared = self->shared;
	int i, ret = 0;
	long page;

	atomic_store(&shared->writing, WRITERS);
	for (i = 0; i < WRITERS; i++) {
		ASSERT_EQ(0, pthread_create(&self->writers[i].thread, NULL,
					    write_pages, &self->writers[i]));
	}
	while (!ret && atomic_load(&shared->writing))
		ret = follow(shared, PAGES);
	for (i = 0; i < WRITERS; i++)
		pthread_join(self->writers[i].thread, NULL);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, follow(shared, PAGES));

	for (i = 0; i < WRITERS; i++) {
		struct writer *writer = &self->writers[i];

		EXPECT_EQ(0, writer->error);
		for (page = 0; page < PAGES_EACH; page++) {
			long at = writer->first + page;

			EXPECT_EQ(!!writer->last[page], shared->ever[at]);
			EXPECT_EQ(writer->last[page], shared->copy[at]);
			EXPECT_EQ(writer->last[page], *word_at(shared->mem, at));
		}
	}
	/* Logs that came before or after all writes prove nothing. */
	EXPECT_LT(2, shared->logs);
	EXPECT_LT(PAGES, (long)shared->pages);
}

/* Writes the first page until that is forbidden. */
static void *write_until_refused(void *data)
{
	struct writer *writer = data;
	__u64 value = 0;

	do {
		writer->error = gpa_put(writer->engine, GPA(0), ++value);
		if (!writer->error)
			writer->last[0] = value;
	} while (!writer->error);
	atomic_fetch_sub(&writer->shared->writing, 1);
	return NULL;
}

/* Fetches the log as soon as an event has begun. */
static void *follow_event(void *data)
{
	struct shared *shared = data;
	struct secmmu_stats a, b;
	int ret = secmmu_get_stats(shared->mirror, &a);

	atomic_store(&shared->ready, true);
	do {
		ret = ret ?: secmmu_get_stats(shared->mirror, &b);
	} while (!ret && a.events == b.events && atomic_load(&shared->writing));
	while (!ret && atomic_load(&shared->writing))
		ret = follow(shared, 64);
	shared->error = ret;
	return NULL;
}

/* One event against one writer. Zero or an error. */
static int race_once(FIXTURE_DATA(dirtyrace) *self)
{
	struct shared *shared = self->shared;
	struct writer *writer = &self->writers[0];
	pthread_t follower;
	int ret = gpa_put(self->engine, BASE, 0);

	ret = ret ?: follow(shared, PAGES);
	if (ret)
		return ret;
	atomic_store(&shared->writing, 1);
	atomic_store(&shared->ready, false);
	writer->last[0] = 0;
	if (pthread_create(&writer->thread, NULL, write_until_refused, writer))
		return -EAGAIN;
	while (!*word_at(shared->mem, 0))
		sched_yield();
	if (pthread_create(&follower, NULL, follow_event, shared))
		return -EAGAIN;
	while (!atomic_load(&shared->ready))
		sched_yield();
	if (mprotect(shared->mem, PAGE, PROT_READ))
		return -errno;
	pthread_join(writer->thread, NULL);
	pthread_join(follower, NULL);
	ret = shared->error ?: follow(shared, PAGES);
	if (mprotect(shared->mem, PAGE, PROT_READ | PROT_WRITE))
		return -errno;
	return ret;
}

/*
 * An event drops the dirty entry of the first page and has not flushed yet: the
 * engine still writes, by its TLB. A log that names the page then must not be
 * the last one to do so.
 */
SECMMU_TEST_F_TIMEOUT(dirtyrace, B2_log_against_an_event, SECMMU_TIMEOUT_LONG)
{
	struct shared *shared = self->shared;
	struct writer *writer = &self->writers[0];
	int i, round, lost = 0;

	for (i = 1; i <= ALIASES; i++) {
		ASSERT_EQ(0, secmmu_set_slot(self->mirror, i, 0, ALIAS(i), shared->mem, PAGE));
	}
	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, race_once(self));
		ASSERT_EQ(-EFAULT, writer->error);
		ASSERT_EQ(writer->last[0], *word_at(shared->mem, 0));
		lost += shared->copy[0] != writer->last[0];
	}
	EXPECT_EQ(0, lost) TH_LOG("of %d rounds", ROUNDS);
}

TEST_HARNESS_MAIN
