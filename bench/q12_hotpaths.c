// SPDX-License-Identifier: GPL-2.0
/*
 * Q12: how many instructions do the hot paths take? Small pieces of work, each mostly one
 * path of the driver.
 */
#include "bench.h"
#include "mark.h"
#include "own_mirror.h"

#define PAGES		512ul
#define HITS		1024
#define EVENTS		256

enum path { HIT, FILL, PREFAULT, ZAP, DROP, PAIR, ELSEWHERE, PATHS };

static const char *const paths[PATHS] = {
	[HIT] = "window and hit: read 8 bytes",
	[FILL] = "miss and fill: read 8 bytes of a page not mapped",
	[PREFAULT] = "prefault: a page of many, for writing",
	[ZAP] = "zap: a page of a slot that goes",
	[DROP] = "start and end of a page that is mapped",
	[PAIR] = "start and end in a slot, nothing mapped",
	[ELSEWHERE] = "start and end outside all slots",
};

static char *memory, *elsewhere;
static int mirror, engine;

/* A process without a mirror: there an event costs the kernel's own part. */
static struct worker without;

static void populate_memory(void)
{
	for (size_t i = 0; i < PAGES * PAGE; i += PAGE)
		memory[i] = 1;
}

static void prefault_memory(void)
{
	mirror_prefault(mirror, 0, 0, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
}

static void empty_mirror(void)
{
	mirror_renew_slot(mirror, 0, 0, memory, PAGES * PAGE);
}

/* The kernel moves a new page between its lists when it is used once more, and again. */
static void age_memory(void)
{
	for (int i = 0; i < 3; i++) {
		prefault_memory();
		empty_mirror();
	}
}

static void prepare_path(enum path path)
{
	populate_memory();
	empty_mirror();
	if (path == PREFAULT)
		age_memory();
	if (path == ZAP || path == DROP)
		prefault_memory();
	if (path == HIT)
		mirror_read_word(engine, 0);
}

/* A page has something to discard the first time only. */
static void raise_events(enum path path)
{
	char *at = path == ELSEWHERE ? elsewhere : memory;

	for (unsigned int i = 0; i < EVENTS; i++)
		discard_memory(path == DROP ? at + i * PAGE : at, PAGE);
}

static void measure_without(void *data, unsigned char path, struct bench_sample *sample)
{
	uint64_t ns;

	(void)data;
	populate_memory();
	ns = clock_ns();
	raise_events(path);
	sample->value = clock_ns() - ns;
}

/* Entries that the path drops. */
static uint64_t drops_of(enum path path)
{
	switch (path) {
	case ZAP: return PAGES;
	case DROP: return EVENTS;
	default: return 0;
	}
}

/* Was it this path that was taken? Prefault takes pages in batches, a fault each. */
static bool path_taken(enum path path, uint64_t zapped, uint64_t faults)
{
	uint64_t least = path == FILL ? PAGES : path == PREFAULT;
	uint64_t most = path == FILL ? PAGES : path == PREFAULT ? PAGES / 8 : 0;

	return zapped == drops_of(path) && faults >= least && faults <= most;
}

/* Returns how often the path was taken. */
static unsigned int take_path(enum path path)
{
	switch (path) {
	case HIT:
		for (unsigned int i = 0; i < HITS; i++)
			mirror_read_word(engine, 0);
		return HITS;
	case FILL:
		for (unsigned int i = 0; i < PAGES; i++)
			mirror_read_word(engine, i * PAGE);
		return PAGES;
	case PREFAULT:
		prefault_memory();
		return PAGES;
	case ZAP:
		empty_mirror();
		return PAGES;
	default:
		raise_events(path);
		return EVENTS;
	}
}

static void measure_path(void *data, struct bench_sample *sample)
{
	enum path path = *(const enum path *)data;
	struct secmmu_stats before, after;
	struct bench_sample floor = { 0 };
	unsigned int times;
	uint64_t ns;

	if (path >= DROP)
		worker_ask(&without, path, &floor);
	prepare_path(path);
	mirror_stats(mirror, &before);
	ns = clock_ns();
	mark_here(MARK_BEGIN);
	times = take_path(path);
	mark_here(MARK_END);
	ns = clock_ns() - ns;
	bench_count(mirror, &before, &after, sample);
	sample->value = (ns - floor.value) / times;
	if (!path_taken(path, after.zapped - before.zapped, after.faults - before.faults))
		die("%s: another path was taken", paths[path]);
}

static void add_paths(struct bench *bench)
{
	static enum path all[PATHS];

	forbid_huge_pages();
	memory = map_memory(PAGES * PAGE);
	elsewhere = map_memory(PAGES * PAGE);
	/* It inherits the memory, not the mirror. */
	worker_start(&without, NULL, measure_without, NULL);
	mirror = mirror_create(mirror_device());
	mirror_slot(mirror, 0, 0, memory, PAGES * PAGE);
	engine = mirror_engine(mirror, 0);
	for (unsigned int i = 0; i < PATHS; i++) {
		all[i] = i;
		bench_add(bench, &(struct bench_case) {
			.variant = { { "path", paths[i] } },
			.pages = 1,
			.measure = measure_path,
			.data = &all[i],
		});
	}
}

BENCH_QUESTION(q12_hotpaths) = {
	.word = "hotpaths",
	.name = "Q12 hot paths",
	.asks = "How many instructions do the hot paths take?",
	.text = "The paths that are taken most often, one by one: for --icount, and to be "
		"compared with an earlier version.",
	.rows = { "path" },
	.add_cases = add_paths,
};
