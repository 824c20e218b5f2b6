// SPDX-License-Identifier: GPL-2.0
/*
 * Q17: what do invalidations cost where the TLB is an IOMMU's, with a queue of its own?
 *
 * The listener is a device behind an emulated IOMMU (judge/shims/iommu.c), not a mirror: the
 * flush policies are the same, but here each flush is a command that another unit carries out
 * while the processor waits. Intel's IOMMU only: its driver has a trace event for each command.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "figures.h"
#include "histogram.h"
#include "shims.h"

#define DEVICE		"/dev/judge_iommu"
#define PARAMETER	"/sys/module/judge_iommu/parameters/pages_per_sync"
#define COMMANDS_EVENT	"intel_iommu/qi_submit"
/* The first word of a command has its type and, if it is for the IOTLB, how much it is about. */
#define COMMAND_KEY	"qw0"
#define TYPE(command)	((command) & 0xf)
#define TYPE_IOTLB	2
#define SCOPE(command)	((command) >> 4 & 3)
#define SCOPE_PAGES	3

#define IOVA		LARGE
#define PAGES_MAX	4096ul
/* What a running device reads meanwhile; no event is about it. */
#define RUN_PAGES	16ul
#define TRANSFER	64

enum policy { NO_DEVICE, RANGE, ARRAY, EACH, POLICIES };

static const char *const policies[POLICIES] = {
	[NO_DEVICE] = "no device", [RANGE] = "range", [ARRAY] = "array:32", [EACH] = "each",
};

static const char *const pages_per_sync[POLICIES] = {
	[RANGE] = "0", [ARRAY] = "32", [EACH] = "1",
};

enum { COMMANDS, WHOLE, TIME };

static const struct figure figures_of_event[] = {
	{ TIME, "time", NULL },
	{ COMMANDS, "commands", "per event" },
	{ WHOLE, "of them for all pages", "per event" },
};

/**
 * struct point - events of one size, with one policy
 * @policy: the policy
 * @pages: pages of the event
 * @running: the device does DMA meanwhile
 * @figures: the measurement
 */
struct point {
	enum policy policy;
	size_t pages;
	bool running;
	struct figures figures;
};

static char *memory;
static int device;
static atomic_bool stop;

static void set_policy(enum policy policy)
{
	struct judge_slot slot = {
		.address = IOVA,
		.hva = (uintptr_t)memory,
		.length = policy == NO_DEVICE ? 0 : (PAGES_MAX + RUN_PAGES) * PAGE,
	};
	int fd;

	if (ioctl(device, JUDGE_SLOT, &slot))
		die("cannot show memory to the device: %s", strerror(errno));
	if (policy == NO_DEVICE)
		return;
	fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, pages_per_sync[policy], strlen(pages_per_sync[policy])) < 0)
		die("cannot set " PARAMETER ": %s", strerror(errno));
	close(fd);
}

/* Returns false if the device is shown nothing. */
static bool read_page(size_t page)
{
	char buffer[TRANSFER];
	struct judge_transfer transfer = {
		.address = IOVA + page * PAGE,
		.buffer = (uintptr_t)buffer,
		.length = sizeof(buffer),
	};

	if (ioctl(device, JUDGE_READ, &transfer) == sizeof(buffer))
		return true;
	if (errno != ENXIO)
		die("the device cannot read: %s", strerror(errno));
	return false;
}

static void *run_device(void *unused)
{
	pin_to_cpu(1);
	for (size_t i = 0; !atomic_load(&stop); i++)
		if (!read_page(PAGES_MAX + i % RUN_PAGES))
			break;
	return unused;
}

static void count_commands(double *value)
{
	FILE *file = histogram_open(COMMANDS_EVENT);
	unsigned long long command, hits;
	char line[256];

	value[COMMANDS] = value[WHOLE] = 0;
	while (file && fgets(line, sizeof(line), file)) {
		hits = histogram_hits(line);
		if (!hits || sscanf(line, " { " COMMAND_KEY ": %llu", &command) != 1 ||
		    TYPE(command) != TYPE_IOTLB)
			continue;
		value[COMMANDS] += (double)hits;
		if (SCOPE(command) != SCOPE_PAGES)
			value[WHOLE] += (double)hits;
	}
	if (!file)
		die("no histogram of commands: %s", strerror(errno));
	fclose(file);
}

static void measure_event(struct figures *figures)
{
	const struct point *point = figures->data;
	pthread_t runner;
	uint64_t began;

	set_policy(point->policy);
	for (size_t i = 0; i < point->pages; i++) {
		memory[i * PAGE] = 1;
		if (point->policy != NO_DEVICE)
			read_page(i);
	}
	atomic_store(&stop, false);
	if (point->running && pthread_create(&runner, NULL, run_device, NULL))
		die("cannot start a thread");
	histogram_begin(COMMANDS_EVENT, COMMAND_KEY);
	began = clock_ns();
	discard_memory(memory, point->pages * PAGE);
	figures->value[TIME] = (double)(clock_ns() - began);
	atomic_store(&stop, true);
	if (point->running)
		pthread_join(runner, NULL);
	count_commands(figures->value);
	histogram_end(COMMANDS_EVENT, COMMAND_KEY);
}

static void add_point(struct bench *bench, enum policy policy, size_t pages, bool running)
{
	struct point *point = bench_alloc(sizeof(*point));
	const struct bench_case like = {
		.variant = { { "policy", policies[policy] },
			     { "device", running ? "running" : "idle" } },
		.pages = pages,
	};

	*point = (struct point) { .policy = policy, .pages = pages, .running = running };
	point->figures = (struct figures) { .measure = measure_event, .data = point };
	figures_add(bench, &point->figures, &like, figures_of_event,
		    policy == NO_DEVICE ? 1 : ARRAY_SIZE(figures_of_event));
}

static void add_points(struct bench *bench)
{
	static const size_t sizes[] = { 1, 64, PAGES_MAX };

	device = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("cannot open " DEVICE ": %s", strerror(errno));
	if (!histogram_is_possible(COMMANDS_EVENT))
		die("no trace event " COMMANDS_EVENT ": Intel's IOMMU is needed");
	forbid_huge_pages();
	memory = map_aligned((PAGES_MAX + RUN_PAGES) * PAGE, LARGE);
	for (size_t i = 0; i < RUN_PAGES; i++)
		memory[(PAGES_MAX + i) * PAGE] = 1;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (enum policy policy = 0; policy < POLICIES; policy++) {
			add_point(bench, policy, sizes[i], false);
			if (policy != NO_DEVICE && count_cpus() > 1)
				add_point(bench, policy, sizes[i], true);
		}
}

static const struct target targets[] = {
	{ "commands for an event of 4,096 pages, range against each",
	  "[policy=range, device=idle, pages=4096, what=commands]",
	  "[policy=each, device=idle, pages=4096, what=commands]", 0.01 },
	{ "an event of 4,096 pages net of no device, range against each",
	  "[policy=range, device=idle, pages=4096, what=time] - "
	  "[policy=no device, pages=4096, what=time]",
	  "[policy=each, device=idle, pages=4096, what=time] - "
	  "[policy=no device, pages=4096, what=time]", 0.5 },
	{ 0 }
};

BENCH_QUESTION(q17_iotlb) = {
	.word = "iotlb",
	.name = "Q17 IOTLB",
	.asks = "What do invalidations cost where the TLB is an IOMMU's?",
	.text = "A process discards pages that a device behind an emulated IOMMU has mapped: the "
		"time of the call, and the commands that invalidate the IOTLB.",
	.rows = { "policy", "device", "what" },
	.across = "pages",
	.plot = "bars",
	.panels = { "pages" },
	.plotted = "what=time",
	.targets = targets,
	.needs = DEVICE,
	.add_cases = add_points,
};
