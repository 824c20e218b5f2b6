// SPDX-License-Identifier: GPL-2.0
/* Q9: do events in one address space slow each other down? */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "figures.h"
#include "own_mirror.h"
#include "runner.h"

#define THREADS_MAX	4u

/* A thread's range; memory that no event discards is not touched. */
#define RANGE_PAGES	2048ul
#define EVENTS_MAX	512ul

enum listener { NOBODY, MIRROR, RUNNING, LISTENERS };

static const char *const listeners[LISTENERS] = {
	[NOBODY] = "none",
	[MIRROR] = "mirror",
	[RUNNING] = "mirror, engine running",
};

/* Pages per event; a grid takes the first N of them. */
static const size_t sizes[] = { 16, 1, 256 };
static const size_t nr_sizes[BENCH_GRIDS] = { 3, 2, 1 };

static const struct figure figures_of_events[] = {
	{ FIGURE_MEAN, "mean", NULL },
	{ FIGURE_P50, "p50", NULL },
	{ FIGURE_P99, "p99", NULL },
	{ FIGURE_MAX, "max", NULL },
};

/**
 * struct process - a process
 * @listener: the listener there
 * @worker: the process
 * @mirror: the mirror, if there is one
 * @runner: the engine that runs, if there is one
 * @memory: the ranges of all threads
 */
struct process {
	enum listener listener;
	struct worker worker;
	int mirror;
	struct runner runner;
	char *memory;
};

/**
 * struct point - events of one size in a number of threads
 * @process: the process
 * @threads: how many threads
 * @size: index of the pages per event
 * @figures: the measurement
 */
struct point {
	struct process *process;
	unsigned int threads;
	size_t size;
	struct figures figures;
};

/**
 * struct range - the work of a thread
 * @process: the process
 * @index: number of thread, processor and range
 * @pages: pages per event
 */
struct range {
	const struct process *process;
	unsigned int index;
	size_t pages;
};

/* Memory of the worker and its parent: the times of one thread, those of the next ... */
static uint64_t *times;

/* Threads that are not ready yet. */
static atomic_uint missing;

static size_t count_events(size_t pages)
{
	return MIN(EVENTS_MAX, RANGE_PAGES / pages);
}

static void map_in_mirror(const struct process *process, unsigned int index, size_t length)
{
	size_t offset = index * RANGE_PAGES * PAGE;

	if (process->listener != NOBODY)
		mirror_prefault(process->mirror, 0, offset, length,
				SECMMU_PREFAULT_WRITE);
	else if (madvise(process->memory + offset, length, MADV_POPULATE_WRITE))
		die("cannot populate memory: %s", strerror(errno));
}

static void *discard_range(void *data)
{
	const struct range *range = data;
	size_t length = range->pages * PAGE, events = count_events(range->pages);
	char *at = range->process->memory + range->index * RANGE_PAGES * PAGE;
	uint64_t *time = times + range->index * EVENTS_MAX;

	pin_to_cpu(range->index);
	map_in_mirror(range->process, range->index, events * length);
	/* Spin, so that all threads begin at once. */
	atomic_fetch_sub(&missing, 1);
	while (atomic_load(&missing))
		;
	for (size_t i = 0; i < events; i++) {
		uint64_t began = clock_ns();

		discard_memory(at + i * length, length);
		time[i] = clock_ns() - began;
	}
	return NULL;
}

static void measure_events(void *data, unsigned char what, struct bench_sample *sample)
{
	struct process *process = data;
	unsigned int threads = what % THREADS_MAX + 1;
	size_t pages = sizes[what / THREADS_MAX];
	bool mirrored = process->listener != NOBODY;
	bool running = process->listener == RUNNING;
	struct secmmu_stats before, after;
	uint64_t events = threads * count_events(pages);
	struct range ranges[THREADS_MAX];
	pthread_t others[THREADS_MAX];

	if (running)
		runner_go(&process->runner);
	if (mirrored)
		mirror_stats(process->mirror, &before);
	atomic_store(&missing, threads);
	for (unsigned int i = 0; i < threads; i++) {
		ranges[i] = (struct range) { process, i, pages };
		if (i && pthread_create(&others[i], NULL, discard_range, &ranges[i]))
			die("cannot start a thread");
	}
	discard_range(&ranges[0]);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	if (mirrored) {
		bench_count(process->mirror, &before, &after, sample);
		if (after.zap_events - before.zap_events != events)
			die("%llu events dropped something, not %ju",
			    after.zap_events - before.zap_events,
			    (uintmax_t)events);
	}
	if (running)
		runner_halt(&process->runner);
	sample->again = running && after.reads == before.reads;
}

static void prepare_process(void *data)
{
	struct process *process = data;
	size_t length = THREADS_MAX * RANGE_PAGES * PAGE;

	/* An event of one page would become another one. */
	forbid_huge_pages();
	process->memory = map_memory(length);
	if (process->listener == NOBODY)
		return;
	process->mirror = mirror_create(mirror_device());
	mirror_slot(process->mirror, 0, 0, process->memory, length);
	runner_show(process->mirror);
	if (process->listener == RUNNING)
		/* The last processor, which no thread uses beside a running engine. */
		runner_start(&process->runner,
			     mirror_engine(process->mirror, SECMMU_ENGINE_BACKGROUND),
			     count_cpus() - 1);
}

static void measure_point(struct figures *figures)
{
	const struct point *point = figures->data;
	size_t events = count_events(sizes[point->size]);

	worker_ask(&point->process->worker,
		   point->size * THREADS_MAX + point->threads - 1, &figures->sample);
	for (unsigned int i = 1; i < point->threads; i++)
		memmove(times + i * events, times + i * EVENTS_MAX,
			events * sizeof(*times));
	figures_of_times(figures, times, point->threads * events);
}

static void add_point(struct bench *bench, struct process *process,
		      unsigned int threads, size_t size)
{
	struct point *point = bench_alloc(sizeof(*point));
	const struct bench_case like = {
		.variant = { { "listener", listeners[process->listener] } },
		.pages = sizes[size],
		.threads = threads,
	};

	point->process = process;
	point->threads = threads;
	point->size = size;
	point->figures = (struct figures) { .measure = measure_point, .data = point };
	figures_add(bench, &point->figures, &like, figures_of_events,
		    ARRAY_SIZE(figures_of_events));
}

static void add_processes(struct bench *bench)
{
	static struct process processes[LISTENERS];

	times = map_shared(THREADS_MAX * EVENTS_MAX * sizeof(*times));
	for (unsigned int i = 0; i < LISTENERS; i++) {
		unsigned int most = MIN(THREADS_MAX, count_cpus() - (i == RUNNING));

		processes[i].listener = i;
		if (!most) {
			fprintf(stderr, "parallel: no processor for a running engine; left out\n");
			continue;
		}
		worker_start(&processes[i].worker, prepare_process, measure_events,
			     &processes[i]);
		for (size_t size = 0; size < nr_sizes[bench->grid]; size++)
			for (unsigned int threads = 1; threads <= most; threads++)
				add_point(bench, &processes[i], threads, size);
	}
}

/* With perfect scaling an event takes as long with more threads. */
static const struct target targets[] = {
	{ "slower with {threads} threads, events of {pages} pages, mirror against none",
	  "[listener=mirror, what=mean] / [listener=mirror, what=mean, threads=1]",
	  "[listener=none, what=mean] / [listener=none, what=mean, threads=1]", 1 / 0.9 },
	{ 0 }
};

BENCH_QUESTION(q09_parallel) = {
	.word = "parallel",
	.name = "Q9 parallel",
	.asks = "Do events in one address space slow each other down?",
	.text = "Threads that discard memory of one process at the same time, each its own: "
		"time of an event.",
	.rows = { "listener", "pages", "what" },
	.across = "threads",
	.plot = "bars",
	.panels = { "pages" },
	.plotted = "what=mean",
	.each = "pages=1|16|256, threads=2|3|4",
	.targets = targets,
	.add_cases = add_processes,
};
