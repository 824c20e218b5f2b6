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

#include "figures.h"
#include "listener.h"
#include "own_mirror.h"

#define PAGES		2048ul

/* In the middle of a block of 2 MiB. */
#define CHANGED		(512 + 256)

enum change { MAP_OVER, UNMAP, PROTECT, DISCARD, CHANGES };

static const char *const changes[CHANGES] = {
	[MAP_OVER] = "mmap over it",
	[UNMAP] = "munmap",
	[PROTECT] = "mprotect",
	[DISCARD] = "madvise",
};

enum { DROPPED, AGAIN, NR_FIGURES };

static const struct figure figures_of_change[NR_FIGURES] = {
	{ DROPPED, "dropped", "entries" },
	{ AGAIN, "use all again", NULL },
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

static void measure_change(void *data, unsigned char change, struct bench_sample *sample)
{
	const struct listener *listener = data;
	char *at = listener->memory + CHANGED * PAGE;
	uint64_t before, began;

	listener_map(listener, 0, PAGES);
	listener_use(listener);
	before = count_entries(listener);
	change_page(at, change);
	values[DROPPED] = (double)(before - count_entries(listener));
	restore_page(at, change);
	began = clock_ns();
	listener_use(listener);
	values[AGAIN] = (double)(clock_ns() - began);
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
		{ .kind = LISTENER_MIRROR }, { .kind = LISTENER_KVM },
	};

	values = map_shared(NR_FIGURES * sizeof(*values));
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++) {
		worker_start(&listeners[i].worker, prepare_listener, measure_change,
			     &listeners[i]);
		for (enum change change = 0; change < CHANGES; change++) {
			struct changed *changed = bench_alloc(sizeof(*changed));
			const struct bench_case like = {
				.variant = { { "change", changes[change] },
					     { "listener",
					       listener_names[listeners[i].kind] } },
				.pages = 1,
			};

			changed->change = change;
			changed->listener = &listeners[i];
			changed->figures = (struct figures) { .measure = measure_changed,
							      .data = changed };
			figures_add(bench, &changed->figures, &like, figures_of_change,
				    NR_FIGURES);
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
	{ 0 }
};

BENCH_QUESTION(q15_collateral) = {
	.word = "collateral",
	.name = "Q15 collateral",
	.asks = "What else goes when one page of a large mapping changes?",
	.text = "One page in the middle of a mapping of 2,048 pages, which a listener has mapped, "
		"is changed with one call: the entries that go, and the time to use all pages "
		"again.",
	.rows = { "change", "listener" },
	.across = "what",
	.each = "change=mmap over it|munmap|mprotect",
	.targets = targets,
	.enough = 7,
	.add_cases = add_changes,
};
