// SPDX-License-Identifier: GPL-2.0
/*
 * Q7: are faults disturbed by events that do not concern them?
 *
 * An engine reads a word of each page of a range that the process has mapped and the
 * mirror has not: each read is a fault. Meanwhile, on other processors, two threads
 * discard what lies below and above that range, and map it again. The mirror shows it
 * all.
 *
 * The engine is in a process of its own, as a device would be: the kernel's own TLB
 * flushes do not interrupt it. process_vm_readv() beside it looks pages up in the same
 * memory, without a mirror: what it loses is lost to the kernel's locks.
 *
 * A test build can be told to know only the hull of all events in flight, as KVM does.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "figures.h"
#include "mirror.h"
#include "worker.h"

#define PAGE		4096ul
#define LARGE		(512 * PAGE)

/* What one thread discards at once: long enough for the kernel to preempt it there. */
#define DISCARD		(2048 * PAGE)
#define DISCARDERS	2u

/* On a busy host it may take a while until the threads get a processor. */
#define PASSES_MAX	1000u

#define MUTANT		"/sys/module/secmmu/parameters/mutant"

/* The figures beside those of times. */
enum { RETRIES = FIGURES_OF_TIMES, WAITS };

static const struct figure figures_of_faults[] = {
	{ FIGURE_P50, "p50", NULL },
	{ FIGURE_P99, "p99", NULL },
	{ FIGURE_MAX, "max", NULL },
	{ RETRIES, "retries", "times" },
	{ WAITS, "waits", "times" },
};

#define TIMES		3
#define ALL		5

enum meanwhile { NOTHING, LOOPS, DISCARDS, MEANWHILE };

static const char *const meanwhile_names[MEANWHILE] = {
	[NOTHING] = "nothing",
	[LOOPS] = "loops",
	[DISCARDS] = "discards elsewhere",
};

/**
 * struct subject - one way of reading, and what happens meanwhile
 * @engine: through the engine, not by process_vm_readv()
 * @hull: with one hull for all events
 * @meanwhile: what the threads do
 * @figures: what comes of it
 */
struct subject {
	bool engine;
	bool hull;
	enum meanwhile meanwhile;
	struct figures figures;
};

/* The process that reads: its measurements. */
enum { BY_ENGINE, BY_PROCESS_VM_READV };

static struct worker reader;
static int mirror, engine;
static pid_t self;
static size_t faults;

/* How often they are all read in a measurement; the last ones of more. */
static unsigned int passes;

/* One area: what the first thread discards, what is read, what the second does. */
static char *area, *watched;
/* Seen by both processes. */
static uint64_t *times;

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
		bench_die("cannot read: %s", strerror(errno));
}

static void measure_reads(void *data, unsigned char what,
			  struct bench_sample *sample)
{
	static unsigned int pass;
	uint64_t *time = times + pass * faults;

	(void)data;
	(void)sample;
	for (size_t i = 0; i < faults; i++) {
		uint64_t began = bench_now();

		read_word(what, i * PAGE);
		time[i] = bench_now() - began;
	}
	pass = (pass + 1) % passes;
}

/* --- The process that is read --------------------------------------------------------- */

/* Of each discarder: where in the area, and where in the mirror. */
static char *place(unsigned int index)
{
	return index ? watched + faults * PAGE : area;
}

static uint64_t place_gpa(unsigned int index)
{
	return (index ? 32 : 64) * LARGE;
}

static void *discard(void *data)
{
	unsigned int index = (uintptr_t)data;

	bench_pin(1 + index);
	while (!atomic_load(&stop)) {
		mirror_prefault(mirror, place_gpa(index), DISCARD,
				SECMMU_PREFAULT_WRITE);
		if (madvise(place(index), DISCARD, MADV_DONTNEED))
			bench_die("cannot discard: %s", strerror(errno));
		atomic_fetch_add(&rounds[index], 1);
	}
	return NULL;
}

static void *loop(void *data)
{
	unsigned int index = (uintptr_t)data;

	bench_pin(1 + index);
	while (!atomic_load(&stop))
		atomic_fetch_add(&rounds[index], 1);
	return NULL;
}

/* Let threads do what they do until end() is called. */
static void begin(enum meanwhile meanwhile, pthread_t *threads)
{
	void *(*start)(void *data) = meanwhile == LOOPS ? loop : discard;

	if (meanwhile == NOTHING)
		return;
	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < DISCARDERS; i++) {
		atomic_store(&rounds[i], 0);
		if (pthread_create(&threads[i], NULL, start, (void *)i))
			bench_die("cannot start a thread");
	}
	for (unsigned int i = 0; i < DISCARDERS; i++)
		while (!atomic_load(&rounds[i]))
			usleep(100);
}

static void end(enum meanwhile meanwhile, const pthread_t *threads)
{
	if (meanwhile == NOTHING)
		return;
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < DISCARDERS; i++)
		pthread_join(threads[i], NULL);
}

/* In a test build only. Nobody discards now. */
static void use_hull(bool hull)
{
	const char *name = hull ? "one-hull" : "none";
	int fd;

	bench_changes("switches on a seeded bug of the driver");
	fd = open(MUTANT, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		bench_die("cannot open %s: %s", MUTANT, strerror(errno));
	if (write(fd, name, strlen(name)) != (ssize_t)strlen(name))
		bench_die("cannot write %s: %s", MUTANT, strerror(errno));
	close(fd);
}

/* Read everything while threads do what they do; until they did, if they shall. */
static void read_all(const struct subject *subject, struct secmmu_stats *before,
		     struct secmmu_stats *after)
{
	bool discards = subject->meanwhile == DISCARDS;
	pthread_t threads[DISCARDERS];
	struct bench_sample sample;

	begin(subject->meanwhile, threads);
	mirror_stats(mirror, before);
	*after = *before;
	for (unsigned int i = 0; i < passes ||
	     (discards && after->zap_events == before->zap_events); i++) {
		if (i == PASSES_MAX)
			bench_die("nothing is discarded meanwhile");
		/* A slot that comes back has nothing mapped. */
		mirror_slot(mirror, 0, 0, NULL, 0);
		mirror_slot(mirror, 0, LARGE, watched, faults * PAGE);
		worker_ask(&reader, subject->engine ? BY_ENGINE :
			   BY_PROCESS_VM_READV, &sample);
		mirror_stats(mirror, after);
	}
	end(subject->meanwhile, threads);
}

static void measure(struct figures *figures)
{
	const struct subject *subject = figures->data;
	struct secmmu_stats before, after;

	if (subject->hull)
		use_hull(true);
	read_all(subject, &before, &after);
	if (subject->hull)
		use_hull(false);
	if (subject->engine && after.faults - before.faults < passes * faults)
		bench_die("the mirror was not empty");
	figures_of_times(figures, times, passes * faults);
	figures->sample.counted = subject->engine;
	figures->sample.flushes = after.flushes - before.flushes;
	figures->sample.interrupts = after.interrupts - before.interrupts;
	figures->value[RETRIES] = (double)(after.retries - before.retries);
	figures->value[WAITS] = (double)(after.waits - before.waits);
}

static void add(struct bench *bench, bool by_engine, bool hull,
		enum meanwhile meanwhile)
{
	struct subject *subject = calloc(1, sizeof(*subject));
	struct bench_case like = { .pages = 1, .threads = 1 };

	if (!subject)
		bench_die("out of memory");
	subject->engine = by_engine;
	subject->hull = hull;
	subject->meanwhile = meanwhile;
	subject->figures.measure = measure;
	subject->figures.data = subject;
	like.variant = bench_text("\"way\":\"%s\",\"events\":\"%s\",\"meanwhile\":\"%s\"",
				  by_engine ? "engine" : "process_vm_readv",
				  hull ? "one hull" : "exact",
				  meanwhile_names[meanwhile]);
	figures_add(bench, &subject->figures, &like, figures_of_faults,
		    by_engine ? ALL : TIMES);
}

static void add_all(struct bench *bench)
{
	bool others = bench_cpus() > 1;

	if (!others)
		fprintf(stderr, "%s: no processor for other threads; left out\n",
			bench->name);
	for (enum meanwhile i = 0; i < (others ? MEANWHILE : LOOPS); i++) {
		add(bench, true, false, i);
		if (!bench->test_build)
			add(bench, false, false, i);
		else if (i == DISCARDS)
			add(bench, true, true, i);
	}
}

/* What is discarded stays in the page cache, so that it is soon back. */
static bool share(char *at)
{
	return mmap(at, DISCARD, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
}

static void make_mirror(bool test_build)
{
	int device = mirror_device();
	size_t length = faults * PAGE + DISCARDERS * DISCARD;

	/* A huge page would be one fault. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		bench_die("huge pages stay on: %s", strerror(errno));
	area = mmap(NULL, length, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	times = mmap(NULL, passes * faults * sizeof(*times), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED || times == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	watched = area + DISCARD;
	if (!share(place(0)) || !share(place(1)))
		bench_die("no memory: %s", strerror(errno));
	if (test_build)
		mirror_need_test_build(device);
	mirror = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
	mirror_slot(mirror, 0, LARGE, watched, faults * PAGE);
	for (unsigned int i = 0; i < DISCARDERS; i++)
		mirror_slot(mirror, 1 + i, place_gpa(i), place(i), DISCARD);
	engine = mirror_engine(mirror, 0);
}

int main(int argc, char **argv)
{
	static const size_t sizes[BENCH_GRIDS] = { 4096, 2048, 256 };
	struct bench bench = {
		.name = "Q7 retries",
		.about = "Are faults disturbed by events that do not concern them?",
	};

	bench_init(&bench, argc, argv);
	bench_pin(0);
	faults = sizes[bench.grid];
	passes = bench.grid == BENCH_TINY ? 1 : 8;
	self = getpid();
	make_mirror(bench.test_build);
	/* Before there is memory that a fork would share. */
	worker_start(&reader, NULL, measure_reads, NULL);
	memset(watched, 1, faults * PAGE);
	add_all(&bench);
	bench_run(&bench);
	worker_stop(&reader);
	return 0;
}
