// SPDX-License-Identifier: GPL-2.0
/*
 * Q16: how often do accesses and events of several processors wait for each other's locks?
 *
 * How often does not depend on how fast the emulator is, as long as each processor gets short
 * turns; how long does.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/param.h>

#include "contention.h"
#include "figures.h"
#include "histogram.h"
#include "kvm.h"
#include "own_mirror.h"

#define THREADS_MAX	16u
#define GPA		LARGE

/* Pages of each thread's range, and of the range that all of them share. */
#define RANGE_PAGES	512ul
#define SHARED_PAGES	16ul

#define SHARED_BIT	0x80

enum user { ENGINE, VCPU, USERS };

static const char *const users[USERS] = { [ENGINE] = "engine", [VCPU] = "KVM" };

/* The name of the module, or how its name begins. */
static const char *const modules[USERS] = { [ENGINE] = "secmmu", [VCPU] = "kvm" };

enum { OWN, REST };

static const struct figure figures_of_waits[] = {
	{ OWN, "its locks", "per 1,000" },
	{ REST, "all others", "per 1,000" },
};

/**
 * struct process - a process whose memory is accessed and discarded
 * @user: who accesses it
 * @worker: the process
 * @memory: the ranges of all threads
 * @engine: an engine for each thread
 * @cpu: a KVM processor for each thread
 */
struct process {
	enum user user;
	struct worker worker;
	char *memory;
	int engine[THREADS_MAX];
	struct kvm_cpu cpu[THREADS_MAX];
};

/**
 * struct point - a number of threads
 * @process: the process
 * @threads: how many
 * @shared: they use the same pages
 * @figures: the measurement
 */
struct point {
	struct process *process;
	unsigned int threads;
	bool shared;
	struct figures figures;
};

/* What a thread does. */
struct part {
	const struct process *process;
	unsigned int index;
	bool shared;
};

/* Memory of a worker and its parent. */
static struct contention *counts;

/* Of each thread: an access that finds its page gone, and an event that discards it again. */
static size_t rounds;

/* Threads that are not ready yet. */
static atomic_uint missing;

static void access_page(const struct part *part, size_t page)
{
	uint64_t gpa = GPA + page * PAGE;

	if (part->process->user == VCPU)
		kvm_touch(&part->process->cpu[part->index], gpa, 1);
	else
		mirror_read_word(part->process->engine[part->index], gpa);
}

/* The last page of the range stays mapped, as there is one in memory that is in use. */
static void *access_and_discard(void *data)
{
	const struct part *part = data;
	size_t first = part->shared ? 0 : part->index * RANGE_PAGES;
	size_t last = first + (part->shared ? SHARED_PAGES : RANGE_PAGES) - 1;

	pin_to_cpu(part->index);
	access_page(part, last);
	atomic_fetch_sub(&missing, 1);
	while (atomic_load(&missing))
		;
	for (size_t i = 0; i < rounds; i++) {
		size_t page = first + i % (last - first);

		access_page(part, page);
		discard_memory(part->process->memory + page * PAGE, PAGE);
	}
	return NULL;
}

static void measure_waits(void *data, unsigned char what, struct bench_sample *sample)
{
	const struct process *process = data;
	unsigned int threads = what & ~SHARED_BIT;
	pthread_t others[THREADS_MAX];
	struct part parts[THREADS_MAX];

	contention_begin();
	atomic_store(&missing, threads);
	for (unsigned int i = 0; i < threads; i++) {
		parts[i] = (struct part) { process, i, what & SHARED_BIT };
		if (i && pthread_create(&others[i], NULL, access_and_discard, &parts[i]))
			die("cannot start a thread");
	}
	access_and_discard(&parts[0]);
	for (unsigned int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	contention_end(modules[process->user], counts);
	(void)sample;
}

static void prepare_process(void *data)
{
	struct process *process = data;
	unsigned int threads = MIN(THREADS_MAX, count_cpus()), max;
	size_t length = THREADS_MAX * RANGE_PAGES * PAGE;
	int mirror, machine;

	forbid_huge_pages();
	process->memory = map_aligned(length, LARGE);
	if (process->user == VCPU) {
		machine = kvm_create(&max);
		kvm_cpu_create(&process->cpu[0], machine);
		for (unsigned int i = 1; i < threads; i++)
			kvm_cpu_add(&process->cpu[i], machine, i);
		kvm_slot(machine, 1, GPA, process->memory, length);
		return;
	}
	mirror = mirror_create(mirror_device());
	mirror_slot(mirror, 0, GPA, process->memory, length);
	for (unsigned int i = 0; i < threads; i++)
		process->engine[i] = mirror_engine(mirror, 0);
}

static void measure_point(struct figures *figures)
{
	const struct point *point = figures->data;
	double operations = 2.0 * (double)rounds * point->threads;

	worker_ask(&point->process->worker,
		   point->threads | (point->shared ? SHARED_BIT : 0), &figures->sample);
	figures->value[OWN] = 1000 * (double)counts->module / operations;
	figures->value[REST] = 1000 * (double)counts->rest / operations;
}

static void add_point(struct bench *bench, struct process *process, unsigned int threads,
		      bool shared)
{
	struct point *point = bench_alloc(sizeof(*point));
	const struct bench_case like = {
		.variant = { { "user", users[process->user] },
			     { "ranges", shared ? "shared" : "disjoint" } },
		.threads = threads,
	};

	*point = (struct point) { .process = process, .threads = threads, .shared = shared };
	point->figures = (struct figures) { .measure = measure_point, .data = point };
	figures_add(bench, &point->figures, &like, figures_of_waits,
		    ARRAY_SIZE(figures_of_waits));
}

static void add_points(struct bench *bench)
{
	static const size_t sizes[BENCH_GRIDS] = { 2000, 200, 20 };
	unsigned int most = MIN(THREADS_MAX, count_cpus());
	static struct process processes[USERS];

	bench_need_permission("sets probes in the kernel");
	if (!contention_is_counted())
		die("this kernel does not say who waits for locks");
	rounds = sizes[bench->grid];
	counts = map_shared(sizeof(*counts));
	for (unsigned int i = 0; i < USERS; i++) {
		processes[i].user = i;
		worker_start(&processes[i].worker, prepare_process, measure_waits, &processes[i]);
		for (unsigned int threads = 2; threads <= most; threads *= 2) {
			add_point(bench, &processes[i], threads, false);
			add_point(bench, &processes[i], threads, true);
		}
	}
}

static const struct target targets[] = {
	{ "waits for the driver's locks per 1,000 operations, {threads} threads, disjoint ranges",
	  "[user=engine, ranges=disjoint, what=its locks]", NULL, 10 },
	{ 0 }
};

BENCH_QUESTION(q16_contention) = {
	.word = "contention",
	.name = "Q16 contention",
	.asks = "How often do processors wait for each other's locks?",
	.text = "Threads, each on a processor of its own, access a page that has gone and discard "
		"it again: acquisitions of locks that had to wait, of those of the driver or of "
		"KVM and of all others.",
	.rows = { "user", "ranges", "what" },
	.across = "threads",
	.plot = "bars",
	.panels = { "ranges" },
	.plotted = "what=its locks",
	.each = "threads=2|4|8|16",
	.targets = targets,
	.enough = 2,
	.needs = TRACING "kprobe_events",
	.add_cases = add_points,
};
