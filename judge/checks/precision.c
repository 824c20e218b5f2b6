// SPDX-License-Identifier: GPL-2.0
/* Nothing but what was taken away may be gone, and an accessor gets on. */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include "check.h"

/*
 * As often is a page discarded before an accessor must have read it once, and until its thread
 * has run for so long: a thread that got no processor says nothing.
 */
#define DISCARDS	20000
#define CHANCE_SECONDS	1
/* One that sleeps all the while does not get on, either. */
#define MOST_DISCARDS	(50 * DISCARDS)

/* Misses of one read. */
static uint64_t misses_of_read(const struct trial *trial, const void *hva, uint32_t stamp)
{
	uint64_t before = trial->ops->misses(trial->accessor);

	expect_read(trial, hva, stamp);
	return trial->ops->misses(trial->accessor) - before;
}

static size_t page_number(const struct trial *trial, const void *hva)
{
	return (size_t)((const char *)hva - trial->arena) / PAGE;
}

static void expect_there(const struct trial *trial, const void *hva, uint32_t stamp,
			 const char *why)
{
	if (misses_of_read(trial, hva, stamp))
		convict(trial, VERDICT_OVER_INVALIDATED, "page %zu is missed, %s",
			page_number(trial, hva), why);
}

CHECK(no_miss, .summary = "pages that are there are not missed", .needs = NEED_MISSES)
{
	uint32_t stamp = cpu_fill(trial, trial->arena, 8);

	for (int i = 0; i < 8; i++)
		expect_read(trial, page_at(trial, i), stamp);
	for (int i = 0; i < 8; i++)
		expect_there(trial, page_at(trial, i), stamp, "though nothing happened");
}

/* A subject of larger grain loses a block; the pages beside it stay. */
CHECK(neighbours, .summary = "the pages beside a discarded one are not missed",
      .needs = NEED_MISSES)
{
	size_t grain = trial->ops->grain > PAGE ? trial->ops->grain : PAGE;
	char *block = trial->arena + (grain > PAGE ? grain : 20 * PAGE);
	char *before = block - PAGE, *behind = block + grain;
	uint32_t stamp;

	stamp = cpu_fill(trial, before, grain / PAGE + 2);
	for (int i = 0; i < 2; i++) {
		expect_read(trial, before, stamp);
		expect_read(trial, block, stamp);
		expect_read(trial, behind, stamp);
	}
	need(trial, !madvise(block, PAGE, MADV_DONTNEED), "discard a page");
	expect_there(trial, before, stamp, "though only the page behind it was discarded");
	expect_there(trial, behind, stamp, "though only the page before it was discarded");
	if (!misses_of_read(trial, block, 0))
		convict(trial, VERDICT_BROKEN, "a discarded page is not missed: misses are not counted");
}

/* Memory that no slot shows is none of its business. */
CHECK(elsewhere, .summary = "discards of other memory take nothing away",
      .unless = SUBJECT_NO_SLOTS, .needs = NEED_MISSES)
{
	uint32_t stamp = cpu_fill(trial, trial->arena, 8);

	for (int i = 0; i < 8; i++)
		expect_read(trial, page_at(trial, i), stamp);
	for (int i = 0; i < 8; i++) {
		char *other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		need(trial, other != MAP_FAILED && !munmap(other, PAGE), "map and unmap a page");
	}
	for (int i = 0; i < 8; i++)
		expect_there(trial, page_at(trial, i), stamp, "though only other memory was unmapped");
}

struct reader {
	const struct trial *trial;
	char *page;
	bool stop;
	uint64_t reads;
};

static void *read_often(void *argument)
{
	struct reader *reader = argument;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_ACQUIRE)) {
		expect_read(reader->trial, reader->page, 0);
		__atomic_add_fetch(&reader->reads, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Has the thread of this clock had a processor long enough to read many times? */
static bool had_a_chance(clockid_t clock)
{
	struct timespec used;

	return !clock_gettime(clock, &used) && used.tv_sec >= CHANCE_SECONDS;
}

static bool came_back(struct reader *reader)
{
	return __atomic_load_n(&reader->reads, __ATOMIC_ACQUIRE) >= 2;
}

/* Counted, and in its own time: a fault that starts over for each discard never ends. */
CHECK(starve, .summary = "an accessor gets on while its page is discarded without a pause",
      .seconds = 120)
{
	struct reader reader = { .trial = trial, .page = page_at(trial, 3) };
	pthread_t thread;
	clockid_t clock;
	int i;

	need(trial, !pthread_create(&thread, NULL, read_often, &reader) &&
		    !pthread_getcpuclockid(thread, &clock), "start a thread");
	/* It has begun; from here on, it must come back at least once. */
	while (!__atomic_load_n(&reader.reads, __ATOMIC_ACQUIRE))
		sched_yield();
	__atomic_store_n(&reader.reads, 0, __ATOMIC_RELEASE);
	for (i = 0; !came_back(&reader) && i < MOST_DISCARDS &&
		    (i < DISCARDS || !had_a_chance(clock)); i++)
		need(trial, !madvise(reader.page, PAGE, MADV_DONTNEED), "discard a page");
	if (!came_back(&reader))
		convict(trial, VERDICT_STARVED, "no read came back during %d discards", i);
	__atomic_store_n(&reader.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}
