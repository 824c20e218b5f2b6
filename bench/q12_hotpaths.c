// SPDX-License-Identifier: GPL-2.0
/*
 * Q12: how many instructions do the hot paths take?
 *
 * Small pieces of work, each mostly one path of the driver, to be counted under
 * --icount and compared with an earlier version. On a clock they show little. Reads
 * include the system call, events leave out what the kernel does for itself.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"
#include "mirror.h"
#include "worker.h"

#define PAGE		4096ul
#define PAGES		512ul
#define HITS		1024
#define EVENTS		256

enum path { HIT, FILL, ZAP, PAIR, ELSEWHERE, PATHS };

static const char *const paths[PATHS] = {
	[HIT] = "window and hit: read 8 bytes",
	[FILL] = "miss and fill: read 8 bytes of a page not mapped",
	[ZAP] = "zap: a page of a slot that goes",
	[PAIR] = "start and end in a slot, nothing mapped",
	[ELSEWHERE] = "start and end outside all slots",
};

static char *memory, *elsewhere;
static int mirror, engine;

/* A process that has no mirror: what events cost there is no cost of ours. */
static struct worker without;

static void fill_memory(void)
{
	for (size_t i = 0; i < PAGES * PAGE; i += PAGE)
		memory[i] = 1;
}

/* As if the slot were new: with nothing mapped. */
static void empty_mirror(void)
{
	mirror_slot(mirror, 0, 0, NULL, 0);
	mirror_slot(mirror, 0, 0, memory, PAGES * PAGE);
}

static void read_word(uint64_t gpa)
{
	uint64_t word;

	if (pread(engine, &word, sizeof(word), gpa) != sizeof(word))
		bench_die("cannot read: %s", strerror(errno));
}

static void discard(char *at, size_t pages)
{
	if (madvise(at, pages * PAGE, MADV_DONTNEED))
		bench_die("cannot discard: %s", strerror(errno));
}

static void prepare(enum path path)
{
	fill_memory();
	empty_mirror();
	if (path == ZAP)
		mirror_prefault(mirror, 0, PAGES * PAGE, SECMMU_PREFAULT_WRITE);
	if (path == HIT)
		read_word(0);
}

/* One after the other: the first one has a page to discard, the others none. */
static void discard_often(char *at)
{
	for (unsigned int i = 0; i < EVENTS; i++)
		discard(at, 1);
}

static void measure_without(void *data, unsigned char path,
			    struct bench_sample *sample)
{
	uint64_t ns;

	(void)data;
	fill_memory();
	ns = bench_now();
	discard_often(path == PAIR ? memory : elsewhere);
	sample->value = bench_now() - ns;
}

/* Returns how often the piece of work was done. */
static unsigned int work(enum path path)
{
	switch (path) {
	case HIT:
		for (unsigned int i = 0; i < HITS; i++)
			read_word(0);
		return HITS;
	case FILL:
		for (unsigned int i = 0; i < PAGES; i++)
			read_word(i * PAGE);
		return PAGES;
	case ZAP:
		empty_mirror();
		return PAGES;
	default:
		discard_often(path == PAIR ? memory : elsewhere);
		return EVENTS;
	}
}

static void measure(void *data, struct bench_sample *sample)
{
	enum path path = *(const enum path *)data;
	struct secmmu_stats before, after;
	struct bench_sample floor = { 0 };
	unsigned int times;
	uint64_t ns;

	if (path == PAIR || path == ELSEWHERE)
		worker_ask(&without, path, &floor);
	prepare(path);
	mirror_stats(mirror, &before);
	ns = bench_now();
	times = work(path);
	ns = bench_now() - ns;
	mirror_stats(mirror, &after);
	sample->value = (ns - floor.value) / times;
	sample->counted = true;
	sample->flushes = after.flushes - before.flushes;
	sample->interrupts = after.interrupts - before.interrupts;
	if (after.zapped - before.zapped != (path == ZAP ? PAGES : 0) ||
	    after.faults - before.faults != (path == FILL ? PAGES : 0))
		bench_die("%s: another path was taken", paths[path]);
}

static char *map(void)
{
	char *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	return at;
}

int main(int argc, char **argv)
{
	static enum path all[PATHS];
	struct bench bench = {
		.name = "Q12 hot paths",
		.about = "How many instructions do the hot paths take?",
	};

	bench_init(&bench, argc, argv);
	bench_pin(0);
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	memory = map();
	elsewhere = map();
	/* It inherits the memory, not the mirror. */
	worker_start(&without, NULL, measure_without, NULL);
	mirror = mirror_create(mirror_device(), SECMMU_FLUSH_RANGE, 0);
	mirror_slot(mirror, 0, 0, memory, PAGES * PAGE);
	engine = mirror_engine(mirror, 0);
	for (unsigned int i = 0; i < PATHS; i++) {
		struct bench_case one = {
			.variant = bench_text("\"path\":\"%s\"", paths[i]),
			.pages = 1,
			.threads = 1,
			.measure = measure,
			.data = &all[i],
		};

		all[i] = i;
		bench_add(&bench, &one);
	}
	bench_run(&bench);
	worker_stop(&without);
	return 0;
}
