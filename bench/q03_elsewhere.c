// SPDX-License-Identifier: GPL-2.0
/* Q3: what does a listener cost in memory that it does not show? */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>

#include "bench.h"
#include "event.h"
#include "kvm.h"
#include "own_mirror.h"
#include "module/secmmu_bench.h"

#define MANY_SLOTS	32000u
#define SOME_SLOTS	1000u

enum kind { NONE, EMPTY, MIRROR, KVM };

/**
 * struct bystander - a process, and the listener there
 * @kind: which one
 * @slots: slots, each of one page
 * @name: as in the results
 * @worker: the process
 * @mirror: descriptor of the mirror
 * @shown: memory that the slots show; never touched
 * @region: memory that they do not show
 */
struct bystander {
	enum kind kind;
	unsigned int slots;
	const char *name;
	struct worker worker;
	int mirror;
	char *shown;
	char *region;
};

/* Sizes of events, in pages, and how many of them are timed together. */
static const struct size {
	size_t pages;
	size_t events;
} sizes[] = {
	{ 1, 512 },
	{ 512, 4 },
};

#define SIZES		ARRAY_SIZE(sizes)
#define REGION_PAGES	2048ul

static void listen_kvm(const struct bystander *bystander)
{
	unsigned int max;
	int machine = kvm_create(&max);

	if (max < bystander->slots)
		die("KVM has %u memslots, not %u", max, bystander->slots);
	for (unsigned int i = 0; i < bystander->slots; i++)
		kvm_slot(machine, i, 2 * i * PAGE, bystander->shown + i * PAGE, PAGE);
}

static void listen_mirror(struct bystander *bystander)
{
	bystander->mirror = mirror_create(mirror_device());
	for (unsigned int i = 0; i < bystander->slots; i++)
		mirror_slot(bystander->mirror, i, 2 * i * PAGE,
			    bystander->shown + i * PAGE, PAGE);
}

static void listen_empty(void)
{
	int fd = bench_open("/dev/secmmu_bench", "load secmmu_bench.ko");
	__u64 ns;

	if (ioctl(fd, SECMMU_BENCH_REGISTER, &ns))
		die("cannot register a notifier: %s", strerror(errno));
}

static void prepare_bystander(void *data)
{
	struct bystander *bystander = data;

	/* Huge pages would turn some events into others. */
	forbid_huge_pages();
	bystander->shown = map_memory(MANY_SLOTS * PAGE);
	bystander->region = map_memory(REGION_PAGES * PAGE);
	if (bystander->kind == KVM)
		listen_kvm(bystander);
	else if (bystander->kind == MIRROR)
		listen_mirror(bystander);
	else if (bystander->kind == EMPTY)
		listen_empty();
}

static void measure_events(void *data, unsigned char what, struct bench_sample *sample)
{
	const struct bystander *bystander = data;
	const struct size *size = &sizes[what / CALLS_THAT_DROP];
	enum call call = what % CALLS_THAT_DROP;
	size_t length = size->pages * size->events * PAGE;
	struct secmmu_stats before, after;

	for (size_t i = 0; i < length; i += PAGE)
		bystander->region[i] = 1;
	if (bystander->kind == MIRROR)
		mirror_stats(bystander->mirror, &before);
	sample->value = (double)event_raise(bystander->region, size->pages * PAGE,
					    size->events, call) / size->events;
	if (bystander->kind == MIRROR) {
		bench_count(bystander->mirror, &before, &after, sample);
		if (after.events - before.events < size->events)
			die("the mirror was not told of all events");
	}
	if (call == MUNMAP &&
	    mmap(bystander->region, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		die("cannot map memory again: %s", strerror(errno));
}

static void add_bystander(struct bench *bench, struct bystander *bystander)
{
	const char *slots = format("%u", bystander->slots);

	worker_start(&bystander->worker, prepare_bystander, measure_events, bystander);
	for (unsigned int i = 0; i < SIZES * CALLS_THAT_DROP; i++)
		bench_add(bench, &(struct bench_case) {
			.variant = { { "call", calls[i % CALLS_THAT_DROP] },
				     { "listener", bystander->name },
				     { "slots", slots } },
			.pages = sizes[i / CALLS_THAT_DROP].pages,
			.worker = &bystander->worker,
			.what = i,
		});
}

static void add_bystanders(struct bench *bench)
{
	static struct bystander bystanders[] = {
		{ .kind = NONE, .name = "none" },
		{ .kind = EMPTY, .name = "empty notifier" },
		{ .kind = MIRROR, .name = "mirror", .slots = 1 },
		{ .kind = KVM, .name = "KVM", .slots = 1 },
		{ .kind = MIRROR, .name = "mirror", .slots = MANY_SLOTS },
		{ .kind = KVM, .name = "KVM", .slots = MANY_SLOTS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bystanders); i++) {
		if (bench->grid == BENCH_TINY)
			bystanders[i].slots = MIN(bystanders[i].slots, SOME_SLOTS);
		add_bystander(bench, &bystanders[i]);
	}
}

#define NET_MIRROR	"[pages=1, listener=mirror, slots=1] - [pages=1, listener=none]"

#define NET_EMPTY	"[pages=1, listener=empty notifier] - [pages=1, listener=none]"

static const struct target targets[] = {
	{ "{call} of 1 page, mirror against empty notifier",
	  "[pages=1, listener=mirror, slots=1]", "[pages=1, listener=empty notifier]", 1.3 },
	{ "the same, net of the work without a listener", NET_MIRROR, NET_EMPTY, 2 },
	{ "the same, mirror with 32,000 slots",
	  "[pages=1, listener=mirror, slots=32000] - [pages=1, listener=none]", NET_EMPTY, 2.3 },
	{ "{call} of 512 pages, mirror against none",
	  "[pages=512, listener=mirror, slots=1]", "[pages=512, listener=none]", 1.03 },
	{ "{call} of 1 page, mirror with 32,000 slots against 1",
	  "[pages=1, listener=mirror, slots=32000]", "[pages=1, listener=mirror, slots=1]",
	  1.05 },
	{ "the same, net of the work without a listener",
	  "[pages=1, listener=mirror, slots=32000] - [pages=1, listener=none]", NET_MIRROR,
	  1.05 },
	{ "{call} of 1 page, net, mirror against KVM", NET_MIRROR,
	  "[pages=1, listener=KVM, slots=1] - [pages=1, listener=none]", 1 },
	{ 0 }
};

BENCH_QUESTION(q03_elsewhere) = {
	.word = "elsewhere",
	.name = "Q3 elsewhere",
	.asks = "What does a mirror cost in memory that it does not show?",
	.text = "Discarding and unmapping memory of which no slot has a page, with different "
		"listeners: time of one event of N pages.",
	.rows = { "call", "listener", "slots" },
	.across = "pages",
	.plot = "bars",
	.panels = { "call", "pages" },
	.each = "call=madvise|munmap",
	.targets = targets,
	.add_cases = add_bystanders,
};
