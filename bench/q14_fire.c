// SPDX-License-Identifier: GPL-2.0
/*
 * Q14: does an access end while its page is discarded again and again?
 *
 * Threads discard a sparse gigabyte back to back, each with one call and one event. The
 * page in the middle is the only one that anything uses. The threads need processors of
 * their own: on one, times would be those of the scheduler.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "figures.h"
#include "kvm.h"
#include "own_mirror.h"

#define SPARSE		(1ul << 30)
#define MIDDLE		(SPARSE / 2)
#define GPA		LARGE
#define THREADS_MAX	4u

/* An access that takes longer has lost: the threads pause until it ends. */
#define LIMIT_NS	50000000u

enum user { NOBODY, ENGINE, JOB, VCPU, USERS };

static const char *const users[USERS] = {
	[NOBODY] = "process", [ENGINE] = "engine", [JOB] = "job", [VCPU] = "KVM",
};

enum { RATE = FIGURES_OF_TIMES, DISCARDS, LOST, RETRIES, DIRECT };

/* Those that the process has itself, then KVM's, then the mirror's. */
static const struct figure figures_of_accesses[] = {
	{ FIGURE_P50, "p50", "us" },
	{ FIGURE_MAX, "max", "us" },
	{ RATE, "rate", "per second" },
	{ DISCARDS, "discards meanwhile", "per access" },
	{ LOST, "lost", "per access" },
	{ RETRIES, "retries", "per access" },
	{ DIRECT, "past the mirror", "per access" },
};

static const size_t nr_figures[USERS] = {
	[NOBODY] = 5, [VCPU] = 6, [ENGINE] = 7, [JOB] = 7,
};

/**
 * struct fire - a process with the memory, and a user of the page
 * @user: which one
 * @worker: the process
 * @memory: the sparse gigabyte
 * @mirror: the mirror, of an engine or a job
 * @engine: the engine
 * @cpu: the KVM processor
 */
struct fire {
	enum user user;
	struct worker worker;
	char *memory;
	int mirror;
	int engine;
	struct kvm_cpu cpu;
};

/**
 * struct point - a user under the fire of some threads
 * @fire: the process
 * @threads: how many
 * @figures: the measurement
 */
struct point {
	struct fire *fire;
	unsigned int threads;
	struct figures figures;
};

/**
 * struct shared - memory of a worker and its parent
 * @discards: that ended during an access
 * @lost: accesses that ended only because nothing was discarded any more
 * @retries: rounds that faults repeated
 * @direct: accesses past the mirror
 * @times: of all accesses
 */
static struct shared {
	uint64_t discards;
	uint64_t lost;
	uint64_t retries;
	uint64_t direct;
	uint64_t times[];
} *shared;

static size_t accesses;

static atomic_bool stop;
static atomic_uint started;
static atomic_ulong discards;

/* When the access began; zero between accesses. */
static atomic_ulong access_began;

static bool access_has_lost(void)
{
	unsigned long began = atomic_load(&access_began);

	return began && clock_ns() > began + LIMIT_NS;
}

/* On one of the processors that the user of the page leaves free. */
static void *discard_all(void *data)
{
	const struct fire *fire = data;

	pin_to_cpu(1 + atomic_fetch_add(&started, 1) % (count_cpus() - 1));
	while (!atomic_load(&stop)) {
		if (access_has_lost()) {
			sched_yield();
			continue;
		}
		discard_memory(fire->memory, SPARSE);
		atomic_fetch_add(&discards, 1);
	}
	return NULL;
}

static void access_page(const struct fire *fire)
{
	switch (fire->user) {
	case ENGINE:
		mirror_read_word(fire->engine, GPA + MIDDLE);
		return;
	case JOB:
		mirror_touch(fire->engine, GPA + MIDDLE, PAGE);
		return;
	case VCPU:
		kvm_touch(&fire->cpu, GPA + MIDDLE, 1);
		return;
	default:
		*(volatile char *)(fire->memory + MIDDLE);
	}
}

/*
 * An access that finds the page gone: a discard has begun since the one before, and ended.
 * Each thread may count one that ended earlier.
 */
static uint64_t time_access(const struct fire *fire, unsigned int threads)
{
	unsigned long before = atomic_load(&discards);
	uint64_t began, took;

	if (!threads)
		discard_memory(fire->memory, SPARSE);
	while (threads && atomic_load(&discards) <= before + threads)
		sched_yield();
	before = atomic_load(&discards);
	began = clock_ns();
	atomic_store(&access_began, began);
	access_page(fire);
	took = clock_ns() - began;
	atomic_store(&access_began, 0);
	shared->discards += atomic_load(&discards) - before;
	shared->lost += took > LIMIT_NS;
	return took;
}

/* What the listener has done so far. */
static void count_rounds(const struct fire *fire, struct secmmu_stats *stats)
{
	if (fire->user == ENGINE || fire->user == JOB)
		mirror_stats(fire->mirror, stats);
	else if (fire->user == VCPU)
		/* KVM starts again by letting the guest fault again. */
		stats->faults = stats->retries = kvm_stat(fire->cpu.fd, "pf_taken");
}

static void measure_accesses(void *data, unsigned char threads, struct bench_sample *sample)
{
	const struct fire *fire = data;
	struct secmmu_stats before = { 0 }, after = { 0 };
	pthread_t thread[THREADS_MAX];

	count_rounds(fire, &before);
	shared->discards = 0;
	shared->lost = 0;
	atomic_store(&stop, false);
	atomic_store(&started, 0);
	for (unsigned int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, discard_all, data))
			die("cannot start a thread");
	for (size_t i = 0; i < accesses; i++)
		shared->times[i] = time_access(fire, threads);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (fire->user == NOBODY)
		return;
	if (fire->user == VCPU)
		count_rounds(fire, &after);
	else
		bench_count(fire->mirror, &before, &after, sample);
	shared->retries = after.retries - before.retries;
	shared->direct = after.direct - before.direct;
	if (after.faults - before.faults < accesses)
		die("the page was mapped");
	if (fire->user == VCPU)
		shared->retries -= accesses;
}

static void prepare_fire(void *data)
{
	struct fire *fire = data;
	unsigned int max;
	int machine;

	forbid_huge_pages();
	fire->memory = map_aligned(SPARSE, LARGE);
	if (fire->user == VCPU) {
		machine = kvm_create(&max);
		kvm_cpu_create(&fire->cpu, machine);
		kvm_slot(machine, 1, GPA, fire->memory, SPARSE);
	} else if (fire->user != NOBODY) {
		fire->mirror = mirror_create(mirror_device());
		mirror_slot(fire->mirror, 0, GPA, fire->memory, SPARSE);
		fire->engine = mirror_engine(fire->mirror, fire->user == JOB ?
					     SECMMU_ENGINE_BACKGROUND : 0);
	}
}

static void measure_point(struct figures *figures)
{
	const struct point *point = figures->data;

	worker_ask(&point->fire->worker, point->threads, &figures->sample);
	figures_of_times(figures, shared->times, accesses);
	figures->value[RATE] = 1e9 / figures->value[FIGURE_MEAN];
	for (unsigned int i = 0; i < FIGURES_OF_TIMES; i++)
		figures->value[i] /= 1000;
	figures->value[DISCARDS] = (double)shared->discards / accesses;
	figures->value[LOST] = (double)shared->lost / accesses;
	figures->value[RETRIES] = (double)shared->retries / accesses;
	figures->value[DIRECT] = (double)shared->direct / accesses;
}

static void add_point(struct bench *bench, struct fire *fire, unsigned int threads)
{
	struct point *point = bench_alloc(sizeof(*point));
	const struct bench_case like = {
		.variant = { { "user", users[fire->user] },
			     { "discarding", format("%u", threads) } },
		.pages = 1,
	};

	*point = (struct point) { .fire = fire, .threads = threads };
	point->figures = (struct figures) { .measure = measure_point, .data = point };
	figures_add(bench, &point->figures, &like, figures_of_accesses,
		    nr_figures[fire->user]);
}

static void add_points(struct bench *bench)
{
	static const size_t sizes[BENCH_GRIDS] = { 200, 100, 5 };
	static const unsigned int threads[] = { 0, 1, 2, 4 };
	static struct fire fires[USERS];
	/* One thread shows that it works. */
	unsigned int most = count_cpus() < 2 ? 0 : bench->grid == BENCH_TINY ? 1 : THREADS_MAX;

	accesses = sizes[bench->grid];
	shared = map_shared(sizeof(*shared) + accesses * sizeof(*shared->times));
	for (unsigned int i = 0; i < USERS; i++) {
		fires[i].user = i;
		worker_start(&fires[i].worker, prepare_fire, measure_accesses, &fires[i]);
		for (size_t j = 0; j < ARRAY_SIZE(threads); j++)
			if (threads[j] <= most)
				add_point(bench, &fires[i], threads[j]);
	}
}

static const struct target targets[] = {
	{ "longest access by {user} against the median, {discarding} threads that discard",
	  "[what=max]", "[what=p50]", 10 },
	{ 0 }
};

BENCH_QUESTION(q14_fire) = {
	.word = "fire",
	.name = "Q14 fire",
	.asks = "Does an access end while its page is discarded again and again?",
	.text = "Threads discard a sparse gigabyte back to back; one page in it is accessed, each "
		"time after it has gone. A lost access ended only because the threads paused.",
	.rows = { "user", "discarding" },
	.across = "what",
	.plot = "bars",
	.panels = { "discarding" },
	.plotted = "what=max",
	.each = "user=engine|job, discarding=1|2|4",
	.targets = targets,
	.enough = 3,
	.add_cases = add_points,
};
