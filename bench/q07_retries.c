// SPDX-License-Identifier: GPL-2.0
/*
 * Q7: do events that do not concern a fault disturb it?
 *
 * The engine is in a process of its own, as a device would be: the kernel's own TLB
 * flushes do not interrupt it. A test build can be told to know only the hull of all
 * events in flight, as KVM does.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "figures.h"
#include "own_mirror.h"

/* A thread discards this at once: it takes long enough to be preempted meanwhile. */
#define DISCARD		(2048 * PAGE)
#define DISCARDERS	2u

/* On a busy host it may take a while before the threads get a processor. */
#define PASSES_MAX	1000u

#define MUTANT		"/sys/module/secmmu/parameters/mutant"

/* Figures in addition to those of times. */
enum { RETRIES = FIGURES_OF_TIMES, WAITS };

static const struct figure figures_of_faults[] = {
	{ FIGURE_P50, "p50", NULL },
	{ FIGURE_P99, "p99", NULL },
	{ FIGURE_MAX, "max", NULL },
	{ RETRIES, "retries", "times" },
	{ WAITS, "waits", "times" },
};

#define ONLY_TIMES	3

enum meanwhile { NOTHING, LOOPS, DISCARDS, MEANWHILE };

static const char *const meanwhile_names[MEANWHILE] = {
	[NOTHING] = "nothing",
	[LOOPS] = "loops",
	[DISCARDS] = "discards elsewhere",
};

/**
 * struct reading - one way of reading, and what happens meanwhile
 * @engine: through the engine, not by process_vm_readv()
 * @hull: the driver knows one hull for all events
 * @meanwhile: what the threads do
 * @figures: the measurement
 */
struct reading {
	bool engine;
	bool hull;
	enum meanwhile meanwhile;
	struct figures figures;
};

/* The measurements of the process that reads. */
enum { BY_ENGINE, BY_PROCESS_VM_READV };

static struct worker reader;
static int mirror, engine;
static pid_t self;
static size_t faults;

/* A measurement takes the times of the last passes over all pages. */
static unsigned int passes;

/* One area: the first thread's memory, the memory that is read, the second thread's. */
static char *area, *watched;
/* Both processes have it. */
static uint64_t *times;

/* The threads discard memory; else they only count. */
static bool discards;
static atomic_bool stop;
static atomic_ulong rounds[DISCARDERS];

/* --- The process that reads --------------------------------------------------------- */

static void read_word(unsigned char what, size_t offset)
{
	uint64_t word;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { watched + offset, sizeof(word) };
	ssize_t ret;

	if (what == BY_ENGINE)
		ret = pread(engine, &word, sizeof(word), LARGE + offset);
	else
		ret = process_vm_readv(self, &local, 1, &remote, 1, 0);
	if (ret != sizeof(word))
		die("cannot read: %s", strerror(errno));
}

static void measure_reads(void *data, unsigned char what, struct bench_sample *sample)
{
	static unsigned int pass;
	uint64_t *time = times + pass * faults;

	(void)data;
	(void)sample;
	for (size_t i = 0; i < faults; i++) {
		uint64_t began = clock_ns();

		read_word(what, i * PAGE);
		time[i] = clock_ns() - began;
	}
	pass = (pass + 1) % passes;
}

/* --- The process that is read --------------------------------------------------------- */

/* The memory of a thread, and where the mirror shows it. */
static char *memory_of(unsigned int index)
{
	return index ? watched + faults * PAGE : area;
}

static uint64_t gpa_of(unsigned int index)
{
	return (index ? 32 : 64) * LARGE;
}

/* Count rounds of work, which is to discard the memory and map it again, or nothing. */
static void *keep_busy(void *data)
{
	unsigned int index = (uintptr_t)data;

	pin_to_cpu(1 + index);
	while (!atomic_load(&stop)) {
		if (discards) {
			mirror_prefault(mirror, 0, gpa_of(index), DISCARD,
					SECMMU_PREFAULT_WRITE);
			discard_memory(memory_of(index), DISCARD);
		}
		atomic_fetch_add(&rounds[index], 1);
	}
	return NULL;
}

/* Let threads do their work until stop_threads(). */
static void start_threads(enum meanwhile meanwhile, pthread_t *threads)
{
	if (meanwhile == NOTHING)
		return;
	discards = meanwhile == DISCARDS;
	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < DISCARDERS; i++) {
		atomic_store(&rounds[i], 0);
		if (pthread_create(&threads[i], NULL, keep_busy, (void *)i))
			die("cannot start a thread");
	}
	for (unsigned int i = 0; i < DISCARDERS; i++)
		while (!atomic_load(&rounds[i]))
			usleep(100);
}

static void stop_threads(enum meanwhile meanwhile, const pthread_t *threads)
{
	if (meanwhile == NOTHING)
		return;
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < DISCARDERS; i++)
		pthread_join(threads[i], NULL);
}

/* Only in a test build, and while no event is in flight. */
static void use_one_hull(bool hull)
{
	const char *name = hull ? "one-hull" : "none";
	int fd;

	bench_need_permission("switches on a seeded bug of the driver");
	fd = open(MUTANT, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open %s: %s", MUTANT, strerror(errno));
	if (write(fd, name, strlen(name)) != (ssize_t)strlen(name))
		die("cannot write %s: %s", MUTANT, strerror(errno));
	close(fd);
}

/* Read all pages "passes" times, and on until an event has dropped pages meanwhile. */
static void read_all_pages(const struct reading *reading, struct secmmu_stats *before,
			   struct secmmu_stats *after, struct bench_sample *sample)
{
	pthread_t threads[DISCARDERS];
	struct bench_sample empty;

	start_threads(reading->meanwhile, threads);
	mirror_stats(mirror, before);
	*after = *before;
	for (unsigned int i = 0; i < passes ||
	     (reading->meanwhile == DISCARDS &&
	      after->zap_events == before->zap_events); i++) {
		if (i == PASSES_MAX)
			die("nothing is discarded meanwhile");
		mirror_renew_slot(mirror, 0, LARGE, watched, faults * PAGE);
		worker_ask(&reader, reading->engine ? BY_ENGINE :
			   BY_PROCESS_VM_READV, &empty);
		bench_count(mirror, before, after, sample);
	}
	stop_threads(reading->meanwhile, threads);
}

static void measure_faults(struct figures *figures)
{
	const struct reading *reading = figures->data;
	struct secmmu_stats before, after;

	if (reading->hull)
		use_one_hull(true);
	read_all_pages(reading, &before, &after, &figures->sample);
	if (reading->hull)
		use_one_hull(false);
	if (reading->engine && after.faults - before.faults < passes * faults)
		die("the mirror was not empty");
	figures_of_times(figures, times, passes * faults);
	figures->sample.counted = reading->engine;
	figures->value[RETRIES] = (double)(after.retries - before.retries);
	figures->value[WAITS] = (double)(after.waits - before.waits);
}

static void add_reading(struct bench *bench, bool by_engine, bool hull,
			enum meanwhile meanwhile)
{
	struct reading *reading = bench_alloc(sizeof(*reading));
	const struct bench_case like = {
		.variant = { { "way", by_engine ? "engine" : "process_vm_readv" },
			     { "events", hull ? "one hull" : "exact" },
			     { "meanwhile", meanwhile_names[meanwhile] } },
		.pages = 1,
	};

	reading->engine = by_engine;
	reading->hull = hull;
	reading->meanwhile = meanwhile;
	reading->figures = (struct figures) { .measure = measure_faults, .data = reading };
	figures_add(bench, &reading->figures, &like, figures_of_faults,
		    by_engine ? ARRAY_SIZE(figures_of_faults) : ONLY_TIMES);
}

/* Shared memory: discarded pages stay in the page cache, and soon come back. */
static void share_memory(char *at)
{
	if (mmap(at, DISCARD, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
		die("no memory: %s", strerror(errno));
}

static void make_mirror(void)
{
	/* A huge page would be one fault. */
	forbid_huge_pages();
	area = map_memory(faults * PAGE + DISCARDERS * DISCARD);
	times = map_shared(passes * faults * sizeof(*times));
	watched = area + DISCARD;
	mirror = mirror_create(mirror_device());
	mirror_slot(mirror, 0, LARGE, watched, faults * PAGE);
	for (unsigned int i = 0; i < DISCARDERS; i++) {
		share_memory(memory_of(i));
		mirror_slot(mirror, 1 + i, gpa_of(i), memory_of(i), DISCARD);
	}
	engine = mirror_engine(mirror, 0);
}

static void add_readings(struct bench *bench)
{
	static const size_t sizes[BENCH_GRIDS] = { 4096, 2048, 256 };
	bool others = count_cpus() > 1;

	faults = sizes[bench->grid];
	passes = bench->grid == BENCH_TINY ? 1 : 8;
	self = getpid();
	make_mirror();
	/* Now: a fork would write-protect the memory that comes next. */
	worker_start(&reader, NULL, measure_reads, NULL);
	memset(watched, 1, faults * PAGE);
	if (!others)
		fprintf(stderr, "retries: no processor for other threads; left out\n");
	for (enum meanwhile i = 0; i < (others ? MEANWHILE : LOOPS); i++) {
		add_reading(bench, true, false, i);
		if (!bench->test_build)
			add_reading(bench, false, false, i);
		else if (i == DISCARDS)
			add_reading(bench, true, true, i);
	}
}

#define ENGINE		"way=engine, events=exact, meanwhile="
#define READV		"way=process_vm_readv, events=exact, meanwhile="

static const struct target targets[] = {
	{ "p99 of faults, events elsewhere against nothing",
	  "[" ENGINE "discards elsewhere, what=p99]", "[" ENGINE "nothing, what=p99]", 1.1 },
	{ "the same of process_vm_readv, for comparison",
	  "[" READV "discards elsewhere, what=p99]", "[" READV "nothing, what=p99]", 1.1 },
	{ "retries because of events elsewhere",
	  "[" ENGINE "discards elsewhere, what=retries]", NULL, 0 },
	{ "waits for events elsewhere",
	  "[" ENGINE "discards elsewhere, what=waits]", NULL, 0 },
	{ 0 }
};

BENCH_QUESTION(q07_retries) = {
	.word = "retries",
	.name = "Q7 retries",
	.asks = "Do events that do not concern a fault disturb it?",
	.text = "Reading a word of pages that the mirror has not mapped, one fault each, while "
		"other processors do nothing, compute, or discard memory below and above. "
		"With \"one hull\" (a test build) the driver knows only the hull of all "
		"events in flight, as KVM does. process_vm_readv() needs no mirror.",
	.rows = { "way", "events", "meanwhile", "build" },
	.across = "what",
	.plot = "bars",
	.panels = { "what" },
	.targets = targets,
	.of_test_build = true,
	.add_cases = add_readings,
};
