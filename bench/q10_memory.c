// SPDX-License-Identifier: GPL-2.0
/* Q10: how much memory does a mirror take for each page that it maps? */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "figures.h"
#include "own_mirror.h"

#define REGION		(16 * LARGE)

/*
 * A page-table page, and the object from the slab of 64 bytes that describes it, which
 * the decrease of free memory includes.
 */
#define TABLE_BYTES	(PAGE + 64)

/* Memory that earlier measurements have freed comes back after a grace period. */
#define SETTLE_US	200000

enum { COUNTED, SEEN, LEFT };

static const struct figure figures_of_memory[] = {
	{ COUNTED, "per page", "bytes" },
	{ SEEN, "per page, by free memory", "bytes" },
	{ LEFT, "left after unmapping", "bytes" },
};

/**
 * struct shape - a mirror with entries of one size
 * @large: of 2 MiB
 * @figures: the measurement, without the root table
 */
struct shape {
	bool large;
	struct figures figures;
};

static unsigned int slots;
static int device;

/* Add up the numbers that follow a word in a file. */
static long sum_numbers(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char line[256];
	long total = 0, number;

	if (!file)
		die("cannot read %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		char *at = line + strspn(line, " ");

		if (!strncmp(at, word, strlen(word)) &&
		    sscanf(at + strlen(word), "%ld", &number) == 1)
			total += number;
	}
	fclose(file);
	return total;
}

/* Free pages are in the buddy lists, or with the processor that freed them last. */
static long count_free_bytes(void)
{
	/* Reading this file adds up the processors' counters. */
	sum_numbers("/proc/sys/vm/stat_refresh", "");
	return (sum_numbers("/proc/vmstat", "nr_free_pages ") +
		sum_numbers("/proc/zoneinfo", "count: ")) * PAGE;
}

static char *map_region(bool large)
{
	char *region;

	if (prctl(PR_SET_THP_DISABLE, !large, 0, 0, 0))
		die("cannot turn huge pages %s: %s", large ? "on" : "off",
		    strerror(errno));
	region = map_aligned(REGION, LARGE);
	if (large && madvise(region, REGION, MADV_HUGEPAGE))
		die("no huge pages: %s", strerror(errno));
	for (size_t i = 0; i < REGION; i += PAGE)
		region[i] = 1;
	return region;
}

/* Map the region in each slot, and check that the entries have the wanted size. */
static void fill_slots(int mirror, bool large, struct secmmu_stats *stats)
{
	for (unsigned int i = 0; i < slots; i++)
		mirror_prefault(mirror, 0, i * REGION, REGION, 0);
	mirror_stats(mirror, stats);
	if (stats->large != (large ? slots * (REGION / LARGE) : 0))
		die("the mirror has %llu entries of 2 MiB%s", stats->large,
		    large ? "; does the machine have a huge page left?" : "");
}

static void measure_shape(struct figures *figures)
{
	const struct shape *shape = figures->data;
	int mirror = mirror_create(device);
	char *region = map_region(shape->large);
	double pages = slots * (REGION / PAGE);
	struct secmmu_stats stats;
	long before;

	for (unsigned int i = 0; i < slots; i++)
		mirror_slot(mirror, i, i * REGION, region, REGION);
	usleep(SETTLE_US);
	before = count_free_bytes();
	fill_slots(mirror, shape->large, &stats);
	figures->value[SEEN] = (before - count_free_bytes()) / pages;
	figures->value[COUNTED] = (stats.tables - 1) * TABLE_BYTES / pages;
	munmap(region, REGION);
	mirror_stats(mirror, &stats);
	figures->value[LEFT] = (stats.tables - 1) * TABLE_BYTES;
	close(mirror);
}

static void add_shapes(struct bench *bench)
{
	static const unsigned int grid_slots[BENCH_GRIDS] = { 128, 32, 4 };
	static struct shape shapes[] = { { .large = false }, { .large = true } };

	device = mirror_device();
	slots = grid_slots[bench->grid];
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct bench_case like = {
			.variant = { { "entries", shapes[i].large ? "2 MiB" : "4 KiB" } },
			.pages = slots * (REGION / PAGE),
		};

		shapes[i].figures = (struct figures) { .measure = measure_shape,
						       .data = &shapes[i] };
		figures_add(bench, &shapes[i].figures, &like, figures_of_memory,
			    ARRAY_SIZE(figures_of_memory));
	}
}

static const struct target targets[] = {
	{ "bytes per page mapped by 4 KiB, without the root",
	  "[entries=4 KiB, what=per page]", NULL, 8.3 },
	{ "the same by free memory",
	  "[entries=4 KiB, what=per page, by free memory]", NULL, 8.3 },
	{ "bytes left after unmapping 4 KiB, beyond the root",
	  "[entries=4 KiB, what=left after unmapping]", NULL, 0 },
	{ "bytes per page mapped by 2 MiB, without the root",
	  "[entries=2 MiB, what=per page]", NULL, 0.1 },
	{ "the same by free memory",
	  "[entries=2 MiB, what=per page, by free memory]", NULL, 0.1 },
	{ "bytes left after unmapping 2 MiB, beyond the root",
	  "[entries=2 MiB, what=left after unmapping]", NULL, 0 },
	{ 0 }
};

BENCH_QUESTION(q10_memory) = {
	.word = "memory",
	.name = "Q10 memory",
	.asks = "How much memory does a mirror take for a page?",
	.text = "Memory of a mirror's page tables for each page of 4 KiB, mapped densely; and "
		"all memory of its page tables, without the root table, after the process "
		"has unmapped everything.",
	.rows = { "entries", "what" },
	.across = "pages",
	.targets = targets,
	.enough = 3,
	.add_cases = add_shapes,
};
