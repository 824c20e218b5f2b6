// SPDX-License-Identifier: GPL-2.0
/*
 * Q8: what does it cost to ask listeners which pages were used, and to reclaim pages
 * that they have mapped?
 *
 * In 6.1, not in 6.12 any more, MADV_PAGEOUT clears the processor's accessed bits, then
 * asks for each page whether anybody else has used it, and has that forgotten. Pages that
 * were used stay. Others would go, but where there is no swap space they stay as well: an
 * aging pass and nothing else. With swap space, pages that are not used go: a reclaim
 * pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "listener.h"
#include "mirror.h"
#include "swap.h"
#include "worker.h"

#define PAGE		4096ul

/* CHECK is no case. */
enum what { USED, UNUSED, RECLAIM, CASES, CHECK = CASES };

static const char *const names[CASES] = {
	[USED] = "age, used",
	[UNUSED] = "age, not used",
	[RECLAIM] = "reclaim",
};

/* Pages to age, and how many of them to reclaim; less than the swap space has. */
static const struct {
	size_t aged;
	size_t reclaimed;
} grid_pages[BENCH_GRIDS] = {
	[BENCH_FULL] = { 1ul << 18, 1ul << 13 },
	[BENCH_QUICK] = { 1ul << 14, 1ul << 11 },
	[BENCH_TINY] = { 1ul << 10, 1ul << 9 },
};

/* Who has aging: test_hmm has not. */
#define PARTIES		(LISTENER_KVM + 1)

/**
 * struct party - a process with a listener
 * @listener: the listener
 * @worker: the process
 */
struct party {
	struct listener listener;
	struct worker worker;
};

/* One thing to do in one process. */
struct point {
	struct party *party;
	enum what what;
};

static size_t aged, reclaimed;

static void prepare(void *data)
{
	struct party *party = data;

	listener_start(&party->listener, aged);
}

/* Returns nanoseconds. */
static uint64_t pass(char *memory, size_t pages)
{
	uint64_t ns = bench_now();

	if (madvise(memory, pages * PAGE, MADV_PAGEOUT))
		bench_die("cannot page out: %s", strerror(errno));
	return bench_now() - ns;
}

/* How many of the first pages are in memory? */
static size_t resident(const struct listener *listener, size_t pages)
{
	unsigned char *map = malloc(pages);
	size_t sum = 0;

	if (!map || mincore(listener->memory, pages * PAGE, map))
		bench_die("cannot tell what is in memory: %s", strerror(errno));
	for (size_t i = 0; i < pages; i++)
		sum += map[i] & 1;
	free(map);
	return sum;
}

/* Bring them all back. */
static void touch(const struct listener *listener)
{
	for (size_t i = 0; i < listener->pages; i++)
		*(volatile char *)&listener->memory[i * PAGE];
}

static uint64_t reclaim(const struct listener *listener)
{
	size_t left;
	uint64_t ns;

	/* Nobody has used them since: */
	pass(listener->memory, reclaimed);
	swap_on();
	ns = pass(listener->memory, reclaimed);
	left = resident(listener, reclaimed);
	touch(listener);
	swap_off();
	if (left > reclaimed / 8)
		bench_die("%s: %zu of %zu pages stayed in memory",
			  listener_names[listener->kind], left, reclaimed);
	return ns;
}

/* With swap space: how many pages stay because the listener has used them? */
static size_t kept(const struct listener *listener)
{
	size_t left;

	swap_on();
	pass(listener->memory, reclaimed);
	left = resident(listener, reclaimed);
	touch(listener);
	swap_off();
	return left;
}

static void measure_pass(void *data, unsigned char what,
			 struct bench_sample *sample)
{
	const struct listener *listener = &((struct party *)data)->listener;
	struct secmmu_stats before = { 0 }, after = { 0 };

	listener_use(listener);
	if (what == CHECK) {
		sample->value = kept(listener);
		return;
	}
	if (what == UNUSED)
		pass(listener->memory, aged);
	sample->counted = listener->kind == LISTENER_MIRROR;
	if (sample->counted)
		mirror_stats(listener->mirror, &before);
	if (what == RECLAIM)
		sample->value = (double)reclaim(listener) / reclaimed;
	else
		sample->value = (double)pass(listener->memory, aged) / aged;
	if (sample->counted)
		mirror_stats(listener->mirror, &after);
	sample->flushes = after.flushes - before.flushes;
	sample->interrupts = after.interrupts - before.interrupts;
	if (sample->counted && after.zapped - before.zapped <
			       (what == RECLAIM ? reclaimed - reclaimed / 8 : 0))
		bench_die("the mirror was not told what was reclaimed");
	if (what != RECLAIM && resident(listener, aged) < aged)
		bench_die("pages went, but there is no swap space");
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct point *point = data;

	worker_ask(&point->party->worker, point->what, sample);
}

/* Does this kernel ask listeners at all? One that does keeps what they use. */
static bool asks(const struct party *parties)
{
	for (int i = LISTENER_NONE + 1; i < PARTIES; i++) {
		struct bench_sample sample;

		worker_ask(&parties[i].worker, CHECK, &sample);
		/* A few may have been in somebody's hands meanwhile. */
		if (sample.value >= reclaimed - reclaimed / 8)
			continue;
		fprintf(stderr, "aging: for MADV_PAGEOUT this kernel does not ask %s what was used: measuring reclaim only\n",
			listener_names[i]);
		return false;
	}
	return true;
}

static void add_party(struct bench *bench, struct party *party, enum what first)
{
	struct point *points = calloc(CASES, sizeof(*points));

	if (!points)
		bench_die("out of memory");
	for (enum what i = first; i < CASES; i++) {
		struct bench_case one = {
			.variant = bench_text("\"pass\":\"%s\",\"listener\":\"%s\"",
					      names[i],
					      listener_names[party->listener.kind]),
			.pages = i == RECLAIM ? reclaimed : aged,
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
		.name = "Q8 aging",
		.about = "What does it cost to ask who has used pages, and to reclaim them?",
		.enough = 5,
	};
	struct party parties[PARTIES] = { 0 };
	enum what first;

	bench_init(&bench, argc, argv);
	bench_pin(0);
	aged = grid_pages[bench.grid].aged;
	reclaimed = grid_pages[bench.grid].reclaimed;
	swap_make();
	for (int i = 0; i < PARTIES; i++) {
		parties[i].listener.kind = i;
		worker_start(&parties[i].worker, prepare, measure_pass,
			     &parties[i]);
	}
	first = asks(parties) ? USED : RECLAIM;
	for (int i = 0; i < PARTIES; i++)
		add_party(&bench, &parties[i], first);
	bench_run(&bench);
	for (int i = 0; i < PARTIES; i++)
		worker_stop(&parties[i].worker);
	return 0;
}
