// SPDX-License-Identifier: GPL-2.0
/*
 * Q8: what does it cost to ask listeners for the pages they have used, and to reclaim
 * pages that they have mapped? Without swap space MADV_PAGEOUT is an aging pass and nothing
 * else, with swap space it reclaims.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "listener.h"
#include "own_mirror.h"
#include "swap.h"

/* CHECK is no case. */
enum what { USED, UNUSED, RECLAIM, CASES, CHECK = CASES };

static const char *const names[CASES] = {
	[USED] = "age, used",
	[UNUSED] = "age, not used",
	[RECLAIM] = "reclaim",
};

/* Pages to age, and how many of them to reclaim; the swap space has more. */
static const struct {
	size_t aged;
	size_t reclaimed;
} grid_pages[BENCH_GRIDS] = {
	[BENCH_FULL] = { 1ul << 18, 1ul << 13 },
	[BENCH_QUICK] = { 1ul << 14, 1ul << 11 },
	[BENCH_TINY] = { 1ul << 10, 1ul << 9 },
};

/* test_hmm has no aging. */
#define PARTIES		(LISTENER_KVM + 1)

static struct listener listeners[PARTIES];
static size_t aged, reclaimed;

static void prepare_listener(void *data)
{
	listener_start(data, aged);
}

/* Returns nanoseconds. */
static uint64_t page_out(char *memory, size_t pages)
{
	uint64_t ns = clock_ns();

	if (madvise(memory, pages * PAGE, MADV_PAGEOUT))
		die("cannot page out: %s", strerror(errno));
	return clock_ns() - ns;
}

static size_t count_resident(const struct listener *listener, size_t pages)
{
	unsigned char *map = malloc(pages);
	size_t sum = 0;

	if (!map || mincore(listener->memory, pages * PAGE, map))
		die("cannot tell what is in memory: %s", strerror(errno));
	for (size_t i = 0; i < pages; i++)
		sum += map[i] & 1;
	free(map);
	return sum;
}

static void bring_pages_back(const struct listener *listener)
{
	for (size_t i = 0; i < listener->pages; i++)
		*(volatile char *)&listener->memory[i * PAGE];
}

/* Returns nanoseconds. */
static uint64_t reclaim_pages(const struct listener *listener)
{
	size_t left;
	uint64_t ns;

	/* Let the listener forget that it has used them. */
	page_out(listener->memory, reclaimed);
	swap_on();
	ns = page_out(listener->memory, reclaimed);
	left = count_resident(listener, reclaimed);
	bring_pages_back(listener);
	swap_off();
	if (left > reclaimed / 8)
		die("%s: %zu of %zu pages stayed in memory",
		    listener_names[listener->kind], left, reclaimed);
	return ns;
}

/* With swap space, used pages stay if the kernel asks the listener. */
static size_t count_kept(const struct listener *listener)
{
	size_t left;

	swap_on();
	page_out(listener->memory, reclaimed);
	left = count_resident(listener, reclaimed);
	bring_pages_back(listener);
	swap_off();
	return left;
}

static void measure_pass(void *data, unsigned char what, struct bench_sample *sample)
{
	const struct listener *listener = data;
	bool mirrored = listener->kind == LISTENER_MIRROR;
	struct secmmu_stats before, after;

	listener_use(listener);
	if (what == CHECK) {
		sample->value = count_kept(listener);
		return;
	}
	if (what == UNUSED)
		page_out(listener->memory, aged);
	if (mirrored)
		mirror_stats(listener->mirror, &before);
	if (what == RECLAIM)
		sample->value = (double)reclaim_pages(listener) / reclaimed;
	else
		sample->value = (double)page_out(listener->memory, aged) / aged;
	if (mirrored) {
		bench_count(listener->mirror, &before, &after, sample);
		if (what == RECLAIM &&
		    after.zapped - before.zapped < reclaimed - reclaimed / 8)
			die("the mirror was not told of the reclaimed pages");
	}
	if (what != RECLAIM && count_resident(listener, aged) < aged)
		die("pages went, but there is no swap space");
}

/* A kernel that asks listeners keeps the pages that they have used. */
static bool kernel_asks(void)
{
	for (int i = LISTENER_NONE + 1; i < PARTIES; i++) {
		struct bench_sample sample;

		worker_ask(&listeners[i].worker, CHECK, &sample);
		/* A few pages may have been in use otherwise meanwhile. */
		if (sample.value >= reclaimed - reclaimed / 8)
			continue;
		fprintf(stderr, "aging: this kernel does not ask %s what was used (%.0f of %zu pages stayed): measuring reclaim only\n",
			listener_names[i], sample.value, reclaimed);
		return false;
	}
	return true;
}

static void add_passes(struct bench *bench, const struct listener *listener,
		       enum what first)
{
	for (enum what i = first; i < CASES; i++)
		bench_add(bench, &(struct bench_case) {
			.variant = { { "pass", names[i] },
				     { "listener", listener_names[listener->kind] } },
			.pages = i == RECLAIM ? reclaimed : aged,
			.worker = &listener->worker,
			.what = i,
		});
}

static void add_listeners(struct bench *bench)
{
	enum what first;

	aged = grid_pages[bench->grid].aged;
	reclaimed = grid_pages[bench->grid].reclaimed;
	swap_make();
	for (int i = 0; i < PARTIES; i++) {
		listeners[i].kind = i;
		worker_start(&listeners[i].worker, prepare_listener, measure_pass,
			     &listeners[i]);
	}
	first = kernel_asks() ? USED : RECLAIM;
	for (int i = 0; i < PARTIES; i++)
		add_passes(bench, &listeners[i], first);
}

static const struct target targets[] = {
	{ "{pass}, mirror against KVM", "[listener=mirror]", "[listener=KVM]", 1 },
	{ "the same, net of the work without a listener",
	  "[listener=mirror] - [listener=none]", "[listener=KVM] - [listener=none]", 1 },
	{ 0 }
};

BENCH_QUESTION(q08_aging) = {
	.word = "aging",
	.name = "Q8 aging",
	.asks = "What do aging and reclaim cost with a listener?",
	.text = "Asking whether pages were used, and making the answer \"no\" for the next "
		"time; and reclaiming pages that were not used: time for each page, by the "
		"kernel and by the listener that has mapped them.",
	.rows = { "listener" },
	.across = "pass",
	.plot = "bars",
	.panels = { "pass" },
	.each = "pass=age, used|age, not used|reclaim",
	.targets = targets,
	.enough = 5,
	.add_cases = add_listeners,
};
