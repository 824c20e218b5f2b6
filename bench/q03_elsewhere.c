// SPDX-License-Identifier: GPL-2.0
/*
 * Q3: what does a mirror cost where it shows nothing?
 *
 * A process unmaps and discards memory of which no slot has a page. Nobody has to do
 * anything; those who listen are called all the same. Listeners: none, a notifier
 * whose start and end do nothing, a mirror and a KVM machine with one slot each and
 * with very many. Each is in a process of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>

#include "bench.h"
#include "event.h"
#include "kvm.h"
#include "mirror.h"
#include "module/secmmu_bench.h"
#include "worker.h"

#define PAGE		4096ul
#define MANY_SLOTS	32000u
#define SOME_SLOTS	1000u

enum kind { NONE, EMPTY, MIRROR, KVM };

/**
 * struct listener - a process, and who listens to what happens there
 * @kind: who
 * @slots: slots, each of one page
 * @name: as in the results
 * @worker: the process
 * @mirror: descriptor of the mirror
 * @shown: what the slots show; never touched
 * @region: memory elsewhere
 */
struct listener {
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

#define SIZES		(sizeof(sizes) / sizeof(sizes[0]))
#define REGION_PAGES	2048ul

/* One kind of event, of one size, in one process. */
struct point {
	struct listener *listener;
	unsigned char what;
};

static char *map(size_t pages)
{
	char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	return at;
}

static void listen_kvm(struct listener *listener)
{
	unsigned int max;
	int machine = kvm_create(&max);

	if (max < listener->slots)
		bench_die("KVM has %u memslots, not %u", max, listener->slots);
	for (unsigned int i = 0; i < listener->slots; i++)
		kvm_slot(machine, i, 2 * i * PAGE, listener->shown + i * PAGE,
			 PAGE);
}

static void listen_mirror(struct listener *listener)
{
	listener->mirror = mirror_create(mirror_device(), SECMMU_FLUSH_RANGE, 0);
	for (unsigned int i = 0; i < listener->slots; i++)
		mirror_slot(listener->mirror, i, 2 * i * PAGE,
			    listener->shown + i * PAGE, PAGE);
}

static void listen_empty(void)
{
	int fd = bench_open("/dev/secmmu_bench", "load secmmu_bench.ko");
	__u64 ns;

	if (ioctl(fd, SECMMU_BENCH_REGISTER, &ns))
		bench_die("cannot register a notifier: %s", strerror(errno));
}

static void prepare(void *data)
{
	struct listener *listener = data;

	/* Huge pages would turn some events into others. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	listener->shown = map(MANY_SLOTS);
	listener->region = map(REGION_PAGES);
	if (listener->kind == KVM)
		listen_kvm(listener);
	else if (listener->kind == MIRROR)
		listen_mirror(listener);
	else if (listener->kind == EMPTY)
		listen_empty();
}

static void measure_events(void *data, unsigned char what,
			   struct bench_sample *sample)
{
	struct listener *listener = data;
	const struct size *size = &sizes[what / CALLS_THAT_DROP];
	enum call call = what % CALLS_THAT_DROP;
	size_t length = size->pages * size->events * PAGE;
	struct secmmu_stats before, after;

	for (size_t i = 0; i < length; i += PAGE)
		listener->region[i] = 1;
	if (listener->kind == MIRROR)
		mirror_stats(listener->mirror, &before);
	sample->value = (double)event_raise(listener->region, size->pages * PAGE,
					    size->events, call) / size->events;
	if (listener->kind == MIRROR) {
		mirror_stats(listener->mirror, &after);
		if (after.events - before.events < size->events)
			bench_die("the mirror was not told of all events");
		sample->counted = true;
		sample->flushes = after.flushes - before.flushes;
		sample->interrupts = after.interrupts - before.interrupts;
	}
	if (call == MUNMAP &&
	    mmap(listener->region, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		bench_die("cannot map memory again: %s", strerror(errno));
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct point *point = data;

	worker_ask(&point->listener->worker, point->what, sample);
}

static void add_listener(struct bench *bench, struct listener *listener)
{
	struct point *points = calloc(SIZES * CALLS_THAT_DROP, sizeof(*points));

	if (!points)
		bench_die("out of memory");
	worker_start(&listener->worker, prepare, measure_events, listener);
	for (unsigned int i = 0; i < SIZES * CALLS_THAT_DROP; i++) {
		struct bench_case one = {
			.variant = bench_text("\"call\":\"%s\",\"listener\":\"%s\",\"slots\":%u",
					      calls[i % CALLS_THAT_DROP], listener->name,
					      listener->slots),
			.pages = sizes[i / CALLS_THAT_DROP].pages,
			.threads = 1,
			.measure = measure,
			.data = &points[i],
		};

		points[i].listener = listener;
		points[i].what = i;
		bench_add(bench, &one);
	}
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q3 elsewhere",
		.about = "What does a mirror cost where it shows nothing?",
	};
	struct listener listeners[] = {
		{ .kind = NONE, .name = "none" },
		{ .kind = EMPTY, .name = "empty notifier" },
		{ .kind = MIRROR, .name = "mirror", .slots = 1 },
		{ .kind = KVM, .name = "KVM", .slots = 1 },
		{ .kind = MIRROR, .name = "mirror", .slots = MANY_SLOTS },
		{ .kind = KVM, .name = "KVM", .slots = MANY_SLOTS },
	};
	unsigned int nr = sizeof(listeners) / sizeof(listeners[0]);

	bench_init(&bench, argc, argv);
	bench_pin(0);
	for (unsigned int i = 0; i < nr; i++) {
		if (bench.grid == BENCH_TINY)
			listeners[i].slots = MIN(listeners[i].slots, SOME_SLOTS);
		add_listener(&bench, &listeners[i]);
	}
	bench_run(&bench);
	for (unsigned int i = 0; i < nr; i++)
		worker_stop(&listeners[i].worker);
	return 0;
}
