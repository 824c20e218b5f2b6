// SPDX-License-Identifier: GPL-2.0
/*
 * Q9: do events in one address space get into each other's way?
 *
 * Threads, each on a processor of its own, discard memory, each in a range of its own:
 * event after event, each timed. Without a mirror, with one that has it all mapped,
 * and with an engine running beside, where there is a processor left for it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>

#include "bench.h"
#include "figures.h"
#include "mirror.h"
#include "runner.h"
#include "worker.h"

#define PAGE		4096ul
#define THREADS_MAX	4u

/* A thread's range; what no event discards is not touched. */
#define RANGE_PAGES	2048ul
#define EVENTS_MAX	512ul

/* How often an engine may not get a processor; on a busy host it takes a few. */
#define TRIES		100u

enum listener { NOBODY, MIRROR, RUNNING, LISTENERS };

static const char *const listeners[LISTENERS] = {
	[NOBODY] = "none",
	[MIRROR] = "mirror",
	[RUNNING] = "mirror, engine running",
};

/* Pages per event; as many sizes as the grid wants. */
static const size_t sizes[] = { 16, 1, 256 };
static const size_t nr_sizes[BENCH_GRIDS] = { 3, 2, 1 };

static const struct figure figures_of_events[] = {
	{ FIGURE_MEAN, "mean", NULL },
	{ FIGURE_P50, "p50", NULL },
	{ FIGURE_P99, "p99", NULL },
	{ FIGURE_MAX, "max", NULL },
};

/**
 * struct subject - a process
 * @listener: who listens there
 * @worker: the process
 * @mirror: the mirror, if there is one
 * @runner: the engine that runs, if there is one
 * @memory: ranges of all threads
 */
struct subject {
	enum listener listener;
	struct worker worker;
	int mirror;
	struct runner runner;
	char *memory;
};

/**
 * struct point - so many threads, events of one size
 * @subject: where
 * @threads: how many
 * @pages: pages per event
 * @figures: what comes of it
 */
struct point {
	struct subject *subject;
	unsigned int threads;
	size_t pages;
	struct figures figures;
};

/**
 * struct range - what a thread works on
 * @subject: the process it belongs to
 * @index: number of thread, processor and range
 * @pages: pages per event
 */
struct range {
	const struct subject *subject;
	unsigned int index;
	size_t pages;
};

/* Seen by the process that is measured and its parent: those of a thread, and so on. */
static uint64_t *times;

/* Threads that are not ready yet. */
static atomic_uint missing;

static size_t events_of(size_t pages)
{
	return MIN(EVENTS_MAX, RANGE_PAGES / pages);
}

static void fill(const struct subject *subject, unsigned int index, size_t length)
{
	size_t offset = index * RANGE_PAGES * PAGE;

	if (subject->listener != NOBODY)
		mirror_prefault(subject->mirror, offset, length,
				SECMMU_PREFAULT_WRITE);
	else if (madvise(subject->memory + offset, length, MADV_POPULATE_WRITE))
		bench_die("cannot populate memory: %s", strerror(errno));
}

static void *discard(void *data)
{
	const struct range *range = data;
	size_t length = range->pages * PAGE, events = events_of(range->pages);
	char *at = range->subject->memory + range->index * RANGE_PAGES * PAGE;
	uint64_t *time = times + range->index * EVENTS_MAX;

	bench_pin(range->index);
	fill(range->subject, range->index, events * length);
	/* All at once: whoever waits spins. */
	atomic_fetch_sub(&missing, 1);
	while (atomic_load(&missing))
		;
	for (size_t i = 0; i < events; i++) {
		uint64_t began = bench_now();

		if (madvise(at + i * length, length, MADV_DONTNEED))
			bench_die("cannot discard: %s", strerror(errno));
		time[i] = bench_now() - began;
	}
	return NULL;
}

/* Returns false if the engine that should run did not get a processor. */
static bool measure_once(struct subject *subject, unsigned int threads, size_t pages,
			 struct bench_sample *sample)
{
	bool mirrored = subject->listener != NOBODY;
	bool running = subject->listener == RUNNING;
	struct secmmu_stats before = { 0 }, after = { 0 };
	uint64_t events = threads * events_of(pages);
	struct range ranges[THREADS_MAX];
	pthread_t others[THREADS_MAX];

	if (running)
		runner_go(&subject->runner);
	if (mirrored)
		mirror_stats(subject->mirror, &before);
	atomic_store(&missing, threads);
	for (unsigned int i = 0; i < threads; i++) {
		ranges[i] = (struct range) { subject, i, pages };
		if (i && pthread_create(&others[i], NULL, discard, &ranges[i]))
			bench_die("cannot start a thread");
	}
	discard(&ranges[0]);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	if (mirrored) {
		mirror_stats(subject->mirror, &after);
		if (after.zap_events - before.zap_events != events)
			bench_die("%llu events dropped something, not %ju",
				  after.zap_events - before.zap_events,
				  (uintmax_t)events);
	}
	if (running)
		runner_halt(&subject->runner);
	sample->counted = mirrored;
	sample->flushes = after.flushes - before.flushes;
	sample->interrupts = after.interrupts - before.interrupts;
	return !running || after.reads > before.reads;
}

static void measure_events(void *data, unsigned char what,
			   struct bench_sample *sample)
{
	unsigned int tries = TRIES;

	while (!measure_once(data, what % THREADS_MAX + 1,
			     sizes[what / THREADS_MAX], sample))
		if (!--tries)
			bench_die("in %u measurements no engine ran", TRIES);
}

static void prepare(void *data)
{
	struct subject *subject = data;
	size_t length = THREADS_MAX * RANGE_PAGES * PAGE;

	/* Huge pages would make an event of one page another one. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	subject->memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (subject->memory == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	if (subject->listener == NOBODY)
		return;
	subject->mirror = mirror_create(mirror_device(), SECMMU_FLUSH_RANGE, 0);
	mirror_slot(subject->mirror, 0, 0, subject->memory, length);
	runner_show(subject->mirror);
	if (subject->listener == RUNNING)
		/* The last one, which no thread uses where the engine runs. */
		runner_start(&subject->runner, runner_engine(subject->mirror),
			     bench_cpus() - 1);
}

static void measure(struct figures *figures)
{
	const struct point *point = figures->data;
	size_t size = 0, events = events_of(point->pages);

	while (sizes[size] != point->pages)
		size++;
	worker_ask(&point->subject->worker,
		   size * THREADS_MAX + point->threads - 1, &figures->sample);
	for (unsigned int i = 1; i < point->threads; i++)
		memmove(times + i * events, times + i * EVENTS_MAX,
			events * sizeof(*times));
	figures_of_times(figures, times, point->threads * events);
}

static void add_point(struct bench *bench, struct subject *subject,
		      unsigned int threads, size_t pages)
{
	struct point *point = calloc(1, sizeof(*point));
	struct bench_case like = { .pages = pages, .threads = threads };

	if (!point)
		bench_die("out of memory");
	point->subject = subject;
	point->threads = threads;
	point->pages = pages;
	point->figures.measure = measure;
	point->figures.data = point;
	like.variant = bench_text("\"listener\":\"%s\"", listeners[subject->listener]);
	figures_add(bench, &point->figures, &like, figures_of_events,
		    sizeof(figures_of_events) / sizeof(figures_of_events[0]));
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q9 parallel",
		.about = "Do events in one address space get into each other's way?",
	};
	struct subject subjects[LISTENERS] = { 0 };
	unsigned int cpus, threads;

	bench_init(&bench, argc, argv);
	bench_pin(0);
	cpus = bench_cpus();
	times = mmap(NULL, THREADS_MAX * EVENTS_MAX * sizeof(*times),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (times == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	for (unsigned int i = 0; i < LISTENERS; i++) {
		unsigned int most = MIN(THREADS_MAX, cpus - (i == RUNNING));

		subjects[i].listener = i;
		if (!most) {
			fprintf(stderr, "%s: no processor for a running engine; left out\n",
				bench.name);
			continue;
		}
		worker_start(&subjects[i].worker, prepare, measure_events,
			     &subjects[i]);
		for (size_t size = 0; size < nr_sizes[bench.grid]; size++)
			for (threads = 1; threads <= most; threads++)
				add_point(&bench, &subjects[i], threads,
					  sizes[size]);
	}
	bench_run(&bench);
	for (unsigned int i = 0; i < LISTENERS; i++)
		if (subjects[i].worker.pid)
			worker_stop(&subjects[i].worker);
	return 0;
}
