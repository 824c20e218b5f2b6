// SPDX-License-Identifier: GPL-2.0
/*
 * Q15: what else goes when one page of a large mapping changes?
 *
 * To change a page in the middle the kernel splits the mapping there, and announces an
 * event for the 2 MiB around it, in case these are a huge page.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "figures.h"
#include "listener.h"
#include "own_mirror.h"

#define PAGES		2048ul
#define BLOCK		(LARGE / PAGE)

/* In the middle of a block of 2 MiB. */
#define CHANGED		(512 + 256)

enum change { MAP_OVER, UNMAP, PROTECT, DISCARD, CHANGES };

static const char *const changes[CHANGES] = {
	[MAP_OVER] = "mmap over it",
	[UNMAP] = "munmap",
	[PROTECT] = "mprotect",
	[DISCARD] = "madvise",
};

enum { DROPPED, AGAIN, FAULTS, REFILL, NR_FIGURES };

/* Those of KVM, then of any mirror, then of one with a refill. */
static const struct figure figures_of_change[NR_FIGURES] = {
	{ DROPPED, "dropped", "entries" },
	{ AGAIN, "use all again", NULL },
	{ FAULTS, "faults", "faults" },
	{ REFILL, "refill", NULL },
};

/**
 * struct changed - a change and a listener
 * @change: the change
 * @listener: the listener
 * @figures: the measurement
 */
struct changed {
	enum change change;
	struct listener *listener;
	struct figures figures;
};

/* Of the process that listens, and this one. */
static double *values;

static void map_page(char *at)
{
	if (mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) != at)
		die("cannot map memory again: %s", strerror(errno));
}

static void change_page(char *at, enum change change)
{
	switch (change) {
	case MAP_OVER:
		map_page(at);
		return;
	case DISCARD:
		discard_memory(at, PAGE);
		return;
	default:
		if (change == UNMAP ? munmap(at, PAGE) : mprotect(at, PAGE, PROT_READ))
			die("cannot change a page: %s", strerror(errno));
	}
}

static void restore_page(char *at, enum change change)
{
	if (change == UNMAP)
		map_page(at);
	if (change == PROTECT && mprotect(at, PAGE, PROT_READ | PROT_WRITE))
		die("cannot permit writing: %s", strerror(errno));
	*at = 1;
}

static uint64_t count_entries(const struct listener *listener)
{
	struct secmmu_stats stats;

	if (listener->kind == LISTENER_KVM)
		return kvm_stat(listener->machine, "pages_4k");
	mirror_stats(listener->mirror, &stats);
	return stats.fault_pages - stats.zapped;
}

static struct secmmu_stats stats_of(const struct listener *listener)
{
	struct secmmu_stats stats = { 0 };

	if (listener->kind == LISTENER_MIRROR)
		mirror_stats(listener->mirror, &stats);
	return stats;
}

static uint64_t own_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/*
 * Wait until all but the page are back, without giving the processor away: what this
 * process does not use of the time is the worker's. A tick or two are part of it.
 */
static double wait_refilled(const struct listener *listener, uint64_t before)
{
	uint64_t began = clock_ns(), own = own_time();

	while (stats_of(listener).refilled < before + BLOCK - 1)
		;
	return (double)(clock_ns() - began) - (double)(own_time() - own);
}

static void measure_change(void *data, unsigned char change, struct bench_sample *sample)
{
	const struct listener *listener = data;
	char *at = listener->memory + CHANGED * PAGE;
	struct secmmu_stats stats;
	uint64_t before, began;

	listener_map(listener, 0, PAGES);
	listener_use(listener);
	before = count_entries(listener);
	stats = stats_of(listener);
	change_page(at, change);
	values[DROPPED] = (double)(before - count_entries(listener));
	values[REFILL] = listener->refill && change != DISCARD ?
		wait_refilled(listener, stats.refilled) : 0;
	restore_page(at, change);
	stats = stats_of(listener);
	began = clock_ns();
	listener_use(listener);
	values[AGAIN] = (double)(clock_ns() - began);
	values[FAULTS] = (double)(stats_of(listener).faults - stats.faults);
	(void)sample;
}

static void prepare_listener(void *data)
{
	listener_start(data, PAGES);
}

static void measure_changed(struct figures *figures)
{
	const struct changed *changed = figures->data;

	worker_ask(&changed->listener->worker, changed->change, &figures->sample);
	memcpy(figures->value, values, NR_FIGURES * sizeof(*values));
}

static void add_changes(struct bench *bench)
{
	static struct listener listeners[] = {
		{ .kind = LISTENER_MIRROR }, { .kind = LISTENER_MIRROR, .refill = true },
		{ .kind = LISTENER_KVM },
	};

	values = map_shared(NR_FIGURES * sizeof(*values));
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++) {
		worker_start(&listeners[i].worker, prepare_listener, measure_change,
			     &listeners[i]);
		for (enum change change = 0; change < CHANGES; change++) {
			struct changed *changed = bench_alloc(sizeof(*changed));
			const struct bench_case like = {
				.variant = { { "change", changes[change] },
					     { "listener", listeners[i].refill ?
					       "mirror, refill" :
					       listener_names[listeners[i].kind] } },
				.pages = 1,
			};

			changed->change = change;
			changed->listener = &listeners[i];
			changed->figures = (struct figures) { .measure = measure_changed,
							      .data = changed };
			figures_add(bench, &changed->figures, &like, figures_of_change,
				    listeners[i].kind == LISTENER_KVM ? FAULTS :
				    listeners[i].refill ? NR_FIGURES : REFILL);
		}
	}
}

static const struct target targets[] = {
	{ "entries dropped by {change} of a page, mirror against KVM",
	  "[listener=mirror, what=dropped]", "[listener=KVM, what=dropped]", 1 },
	{ "to bring them back, net of one page, mirror against KVM",
	  "[listener=mirror, what=use all again] - "
	  "[change=madvise, listener=mirror, what=use all again]",
	  "[listener=KVM, what=use all again] - "
	  "[change=madvise, listener=KVM, what=use all again]", 0.5 },
	{ "faults to use all again after {change} of a page, with a refill",
	  "[listener=mirror, refill, what=faults]", NULL, 1 },
	{ 0 }
};

BENCH_QUESTION(q15_collateral) = {
	.word = "collateral",
	.name = "Q15 collateral",
	.asks = "What else goes when one page of a large mapping changes?",
	.text = "One page in the middle of a mapping of 2,048 pages, which a listener has mapped, "
		"is changed with one call: the entries that go, the time to use all pages "
		"again, and its faults. \"refill\" is the worker's time.",
	.rows = { "change", "listener" },
	.across = "what",
	.each = "change=mmap over it|munmap|mprotect",
	.targets = targets,
	.enough = 7,
	.add_cases = add_changes,
};
