// SPDX-License-Identifier: GPL-2.0
/*
 * Q2: what does it cost those who have mapped pages when the process drops them?
 *
 * The process discards or unmaps memory that is mapped by nobody else, by a mirror, by a
 * KVM guest, by the kernel's test of HMM; each in a process of its own. What a page
 * costs more than without a listener is what the listener costs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "bench.h"
#include "event.h"
#include "listener.h"
#include "mirror.h"
#include "worker.h"

#define PAGE		4096ul
#define LARGE_PAGES	512ul

/* Sizes of events, in pages, and how many of them are timed together. */
static const struct size {
	size_t pages;
	size_t events;
} sizes[] = {
	{ 1, 256 },
	{ 32, 16 },
	{ 512, 2 },
	{ 2048, 1 },
	{ 16384, 1 },
};

#define SIZES	(sizeof(sizes) / sizeof(sizes[0]))

/* How many of them. */
static const unsigned int grid_sizes[BENCH_GRIDS] = {
	[BENCH_FULL] = SIZES,
	[BENCH_QUICK] = SIZES - 1,
	[BENCH_TINY] = SIZES - 2,
};

/**
 * struct party - a process with a listener
 * @listener: the listener
 * @worker: the process
 */
struct party {
	struct listener listener;
	struct worker worker;
};

/* One kind of event, of one size, in one process. */
struct point {
	struct party *party;
	unsigned char what;
};

/* Of the largest event. */
static size_t region_pages;

static void prepare(void *data)
{
	struct party *party = data;

	listener_start(&party->listener, region_pages);
	/* An engine or guest that has never run may have nothing to flush. */
	listener_use(&party->listener);
}

/*
 * Map the memory anew, and let the listener map it. Returns where it begins.
 *
 * Where the kernel takes a part of a mapping away that holds the 2 MiB around it, it
 * first announces an event for all of these, in case there is a huge page to be split.
 * Small events are therefore measured in a mapping that holds no such block.
 */
static char *map_again(const struct listener *listener, const struct size *size)
{
	size_t first = size->pages < LARGE_PAGES ? LARGE_PAGES / 2 : 0;
	size_t pages = size->pages * size->events;
	char *at = listener->memory + first * PAGE;

	if (mmap(listener->memory, listener->pages * PAGE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ||
	    mmap(at, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		bench_die("cannot map memory again: %s", strerror(errno));
	for (size_t i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	listener_map(listener, first, pages);
	return at;
}

static void measure_events(void *data, unsigned char what,
			   struct bench_sample *sample)
{
	struct listener *listener = &((struct party *)data)->listener;
	const struct size *size = &sizes[what / CALLS_THAT_DROP];
	enum call call = what % CALLS_THAT_DROP;
	size_t pages = size->pages * size->events;
	struct secmmu_stats before, after;
	char *at = map_again(listener, size);

	sample->counted = listener->kind == LISTENER_MIRROR;
	if (sample->counted)
		mirror_stats(listener->mirror, &before);
	sample->value = (double)event_raise(at, size->pages * PAGE, size->events, call) /
			pages;
	if (sample->counted) {
		mirror_stats(listener->mirror, &after);
		if (after.zapped - before.zapped < pages ||
		    after.zap_events - before.zap_events < size->events)
			bench_die("the mirror has dropped %llu pages in %llu events, not %zu in %zu",
				  after.zapped - before.zapped,
				  after.zap_events - before.zap_events, pages,
				  size->events);
		sample->flushes = after.flushes - before.flushes;
		sample->interrupts = after.interrupts - before.interrupts;
	}
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct point *point = data;

	worker_ask(&point->party->worker, point->what, sample);
}

static void add_party(struct bench *bench, struct party *party)
{
	unsigned int nr = grid_sizes[bench->grid] * CALLS_THAT_DROP;
	struct point *points = calloc(nr, sizeof(*points));

	if (!points)
		bench_die("out of memory");
	worker_start(&party->worker, prepare, measure_events, party);
	for (unsigned int i = 0; i < nr; i++) {
		struct bench_case one = {
			.variant = bench_text("\"call\":\"%s\",\"listener\":\"%s\"",
					      calls[i % CALLS_THAT_DROP],
					      listener_names[party->listener.kind]),
			.pages = sizes[i / CALLS_THAT_DROP].pages,
			.threads = 1,
			.measure = measure,
			.data = &points[i],
		};

		points[i] = (struct point) { party, i };
		bench_add(bench, &one);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q2 zap",
		.about = "What does it cost those who have mapped pages when the process drops them?",
		.enough = 11,
	};
	struct party parties[LISTENERS] = { 0 };

	bench_init(&bench, argc, argv);
	bench_pin(0);
	/* Small events begin in the middle of a block. */
	region_pages = 2 * LARGE_PAGES;
	for (unsigned int i = 0; i < grid_sizes[bench.grid]; i++)
		region_pages = MAX(region_pages, sizes[i].pages * sizes[i].events);
	for (unsigned int i = 0; i < LISTENERS; i++) {
		parties[i].listener.kind = i;
		if (listener_there(i))
			add_party(&bench, &parties[i]);
	}
	bench_run(&bench);
	for (unsigned int i = 0; i < LISTENERS; i++)
		if (parties[i].worker.pid)
			worker_stop(&parties[i].worker);
	return 0;
}
