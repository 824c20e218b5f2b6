// SPDX-License-Identifier: GPL-2.0
/*
 * Q1: what does it cost to flush once, for each so many pages, or for each page?
 *
 * A process unmaps, discards or protects memory that a mirror has mapped, in events of
 * so many pages, while no engine, an idle one or running ones use the mirror. Each
 * combination of policy and engines is in a process of its own. One without a mirror
 * shows what the kernel's own work costs; where engines run beside it they are those
 * of the parent's mirror.
 *
 * How often the policies flush is no result but known: it is checked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/prctl.h>

#include <linux/secmmu_test.h>

#include "bench.h"
#include "event.h"
#include "mirror.h"
#include "runner.h"
#include "worker.h"

#define PAGE		4096ul

/* The kernel makes an event of each such piece that mprotect() meets. */
#define PIECE		(1ul << 30)

/*
 * Small events are measured together, so many pages. They have a mapping of their own,
 * which lies across two blocks that could be huge pages: when the kernel takes a part
 * away from a mapping that has such a block, it announces an event for all of the block,
 * in case there is one to be split.
 */
#define SMALL		(512 * PAGE)
#define ACROSS		(SMALL / 2)

/* Engines at most; one running for sure, more where there are processors. */
#define ENGINES_MAX	8u

#define NO_MIRROR	(-1)

/* XPMEM's way (driver/test/history.h), in place of slots of the mirror. */
#define XPMEM		(-2)

/* How often an engine may not get a processor; on a busy host it takes a few. */
#define TRIES		100u

/**
 * struct policy - when to flush
 * @name: as in the results
 * @policy: enum secmmu_flush_policy, NO_MIRROR or XPMEM
 * @batch: pages per flush
 * @grid: in the smaller grids: nothing, one call, all calls
 * @build: in which builds of the driver: bit 0: normal, bit 1: test
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

#define POLICIES	(sizeof(policies) / sizeof(policies[0]))

/* The call that is enough: least of its time is the kernel's own. */
#define CHEAPEST	MPROTECT

/**
 * struct size - pages per event
 * @pages: so many
 * @grids: in which grids: one bit for each enum bench_grid
 * @enough: rounds, or zero for all
 * @dear: not for a test build
 */
static const struct size {
	size_t pages;
	unsigned int grids;
	unsigned int enough;
	bool dear;
} sizes[] = {
	{ 1, 1 << BENCH_FULL | 1 << BENCH_QUICK | 1 << BENCH_TINY, 0, false },
	{ 8, 1 << BENCH_FULL, 11, false },
	{ 64, 1 << BENCH_FULL | 1 << BENCH_QUICK | 1 << BENCH_TINY, 0, false },
	{ 512, 1 << BENCH_FULL, 11, false },
	{ 4096, 1 << BENCH_FULL | 1 << BENCH_QUICK, 0, false },
	{ 32768, 1 << BENCH_FULL, 5, true },
	{ 262144, 1 << BENCH_FULL, 2, true },
};

#define SIZES		(sizeof(sizes) / sizeof(sizes[0]))

/**
 * struct subject - a process, its mirror and engines
 * @policy: of the mirror
 * @running: engines that run while it is measured
 * @idle: there is one that has the mirror loaded
 * @worker: the process
 * @mirror: descriptor; without a mirror that of the parent
 * @past: descriptor of XPMEM, which flushes the mirror's engines
 * @memory: what the mirror shows: @length bytes, aligned to PIECE, for large events;
 *	then what is never mapped, ACROSS bytes; then SMALL bytes
 * @length: of the largest event
 * @runners: the running engines
 */
struct subject {
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

/* One kind of event, of one size, in one process. */
struct point {
	struct subject *subject;
	unsigned char what;
};

static struct subject subjects[4 * POLICIES];
static size_t nr_subjects;
static int device;

/* A mirror of the parent, and engines that the processes without one let run there. */
static int bystander, bystanders[ENGINES_MAX];

static void check(bool ok, const char *what)
{
	if (!ok)
		bench_die("cannot %s memory: %s", what, strerror(errno));
}

static void map(char *at, size_t length)
{
	check(!length || mmap(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			      MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == at,
	      "map");
}

static void subscribe(struct subject *subject, size_t shown)
{
	struct secmmu_test_subscribe arg = {
		.size = sizeof(arg),
		.kind = SECMMU_TEST_XPMEM,
		.start = (uintptr_t)subject->memory,
		.end = (uintptr_t)subject->memory + shown,
	};

	mirror_need(secmmu_call(subject->mirror, SECMMU_TEST_SUBSCRIBE, &arg,
				sizeof(arg)), "subscribe");
	subject->past = arg.fd;
}

/* Get pages; returns how many are held. */
static uint32_t ask_past(const struct subject *subject, const char *at, size_t length)
{
	struct secmmu_test_past arg = {
		.size = sizeof(arg),
		.flags = SECMMU_TEST_PAST_FAULT,
		.address = (uintptr_t)at,
		.pages = length / PAGE,
	};

	mirror_need(secmmu_call(subject->past, SECMMU_TEST_PAST, &arg, sizeof(arg)),
		    "ask XPMEM");
	return arg.held;
}

static void prepare(void *data)
{
	struct subject *subject = data;
	size_t shown = subject->length + ACROSS + SMALL;
	char *area = mmap(NULL, PIECE + shown, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check(area != MAP_FAILED, "reserve");
	subject->memory = area + (-(uintptr_t)area & (PIECE - 1));
	map(subject->memory, subject->length);
	map(subject->memory + subject->length + ACROSS, SMALL);
	/* A huge page is one entry. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	subject->mirror = bystander;
	if (subject->policy->policy == XPMEM) {
		subject->mirror = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
		subscribe(subject, shown);
		runner_show(subject->mirror);
	} else if (subject->policy->policy != NO_MIRROR) {
		subject->mirror = mirror_create(device, subject->policy->policy,
						subject->policy->batch);
		mirror_slot(subject->mirror, 0, 0, subject->memory, shown);
		runner_show(subject->mirror);
	}
	/* One that is told to run and then to halt is idle. */
	for (unsigned int i = 0; i < subject->running + subject->idle; i++)
		runner_start(&subject->runners[i],
			     subject->mirror == bystander ? bystanders[i] :
			     runner_engine(subject->mirror), i + 1);
}

static void fill(const struct subject *subject, char *at, size_t length)
{
	if (subject->policy->policy >= 0) {
		mirror_prefault(subject->mirror, at - subject->memory, length,
				SECMMU_PREFAULT_WRITE);
		return;
	}
	check(!madvise(at, length, MADV_POPULATE_WRITE), "populate");
	if (subject->policy->policy == XPMEM)
		ask_past(subject, at, length);
}

/* As it was before, and empty. */
static void restore(char *at, size_t length, enum call call)
{
	if (call == MUNMAP)
		map(at, length);
	if (call == MPROTECT) {
		check(!mprotect(at, length, PROT_READ | PROT_WRITE), "permit");
		check(!madvise(at, length, MADV_DONTNEED), "discard");
	}
}

/* Flushes of one event of so many pages. */
static uint64_t flushes_of(const struct policy *policy, size_t pages)
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

/* The mirror's counters; of XPMEM, what else the check looks at. */
static void read_counts(const struct subject *subject, size_t events,
			struct secmmu_stats *stats)
{
	mirror_stats(subject->mirror, stats);
	if (subject->policy->policy == XPMEM) {
		stats->zap_events = events;
		stats->zapped = -(uint64_t)ask_past(subject, NULL, 0);
	}
}

/* Did the mirror do what its policy says? */
static void check_counts(const struct policy *policy, const struct secmmu_stats *before,
			 const struct secmmu_stats *after, size_t pages,
			 size_t events)
{
	uint64_t expected = events * flushes_of(policy, pages);
	uint64_t flushes = after->flushes - before->flushes -
			   (after->assists - before->assists);

	if (after->zap_events - before->zap_events != events ||
	    after->zapped - before->zapped != events * pages)
		bench_die("%s: %llu events dropped %llu entries, not %zu and %zu",
			  policy->name, after->zap_events - before->zap_events,
			  after->zapped - before->zapped, events, events * pages);
	if (flushes != expected)
		bench_die("%s: %zu events of %zu pages took %ju flushes, not %ju",
			  policy->name, events, pages, (uintmax_t)flushes,
			  (uintmax_t)expected);
}

/* Were the running engines at work? Where each page is flushed, one was in the way. */
static bool have_run(const struct subject *subject, const struct secmmu_stats *before,
		     const struct secmmu_stats *after)
{
	if (!subject->running)
		return true;
	if (subject->policy->policy == SECMMU_FLUSH_EACH)
		return after->interrupts > before->interrupts;
	return after->reads > before->reads;
}

/* Returns false if the engines that should run did not get a processor. */
static bool measure_once(struct subject *subject, size_t pages, enum call call,
			 struct bench_sample *sample)
{
	size_t length = pages * PAGE, events = howmany(SMALL, length);
	bool mirrored = subject->policy->policy != NO_MIRROR;
	struct secmmu_stats before, after;
	char *at = subject->memory;
	uint64_t ns;

	if (length < SMALL)
		at += subject->length + ACROSS;
	fill(subject, at, events * length);
	for (unsigned int i = 0; i < subject->running; i++)
		runner_go(&subject->runners[i]);
	read_counts(subject, 0, &before);
	ns = event_raise(at, length, events, call);
	read_counts(subject, events, &after);
	for (unsigned int i = 0; i < subject->running; i++)
		runner_halt(&subject->runners[i]);
	if (mirrored)
		check_counts(subject->policy, &before, &after, pages, events);
	restore(at, events * length, call);
	sample->value = (double)ns / (events * pages);
	sample->counted = mirrored;
	sample->flushes = after.flushes - before.flushes;
	sample->interrupts = after.interrupts - before.interrupts;
	return have_run(subject, &before, &after);
}

static void measure_events(void *data, unsigned char what,
			   struct bench_sample *sample)
{
	struct subject *subject = data;
	unsigned int tries = TRIES;

	while (!measure_once(subject, sizes[what / CALLS].pages, what % CALLS, sample))
		if (!--tries)
			bench_die("%s: in %u measurements no engine ran",
				  subject->policy->name, TRIES);
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct point *point = data;

	worker_ask(&point->subject->worker, point->what, sample);
}

static void add_point(struct bench *bench, struct subject *subject, size_t size,
		      enum call call)
{
	struct point *point = calloc(1, sizeof(*point));
	struct bench_case one = {
		.pages = sizes[size].pages,
		.threads = 1,
		.enough = sizes[size].enough,
		.measure = measure,
		.data = point,
	};
	char *engines = subject->running ?
			bench_text("%u running", subject->running) :
			bench_text(subject->idle ? "idle" : "none");

	if (!point)
		bench_die("out of memory");
	*point = (struct point) { subject, size * CALLS + call };
	one.variant = bench_text("\"policy\":\"%s\",\"engines\":\"%s\",\"call\":\"%s\"",
				 subject->policy->name, engines, calls[call]);
	free(engines);
	bench_add(bench, &one);
}

/* Is it worth its time? In small grids one call is enough for most. */
static bool wanted(const struct bench *bench, const struct subject *subject,
		   const struct size *size, enum call call)
{
	if (!(size->grids & 1 << bench->grid) || (size->dear && bench->test_build))
		return false;
	if (bench->grid == BENCH_FULL || call == CHEAPEST)
		return true;
	return subject->policy->grid == ALL_CALLS && !subject->idle &&
	       !bench->test_build;
}

static void add_subject(struct bench *bench, const struct policy *policy,
			unsigned int running, bool idle)
{
	struct subject *subject = &subjects[nr_subjects++];

	subject->policy = policy;
	subject->running = running;
	subject->idle = idle;
	for (size_t i = 0; i < SIZES; i++)
		for (enum call call = 0; call < CALLS; call++) {
			if (!wanted(bench, subject, &sizes[i], call))
				continue;
			if (sizes[i].pages * PAGE >= SMALL)
				subject->length = MAX(subject->length,
						      sizes[i].pages * PAGE);
			add_point(bench, subject, i, call);
		}
	worker_start(&subject->worker, prepare, measure_events, subject);
}

static void make_bystander(unsigned int engines)
{
	bystander = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
	runner_show(bystander);
	while (engines--)
		bystanders[engines] = runner_engine(bystander);
}

int main(int argc, char **argv)
{
	struct bench bench = {
		.name = "Q1 batching",
		.about = "What does it cost to flush once per event, or more often?",
	};
	unsigned int others;

	bench_init(&bench, argc, argv);
	bench_pin(0);
	others = MIN(bench_cpus() - 1, ENGINES_MAX);
	if (!others)
		fprintf(stderr, "%s: no processor for a running engine; left out\n",
			bench.name);
	device = mirror_device();
	if (bench.test_build)
		mirror_need_test_build(device);
	make_bystander(others);
	for (size_t i = 0; i < POLICIES; i++) {
		const struct policy *policy = &policies[i];

		if (!(policy->build & 1 << bench.test_build) ||
		    (bench.grid != BENCH_FULL && policy->grid == FULL_ONLY))
			continue;
		add_subject(&bench, policy, 0, false);
		if (policy->policy != NO_MIRROR)
			add_subject(&bench, policy, 0, true);
		if (others)
			add_subject(&bench, policy, 1, false);
		if (others > 1)
			add_subject(&bench, policy, others, false);
	}
	bench_run(&bench);
	while (nr_subjects)
		worker_stop(&subjects[--nr_subjects].worker);
	return 0;
}
