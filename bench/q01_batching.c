// SPDX-License-Identifier: GPL-2.0
/*
 * Q1: what does it cost to flush once for an event, once for N pages, or for each page?
 *
 * Each combination of policy and engines has a process of its own. The number of flushes
 * is known, so it is checked and not reported as a result.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>

#include <linux/secmmu_test.h>

#include "bench.h"
#include "event.h"
#include "own_mirror.h"
#include "runner.h"

/* mprotect() makes one event for each aligned piece of this size. */
#define PIECE		(1ul << 30)

/*
 * Small events are measured together, as many as make this size. They have a mapping of
 * their own, which lies across the border of two blocks of 2 MiB and contains neither:
 * when the kernel takes a part away from a mapping that contains such a block, it first
 * announces an event for all of the block, in case there is a huge page to be split.
 */
#define SMALL		(512 * PAGE)
#define ACROSS		(SMALL / 2)

/* The most running engines. */
#define ENGINES_MAX	8u

#define NO_MIRROR	(-1)

/* XPMEM's way (driver/test/history.h), in place of slots of the mirror. */
#define XPMEM		(-2)

/**
 * struct policy - when to flush
 * @name: as in the results
 * @policy: enum secmmu_flush_policy, NO_MIRROR or XPMEM
 * @batch: pages per flush
 * @grid: measured in the full grid only, in all grids with one call, with all calls
 * @build: the builds of the driver; bit 0: normal, bit 1: test
 */
static const struct policy {
	const char *name;
	int policy;
	uint32_t batch;
	enum { FULL_ONLY, ONE_CALL, ALL_CALLS } grid;
	unsigned int build;
} policies[] = {
	{ "no mirror", NO_MIRROR, 0, ALL_CALLS, 3 },
	{ "range", SECMMU_FLUSH_RANGE, 0, ALL_CALLS, 1 },
	{ "each", SECMMU_FLUSH_EACH, 0, ALL_CALLS, 1 },
	{ "array:8", SECMMU_FLUSH_ARRAY, 8, FULL_ONLY, 1 },
	{ "array:32", SECMMU_FLUSH_ARRAY, 32, ONE_CALL, 3 },
	{ "array:128", SECMMU_FLUSH_ARRAY, 128, FULL_ONLY, 1 },
	{ "array:512", SECMMU_FLUSH_ARRAY, 512, ONE_CALL, 1 },
	{ "array:4096", SECMMU_FLUSH_ARRAY, 4096, FULL_ONLY, 1 },
	{ "end-array:32", XPMEM, SECMMU_TEST_PAST_BATCH, ONE_CALL, 2 },
};

#define POLICIES	ARRAY_SIZE(policies)

/* The one call: the kernel's own work is the smallest part of its time. */
#define CHEAPEST	MPROTECT

/**
 * struct size - pages per event
 * @pages: the size
 * @grids: the grids that have it; one bit for each enum bench_grid
 * @enough: the rounds that are enough, or zero for all
 * @slow: left out in a test build
 */
static const struct size {
	size_t pages;
	unsigned int grids;
	unsigned int enough;
	bool slow;
} sizes[] = {
	{ 1, 1 << BENCH_FULL | 1 << BENCH_QUICK | 1 << BENCH_TINY, 0, false },
	{ 8, 1 << BENCH_FULL, 11, false },
	{ 64, 1 << BENCH_FULL | 1 << BENCH_QUICK | 1 << BENCH_TINY, 0, false },
	{ 512, 1 << BENCH_FULL, 11, false },
	{ 4096, 1 << BENCH_FULL | 1 << BENCH_QUICK, 0, false },
	{ 32768, 1 << BENCH_FULL, 5, true },
	{ 262144, 1 << BENCH_FULL, 2, true },
};

#define SIZES		ARRAY_SIZE(sizes)

/**
 * struct process - a process, its mirror and engines
 * @policy: of the mirror
 * @running: engines that run during a measurement
 * @idle: one engine has the mirror loaded and rests
 * @worker: the process
 * @mirror: descriptor; for NO_MIRROR that of the parent's mirror
 * @past: descriptor of XPMEM, which flushes the mirror's engines
 * @memory: the mirror shows it: @length bytes, aligned to PIECE, for large events; ACROSS
 *	bytes that are never mapped; SMALL bytes
 * @length: of the largest event
 * @runners: the running engines
 */
struct process {
	const struct policy *policy;
	unsigned int running;
	bool idle;
	struct worker worker;
	int mirror;
	int past;
	char *memory;
	size_t length;
	struct runner runners[ENGINES_MAX];
};

static int device;

/* The parent's mirror, and its engines, which run for processes without a mirror. */
static int bystander, bystanders[ENGINES_MAX];

static void need_memory(bool ok, const char *what)
{
	if (!ok)
		die("cannot %s memory: %s", what, strerror(errno));
}

static void map_at(char *at, size_t length)
{
	need_memory(!length || mmap(at, length, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				    MAP_FIXED, -1, 0) == at, "map");
}

static void subscribe_xpmem(struct process *process, size_t shown)
{
	struct secmmu_test_subscribe arg = {
		.size = sizeof(arg),
		.kind = SECMMU_TEST_XPMEM,
		.start = (uintptr_t)process->memory,
		.end = (uintptr_t)process->memory + shown,
	};

	mirror_need(secmmu_call(process->mirror, SECMMU_TEST_SUBSCRIBE, &arg,
				sizeof(arg)), "subscribe");
	process->past = arg.fd;
}

/* Get pages; returns the number of pages held. */
static uint32_t ask_xpmem(const struct process *process, const char *at, size_t length)
{
	struct secmmu_test_past arg = {
		.size = sizeof(arg),
		.flags = SECMMU_TEST_PAST_FAULT,
		.address = (uintptr_t)at,
		.pages = length / PAGE,
	};

	mirror_need(secmmu_call(process->past, SECMMU_TEST_PAST, &arg, sizeof(arg)),
		    "ask XPMEM");
	return arg.held;
}

static void prepare_process(void *data)
{
	struct process *process = data;
	size_t shown = process->length + ACROSS + SMALL;
	char *area = mmap(NULL, PIECE + shown, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need_memory(area != MAP_FAILED, "reserve");
	process->memory = area + (-(uintptr_t)area & (PIECE - 1));
	map_at(process->memory, process->length);
	map_at(process->memory + process->length + ACROSS, SMALL);
	/* A huge page is one entry. */
	forbid_huge_pages();
	process->mirror = bystander;
	if (process->policy->policy == XPMEM) {
		process->mirror = mirror_create(device);
		subscribe_xpmem(process, shown);
		runner_show(process->mirror);
	} else if (process->policy->policy != NO_MIRROR) {
		process->mirror =
			mirror_need(secmmu_create_mirror(device, process->policy->policy,
							 process->policy->batch),
				    "create a mirror");
		mirror_slot(process->mirror, 0, 0, process->memory, shown);
		runner_show(process->mirror);
	}
	/* An engine that has run and was halted is idle. */
	for (unsigned int i = 0; i < process->running + process->idle; i++)
		runner_start(&process->runners[i],
			     process->mirror == bystander ? bystanders[i] :
			     mirror_engine(process->mirror, SECMMU_ENGINE_BACKGROUND), i + 1);
}

static void map_in_mirror(const struct process *process, char *at, size_t length)
{
	if (process->policy->policy >= 0) {
		mirror_prefault(process->mirror, 0, at - process->memory, length,
				SECMMU_PREFAULT_WRITE);
		return;
	}
	need_memory(!madvise(at, length, MADV_POPULATE_WRITE), "populate");
	if (process->policy->policy == XPMEM)
		ask_xpmem(process, at, length);
}

/* Undo the events, and leave the memory empty. */
static void restore_memory(char *at, size_t length, enum call call)
{
	if (call == MUNMAP)
		map_at(at, length);
	if (call == MPROTECT) {
		need_memory(!mprotect(at, length, PROT_READ | PROT_WRITE), "permit");
		need_memory(!madvise(at, length, MADV_DONTNEED), "discard");
	}
}

/* The flushes that an event takes. */
static uint64_t count_flushes(const struct policy *policy, size_t pages)
{
	switch (policy->policy) {
	case SECMMU_FLUSH_RANGE:
		return 1;
	case SECMMU_FLUSH_EACH:
		return pages;
	default:
		return howmany(pages, policy->batch);
	}
}

/* XPMEM is no slot of the mirror: it says itself how many pages it holds. */
static void count_xpmem(const struct process *process, size_t events,
			struct secmmu_stats *stats)
{
	if (process->policy->policy != XPMEM)
		return;
	stats->zap_events = events;
	stats->zapped = -(uint64_t)ask_xpmem(process, NULL, 0);
}

/* The mirror must have done what its policy says. */
static void check_counts(const struct policy *policy, const struct secmmu_stats *before,
			 const struct secmmu_stats *after, size_t pages,
			 size_t events)
{
	uint64_t expected = events * count_flushes(policy, pages);
	uint64_t flushes = after->flushes - before->flushes -
			   (after->assists - before->assists);

	if (after->zap_events - before->zap_events != events ||
	    after->zapped - before->zapped != events * pages)
		die("%s: %llu events dropped %llu entries, not %zu and %zu",
		    policy->name, after->zap_events - before->zap_events,
		    after->zapped - before->zapped, events, events * pages);
	if (flushes != expected)
		die("%s: %zu events of %zu pages took %ju flushes, not %ju",
		    policy->name, events, pages, (uintmax_t)flushes,
		    (uintmax_t)expected);
}

/* With one flush for each page, an engine that ran was interrupted. */
static bool engines_have_run(const struct process *process, const struct secmmu_stats *before,
		     const struct secmmu_stats *after)
{
	if (!process->running)
		return true;
	if (process->policy->policy == SECMMU_FLUSH_EACH)
		return after->interrupts > before->interrupts;
	return after->reads > before->reads;
}

static void measure_events(void *data, unsigned char what, struct bench_sample *sample)
{
	struct process *process = data;
	enum call call = what % CALLS;
	size_t pages = sizes[what / CALLS].pages, length = pages * PAGE;
	size_t events = howmany(SMALL, length);
	struct secmmu_stats before, after;
	char *at = process->memory;
	uint64_t ns;

	if (length < SMALL)
		at += process->length + ACROSS;
	map_in_mirror(process, at, events * length);
	for (unsigned int i = 0; i < process->running; i++)
		runner_go(&process->runners[i]);
	mirror_stats(process->mirror, &before);
	count_xpmem(process, 0, &before);
	ns = event_raise(at, length, events, call);
	bench_count(process->mirror, &before, &after, sample);
	count_xpmem(process, events, &after);
	for (unsigned int i = 0; i < process->running; i++)
		runner_halt(&process->runners[i]);
	sample->counted = process->policy->policy != NO_MIRROR;
	if (sample->counted)
		check_counts(process->policy, &before, &after, pages, events);
	restore_memory(at, events * length, call);
	sample->value = (double)ns / (events * pages);
	sample->again = !engines_have_run(process, &before, &after);
}

/* In small grids one call is enough for most policies. */
static bool is_worth_it(const struct bench *bench, const struct process *process,
		      const struct size *size, enum call call)
{
	if (!(size->grids & 1 << bench->grid) || (size->slow && bench->test_build))
		return false;
	if (bench->grid == BENCH_FULL || call == CHEAPEST)
		return true;
	return process->policy->grid == ALL_CALLS && !process->idle &&
	       !bench->test_build;
}

static void add_process(struct bench *bench, const struct policy *policy,
			unsigned int running, bool idle)
{
	struct process *process = bench_alloc(sizeof(*process));
	const char *engines = running ? format("%u running", running) :
			      idle ? "idle" : "none";
	unsigned int before = bench->nr_cases;

	*process = (struct process) { .policy = policy, .running = running, .idle = idle };
	for (size_t i = 0; i < SIZES; i++)
		for (enum call call = 0; call < CALLS; call++) {
			if (!is_worth_it(bench, process, &sizes[i], call))
				continue;
			if (sizes[i].pages * PAGE >= SMALL)
				process->length = MAX(process->length,
						      sizes[i].pages * PAGE);
			bench_add(bench, &(struct bench_case) {
				.variant = { { "policy", policy->name },
					     { "engines", engines },
					     { "call", calls[call] } },
				.pages = sizes[i].pages,
				.enough = sizes[i].enough,
				.worker = &process->worker,
				.what = i * CALLS + call,
			});
		}
	if (bench->nr_cases > before)
		worker_start(&process->worker, prepare_process, measure_events, process);
}

static void make_bystander(unsigned int engines)
{
	bystander = mirror_create(device);
	runner_show(bystander);
	while (engines--)
		bystanders[engines] = mirror_engine(bystander, SECMMU_ENGINE_BACKGROUND);
}

static void add_policies(struct bench *bench)
{
	unsigned int others = MIN(count_cpus() - 1, ENGINES_MAX);

	if (!others)
		fprintf(stderr, "batching: no processor for a running engine; left out\n");
	device = mirror_device();
	make_bystander(others);
	for (size_t i = 0; i < POLICIES; i++) {
		const struct policy *policy = &policies[i];

		if (!(policy->build & 1 << bench->test_build) ||
		    (bench->grid != BENCH_FULL && policy->grid == FULL_ONLY))
			continue;
		add_process(bench, policy, 0, false);
		if (policy->policy != NO_MIRROR)
			add_process(bench, policy, 0, true);
		if (others)
			add_process(bench, policy, 1, false);
		if (others > 1)
			add_process(bench, policy, others, false);
	}
}

/* "Net" is without the kernel's own work. */
static const struct target targets[] = {
	{ "{call} of {pages} pages, one engine running, net, range against each",
	  "[policy=range, engines=1 running] - [policy=no mirror, engines=1 running]",
	  "[policy=each, engines=1 running] - [policy=no mirror, engines=1 running]", 0.2 },
	{ "{call} of {pages} pages, range, one engine running against none",
	  "[policy=range, engines=1 running]", "[policy=range, engines=none]", 1.1 },
	{ "the same, net",
	  "[policy=range, engines=1 running] - [policy=no mirror, engines=1 running]",
	  "[policy=range, engines=none] - [policy=no mirror, engines=none]", 1.1 },
	{ 0 }
};

BENCH_QUESTION(q01_batching) = {
	.word = "batching",
	.name = "Q1 batching",
	.asks = "What does it cost to flush once for an event, or more often?",
	.text = "Time for each page of an event. A mirror has mapped all pages, and "
		"flushes once for the event (range), once for N pages (array:N) or for each "
		"page (each). A running engine opens one window after the other. Without a "
		"mirror, it runs on the mirror of another process.",
	.rows = { "policy", "engines", "call", "build" },
	.across = "pages",
	.plot = "xy",
	.plotted = "call=mprotect, engines=1 running",
	.each = "call=mprotect|madvise|munmap, pages=4096|262144",
	.targets = targets,
	.of_test_build = true,
	.add_cases = add_policies,
};
