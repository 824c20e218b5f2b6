// SPDX-License-Identifier: GPL-2.0
/*
 * Q13: how long does an event keep the processor?
 *
 * A process on the same processor, which has precedence over all others, sleeps until a
 * moment and notes how late it wakes: where the kernel cannot be preempted, that is how
 * long the event went on without a chance to reschedule. The moments are PERIOD_NS apart,
 * so a stretch may be longer than noted by as much.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "figures.h"
#include "kvm.h"
#include "own_mirror.h"

#define PERIOD_NS	100000u
#define GPA		LARGE

/* KVM has 32,764 memslots. */
#define SLOTS_MAX	32000u

enum work { PROTECT, EXIT, SLOTS, DOMAINS, WORKS };
enum kind { NONE, MIRROR, KVM, KINDS };

static const char *const works[WORKS] = {
	[PROTECT] = "mprotect",
	[EXIT] = "exit",
	[SLOTS] = "mprotect, many slots",
	[DOMAINS] = "mprotect, 8 domains",
};

static const char *const kinds[KINDS] = {
	[NONE] = "none", [MIRROR] = "mirror", [KVM] = "KVM",
};

enum { STRETCH, CALL, NR_FIGURES };

static const struct figure figures_of_event[NR_FIGURES] = {
	{ STRETCH, "stretch", "us" },
	{ CALL, "call", "us" },
};

/**
 * struct event - one event, and who listens
 * @work: what the process does
 * @kind: the listener
 * @policy: enum secmmu_flush_policy
 * @batch: of that policy
 * @name: of that policy
 * @figures: the measurement
 */
struct event {
	enum work work;
	enum kind kind;
	int policy;
	uint32_t batch;
	const char *name;
	struct figures figures;
};

static size_t pages;

/**
 * struct watch - memory of the watcher and the process that is watched
 * @on: the event is under way
 * @over: nothing more is to be watched
 * @latest: how late the watcher woke at most, in ns
 * @ns: when the event began; once it is over, how long it took
 */
static struct watch {
	atomic_bool on;
	atomic_bool over;
	atomic_ulong latest;
	uint64_t ns;
} *watch;

static void *watch_event(void *data)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct timespec next;

	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("cannot take precedence: %s", strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!atomic_load(&watch->over)) {
		uint64_t ns = next.tv_sec * 1000000000ull + next.tv_nsec + PERIOD_NS;
		uint64_t late;

		next.tv_sec = ns / 1000000000;
		next.tv_nsec = ns % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		late = clock_ns() - ns;
		if (atomic_load(&watch->on) && late > atomic_load(&watch->latest))
			atomic_store(&watch->latest, late);
		/* The moments that have passed meanwhile are of the same stretch. */
		clock_gettime(CLOCK_MONOTONIC, &next);
	}
	return data;
}

/* Pages of the event; domains have that many entries together. */
static size_t pages_of(const struct event *event)
{
	return event->work == DOMAINS ? pages / SECMMU_MAX_DOMAINS :
	       event->work == SLOTS ? MIN(pages, SLOTS_MAX) : pages;
}

static void listen_mirror(const struct event *event, char *memory)
{
	uint32_t domains = event->work == DOMAINS ? SECMMU_MAX_DOMAINS : 1;
	size_t slots = event->work == SLOTS ? pages_of(event) : 1;
	size_t length = pages_of(event) * PAGE / slots;
	int mirror = mirror_need(secmmu_create_mirror(mirror_device(), event->policy,
						      event->batch), "create a mirror");

	for (uint32_t i = 1; i < domains; i++)
		mirror_need(domain_create(mirror, i), "create a domain");
	for (size_t i = 0; i < slots; i++)
		mirror_need(secmmu_set_slot_in(mirror, i, 0, 0, (1u << domains) - 1,
					       GPA + i * length, memory + i * length,
					       length), "set a slot");
	for (uint32_t i = 0; i < domains; i++)
		mirror_prefault(mirror, i, GPA, slots * length, SECMMU_PREFAULT_WRITE);
}

static void listen_kvm(const struct event *event, char *memory)
{
	size_t slots = event->work == SLOTS ? pages_of(event) : 1;
	size_t length = pages_of(event) * PAGE / slots;
	unsigned int max;
	int machine = kvm_create(&max);
	struct kvm_cpu cpu;

	kvm_cpu_create(&cpu, machine);
	for (size_t i = 0; i < slots; i++)
		kvm_slot(machine, 1 + i, GPA + i * length, memory + i * length, length);
	kvm_touch(&cpu, GPA, pages_of(event));
}

/* The process that is watched. */
static _Noreturn void raise_event(const struct event *event)
{
	size_t length = pages_of(event) * PAGE;
	char *memory = map_aligned(length, LARGE);

	for (size_t i = 0; i < length; i += PAGE)
		memory[i] = 1;
	if (event->kind == MIRROR)
		listen_mirror(event, memory);
	else if (event->kind == KVM)
		listen_kvm(event, memory);
	watch->ns = clock_ns();
	atomic_store(&watch->on, true);
	if (event->work == EXIT)
		_exit(0);
	if (mprotect(memory, length, PROT_READ))
		die("cannot forbid writing: %s", strerror(errno));
	atomic_store(&watch->on, false);
	watch->ns = clock_ns() - watch->ns;
	_exit(0);
}

static void measure_event(struct figures *figures)
{
	const struct event *event = figures->data;
	pthread_t watcher;
	int status;
	pid_t pid;

	atomic_store(&watch->over, false);
	atomic_store(&watch->latest, 0);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid)
		raise_event(event);
	if (pthread_create(&watcher, NULL, watch_event, NULL))
		die("cannot start a thread");
	if (waitpid(pid, &status, 0) != pid || status)
		die("the process that is watched has failed");
	if (atomic_exchange(&watch->on, false))
		watch->ns = clock_ns() - watch->ns;
	atomic_store(&watch->over, true);
	pthread_join(watcher, NULL);
	figures->value[STRETCH] = (double)atomic_load(&watch->latest) / 1000;
	figures->value[CALL] = (double)watch->ns / 1000;
}

static void add_event(struct bench *bench, struct event event)
{
	struct event *copy = bench_alloc(sizeof(*copy));
	struct bench_case like = {
		.variant = { { "work", works[event.work] },
			     { "listener", kinds[event.kind] },
			     { "policy", event.name } },
	};

	*copy = event;
	like.pages = pages_of(copy);
	copy->figures = (struct figures) { .measure = measure_event, .data = copy };
	figures_add(bench, &copy->figures, &like, figures_of_event, NR_FIGURES);
}

static void add_events(struct bench *bench)
{
	static const size_t sizes[BENCH_GRIDS] = { 1 << 18, 1 << 12, 1 << 9 };
	static const struct event mirrors[] = {
		{ .kind = MIRROR, .policy = SECMMU_FLUSH_RANGE, .name = "range" },
		{ .kind = MIRROR, .policy = SECMMU_FLUSH_ARRAY, .batch = 32,
		  .name = "array:32" },
		{ .kind = MIRROR, .policy = SECMMU_FLUSH_EACH, .name = "each" },
	};

	pages = sizes[bench->grid];
	/* An entry for each page. */
	forbid_huge_pages();
	watch = map_shared(sizeof(*watch));
	for (enum work work = 0; work < WORKS; work++) {
		if (work != DOMAINS && work != SLOTS)
			add_event(bench, (struct event) { .work = work, .name = "-" });
		for (size_t i = 0; i < ARRAY_SIZE(mirrors); i++) {
			struct event event = mirrors[i];

			event.work = work;
			if (work == PROTECT || event.policy != SECMMU_FLUSH_ARRAY)
				add_event(bench, event);
			/* One policy shows that it works. */
			if (bench->grid == BENCH_TINY)
				break;
		}
		if (work != DOMAINS)
			add_event(bench, (struct event) { .work = work, .kind = KVM,
							  .name = "-" });
	}
}

static const struct target targets[] = {
	{ "us of the longest stretch, {work}, mirror with {policy}",
	  "[listener=mirror, what=stretch]", NULL, 1000 },
	{ 0 }
};

BENCH_QUESTION(q13_stretch) = {
	.word = "stretch",
	.name = "Q13 stretch",
	.asks = "How long does an event keep the processor?",
	.text = "Memory that a listener has mapped is write-protected with one call, or its "
		"process exits. \"stretch\" is the longest time without a chance to reschedule, "
		"\"call\" the whole time, both with the wake-ups of the watcher.",
	.rows = { "work", "listener", "policy", "pages" },
	.across = "what",
	.plot = "bars",
	.panels = { "work" },
	.plotted = "what=stretch",
	.each = "work=mprotect|mprotect, many slots|mprotect, 8 domains, policy=range|array:32|each",
	.targets = targets,
	.enough = 3,
	.add_cases = add_events,
};
