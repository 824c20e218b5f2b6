// SPDX-License-Identifier: GPL-2.0
/* Q2: what does a listener that has mapped pages cost when the process drops them? */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "bench.h"
#include "event.h"
#include "listener.h"
#include "own_mirror.h"

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

#define SIZES	ARRAY_SIZE(sizes)

/* The first N sizes. */
static const unsigned int grid_sizes[BENCH_GRIDS] = {
	[BENCH_FULL] = SIZES,
	[BENCH_QUICK] = SIZES - 1,
	[BENCH_TINY] = SIZES - 2,
};

/* Of the largest event. */
static size_t region_pages;

static void prepare_listener(void *data)
{
	struct listener *listener = data;

	listener_start(listener, region_pages);
	/* An engine or guest that has never run may have nothing to flush. */
	listener_use(listener);
}

/*
 * Map the memory anew, and let the listener map it. Returns where it begins.
 *
 * When the kernel takes a part away from a mapping that contains the 2 MiB around that
 * part, it first announces an event for all of these, in case there is a huge page to be
 * split. Small events are therefore measured in a mapping that contains no such block.
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
		die("cannot map memory again: %s", strerror(errno));
	for (size_t i = 0; i < pages; i++)
		at[i * PAGE] = 1;
	listener_map(listener, first, pages);
	return at;
}

static void measure_events(void *data, unsigned char what, struct bench_sample *sample)
{
	const struct listener *listener = data;
	const struct size *size = &sizes[what / CALLS_THAT_DROP];
	enum call call = what % CALLS_THAT_DROP;
	bool mirrored = listener->kind == LISTENER_MIRROR;
	size_t pages = size->pages * size->events;
	struct secmmu_stats before, after;
	char *at = map_again(listener, size);

	if (mirrored)
		mirror_stats(listener->mirror, &before);
	sample->value = (double)event_raise(at, size->pages * PAGE, size->events, call) /
			pages;
	if (!mirrored)
		return;
	bench_count(listener->mirror, &before, &after, sample);
	if (after.zapped - before.zapped < pages ||
	    after.zap_events - before.zap_events < size->events)
		die("the mirror has dropped %llu pages in %llu events, not %zu in %zu",
		    after.zapped - before.zapped,
		    after.zap_events - before.zap_events, pages, size->events);
}

static void add_listener(struct bench *bench, struct listener *listener)
{
	worker_start(&listener->worker, prepare_listener, measure_events, listener);
	for (unsigned int i = 0; i < grid_sizes[bench->grid] * CALLS_THAT_DROP; i++)
		bench_add(bench, &(struct bench_case) {
			.variant = { { "call", calls[i % CALLS_THAT_DROP] },
				     { "listener", listener_names[listener->kind] } },
			.pages = sizes[i / CALLS_THAT_DROP].pages,
			.worker = &listener->worker,
			.what = i,
		});
}

static void add_listeners(struct bench *bench)
{
	static struct listener listeners[LISTENERS];

	/* Small events begin in the middle of a block. */
	region_pages = 2 * LARGE_PAGES;
	for (unsigned int i = 0; i < grid_sizes[bench->grid]; i++)
		region_pages = MAX(region_pages, sizes[i].pages * sizes[i].events);
	for (unsigned int i = 0; i < LISTENERS; i++) {
		listeners[i].kind = i;
		if (listener_is_there(i))
			add_listener(bench, &listeners[i]);
	}
}

static const struct target targets[] = {
	{ "{call} of {pages} pages, net, mirror against KVM",
	  "[listener=mirror] - [listener=none]", "[listener=KVM] - [listener=none]", 0.5 },
	{ "{call} of {pages} pages, net, mirror against test_hmm",
	  "[listener=mirror] - [listener=none]", "[listener=test_hmm] - [listener=none]",
	  0.25 },
	{ 0 }
};

BENCH_QUESTION(q02_zap) = {
	.word = "zap",
	.name = "Q2 zap",
	.asks = "What does a listener cost when its pages go?",
	.text = "Discarding and unmapping memory that a listener has mapped: time for each "
		"page of an event. A listener costs the difference to none.",
	.rows = { "call", "listener" },
	.across = "pages",
	.plot = "bars",
	.panels = { "call", "pages" },
	.each = "call=madvise|munmap, pages=1|32|512|2048|16384",
	.targets = targets,
	.enough = 11,
	.add_cases = add_listeners,
};
