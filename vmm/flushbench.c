// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "exitcode.h"
#include "flushbench.h"
#include "flushtable.h"
#include "hypercall.h"
#include "mirror.h"
#include "message.h"
#include "json.h"

#define ARRAY_BATCH	32
#define MAX_REPEATS	31
#define MAX_POINTS	16
#define MAX_ATTEMPTS	5

/* The reader's pages: in a slot of their own, never discarded. */
#define SENTINEL_GPA	(1ull << 40)
#define SENTINEL_PAGES	4

#define TOUCH_BYTES	(256 * 1024)

/**
 * struct policy - a flush policy to compare
 * @name: as printed
 * @policy: enum secmmu_flush_policy
 * @batch: its flush_batch
 * @per_flush: sptes dropped per flush, zero for all
 */
struct policy {
	const char *name;
	uint32_t policy;
	uint32_t batch;
	uint64_t per_flush;
};

static const struct policy policies[] = {
	{ "range", SECMMU_FLUSH_RANGE, 0, 0 },
	{ "array:32", SECMMU_FLUSH_ARRAY, ARRAY_BATCH, ARRAY_BATCH },
	{ "each", SECMMU_FLUSH_EACH, 0, 1 },
};

#define POLICIES	(sizeof(policies) / sizeof(policies[0]))

/**
 * struct size - how many pages an event covers
 * @pages: pages
 * @repeats: events measured; odd, for the median
 * @quick: measured in a quick run too
 * @range_only: the other policies would take too long
 */
static const struct size {
	uint64_t pages;
	unsigned int repeats;
	bool quick;
	bool range_only;
} sizes[] = {
	{ 1, MAX_REPEATS, true, false },
	{ 512, 15, true, false },
	{ 4096, 7, false, false },
	{ 65536, 3, false, true },
};

#define SIZES	(sizeof(sizes) / sizeof(sizes[0]))

/**
 * struct bench - one policy, one size
 * @mirror: the mirror
 * @reader: engine of the thread that keeps windows open
 * @toucher: engine that installs the sptes
 * @thread: the reader's thread
 * @pages: what is discarded
 * @length: its bytes
 * @sentinels: the reader's pages
 * @buffer: where @toucher reads to
 * @reads: of the reader's thread
 * @stop: ends the reader's thread
 * @failed: the reader met an error
 */
struct bench {
	int mirror;
	int reader;
	int toucher;
	pthread_t thread;
	char *pages;
	uint64_t length;
	char *sentinels;
	char *buffer;
	uint64_t reads;
	bool stop;
	int failed;
};

/* Pins the caller to the @index-th processor it may use, if there is one. */
static void pin(const cpu_set_t *allowed, int index)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, allowed) && !index--) {
			CPU_SET(i, &one);
			sched_setaffinity(0, sizeof(one), &one);
			return;
		}
}

static cpu_set_t allowed;

static void *read_sentinels(void *argument)
{
	struct bench *bench = argument;
	char page[GUEST_PAGE_SIZE];
	uint64_t turn;

	pin(&allowed, 1);
	for (turn = 0; !__atomic_load_n(&bench->stop, __ATOMIC_RELAXED);
	     turn++) {
		uint64_t gpa = SENTINEL_GPA +
			       turn % SENTINEL_PAGES * GUEST_PAGE_SIZE;
		ssize_t done = gpa_read(bench->reader, page, sizeof(page), gpa);

		if (done != (ssize_t)sizeof(page)) {
			__atomic_store_n(&bench->failed, (int)done ? (int)done :
					 -EIO, __ATOMIC_RELEASE);
			break;
		}
		__atomic_store_n(&bench->reads, turn + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Fresh small pages, each with an spte. */
static int populate(struct bench *bench)
{
	char *pages = mmap(bench->pages, bench->length,
			   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_FIXED | MAP_POPULATE, -1, 0);

	if (pages == MAP_FAILED)
		return say("cannot map %" PRIu64 " bytes: %s",
				    bench->length, strerror(errno));
	madvise(pages, bench->length, MADV_NOHUGEPAGE);
	for (uint64_t at = 0; at < bench->length;) {
		uint64_t left = bench->length - at;
		ssize_t done = gpa_read(bench->toucher, bench->buffer,
					left < TOUCH_BYTES ? left : TOUCH_BYTES, at);

		if (done <= 0)
			return say("the engine cannot read at %#"
					    PRIx64 ": %s", at,
					    strerror(done ? (int)-done : EIO));
		at += (uint64_t)done;
	}
	return 0;
}

/* One discard: its time, and what the driver counts for it. */
static int discard(struct bench *bench, uint64_t *ns,
		   struct secmmu_stats *before, struct secmmu_stats *after)
{
	uint64_t reads = __atomic_load_n(&bench->reads, __ATOMIC_ACQUIRE);

	if (populate(bench))
		return -1;
	/* The reader is running, not merely started. */
	while (__atomic_load_n(&bench->reads, __ATOMIC_ACQUIRE) == reads)
		if (__atomic_load_n(&bench->failed, __ATOMIC_ACQUIRE))
			return say("the reading engine failed: %s",
					    strerror(-bench->failed));
	mirror_stats(bench->mirror, before);
	*ns = now_ns();
	if (madvise(bench->pages, bench->length, MADV_DONTNEED))
		return say("cannot discard: %s", strerror(errno));
	*ns = now_ns() - *ns;
	mirror_stats(bench->mirror, after);
	return 0;
}

/* A discard that was the only event while it lasted, and its exact counts. */
static int measure_event(struct bench *bench, const struct policy *policy,
			 struct flushtable_row *row, uint64_t *ns)
{
	uint64_t per_flush = policy->per_flush;
	uint64_t expected = per_flush ?
			    (row->pages + per_flush - 1) / per_flush : 1;
	struct secmmu_stats before, after;
	uint64_t flushes;

	/* Compaction may add events of its own, now and then. */
	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		if (discard(bench, ns, &before, &after))
			return -1;
		if (after.events - before.events == 1)
			break;
	}
	flushes = after.flushes - before.flushes -
		  (after.assists - before.assists);
	if (after.zap_events - before.zap_events != 1 ||
	    after.zapped - before.zapped != row->pages)
		return say("%s, %" PRIu64 " pages: the discard dropped %"
				    PRIu64 " entries in %" PRIu64 " events",
				    row->policy, row->pages,
				    (uint64_t)(after.zapped - before.zapped),
				    (uint64_t)(after.zap_events -
					       before.zap_events));
	if (flushes != expected)
		return say("%s, %" PRIu64 " pages: %" PRIu64
				    " flushes, not %" PRIu64, row->policy,
				    row->pages, flushes, expected);
	row->events++;
	row->flushes += flushes;
	return 0;
}

static int measure_point(struct bench *bench, const struct policy *policy,
			 struct flushtable_row *row, unsigned int repeats)
{
	uint64_t times[MAX_REPEATS];

	for (unsigned int i = 0; i < repeats; i++)
		if (measure_event(bench, policy, row, &times[i]))
			return -1;
	qsort(times, repeats, sizeof(times[0]), compare);
	row->ns_per_page = times[repeats / 2] / row->pages;
	return 0;
}

static int open_bench(struct bench *bench, const struct policy *policy)
{
	int prot = PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	bench->mirror = mirror_need(secmmu_create_mirror(mirror_device(), policy->policy,
							  policy->batch), "create a mirror");
	bench->buffer = malloc(TOUCH_BYTES);
	bench->pages = mmap(NULL, bench->length, prot, flags, -1, 0);
	bench->sentinels = mmap(NULL, SENTINEL_PAGES * GUEST_PAGE_SIZE, prot,
				flags | MAP_POPULATE, -1, 0);
	if (!bench->buffer || bench->pages == MAP_FAILED ||
	    bench->sentinels == MAP_FAILED)
		return say("out of memory");
	mirror_slot(bench->mirror, 0, 0, bench->pages, bench->length);
	mirror_slot(bench->mirror, 1, SENTINEL_GPA, bench->sentinels,
		    SENTINEL_PAGES * GUEST_PAGE_SIZE);
	bench->toucher = mirror_engine(bench->mirror, 0);
	bench->reader = mirror_engine(bench->mirror, 0);
	return 0;
}

static void close_bench(struct bench *bench)
{
	close(bench->reader);
	close(bench->toucher);
	close(bench->mirror);
	if (bench->sentinels && bench->sentinels != MAP_FAILED)
		munmap(bench->sentinels, SENTINEL_PAGES * GUEST_PAGE_SIZE);
	if (bench->pages && bench->pages != MAP_FAILED)
		munmap(bench->pages, bench->length);
	free(bench->buffer);
}

/* Returns an exit status, after a message unless that is EXIT_PASS. */
static int run_point(const struct size *size, const struct policy *policy,
		     bool quick, struct flushtable_row *row)
{
	struct bench bench = {
		.mirror = -1,
		.reader = -1,
		.toucher = -1,
		.length = size->pages * GUEST_PAGE_SIZE,
	};
	int status = EXIT_CANNOT, error;

	*row = (struct flushtable_row) {
		.policy = policy->name,
		.pages = size->pages,
	};
	if (open_bench(&bench, policy))
		goto close;
	error = pthread_create(&bench.thread, NULL, read_sentinels, &bench);
	if (error) {
		say("cannot start a thread: %s", strerror(error));
		goto close;
	}
	status = measure_point(&bench, policy, row,
			       quick && size->repeats > 5 ? 5 : size->repeats) ?
		 EXIT_FAIL : EXIT_PASS;
	__atomic_store_n(&bench.stop, true, __ATOMIC_RELAXED);
	pthread_join(bench.thread, NULL);
close:
	close_bench(&bench);
	return status;
}

/**
 * flushbench_run - compare the flush policies
 * @options: what to measure
 *
 * One thread discards, another keeps an engine's windows open on another
 * processor, so that every flush has somebody to interrupt.
 *
 * Return: the program's exit status: EXIT_FAIL if counts are not exact or an engine
 * failed, EXIT_CANNOT if it could not be tried.
 */
int flushbench_run(const struct flushbench_options *options)
{
	struct flushtable_row rows[MAX_POINTS];
	unsigned int count = 0;
	int status;

	/* Whole tables would be dropped as single entries. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		say("huge pages stay on: %s", strerror(errno));
	if (options->json && json_writable(options->json))
		return EXIT_CANNOT;
	sched_getaffinity(0, sizeof(allowed), &allowed);
	pin(&allowed, 0);
	for (unsigned int i = 0; i < SIZES; i++) {
		for (unsigned int j = 0; j < POLICIES; j++) {
			if ((options->points && !sizes[i].quick) ||
			    (sizes[i].range_only && policies[j].per_flush))
				continue;
			status = run_point(&sizes[i], &policies[j],
					   options->points, &rows[count]);
			if (status)
				return status;
			flushtable_print(&rows[count], !count);
			count++;
		}
	}
	if (options->json && flushtable_write(options->json, rows, count))
		return EXIT_CANNOT;
	return EXIT_PASS;
}
