// SPDX-License-Identifier: GPL-2.0
/*
 * Q10: how much memory does a mirror take for each page that it maps?
 *
 * Page tables, by the mirror's own count and by how the machine's free memory
 * shrinks meanwhile; mapped densely by entries of 4 KiB and of 2 MiB, and after the
 * process has unmapped everything. The same memory is shown by many slots, so that
 * gigabytes can be mirrored in a small machine.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"
#include "mirror.h"

#define PAGE		4096ul
#define LARGE		(512 * PAGE)
#define REGION		(16 * LARGE)

/*
 * A page-table page, and the object that describes it, from the slab of 64 bytes:
 * what the free memory shows includes it.
 */
#define TABLE_BYTES	(PAGE + 64)

/* What earlier measurements have freed comes back after a grace period. */
#define SETTLE_US	200000

enum what { COUNTED, SEEN, LEFT, WHATS };

static const char *const names[WHATS] = {
	[COUNTED] = "per page",
	[SEEN] = "per page, by free memory",
	[LEFT] = "left after unmapping",
};

/**
 * struct shape - a mirror with entries of one size
 * @large: of 2 MiB
 * @bytes: what was measured; the root table is not in the mirror's own counts
 * @fresh: bit for each of them that was not asked for yet
 */
struct shape {
	bool large;
	double bytes[WHATS];
	unsigned int fresh;
};

/* One of them: a case. */
struct aspect {
	struct shape *shape;
	enum what what;
};

static unsigned int slots;
static int device;

/* Adds up the numbers behind a word in a file. */
static long sum(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char line[256];
	long total = 0, number;

	if (!file)
		bench_die("cannot read %s: %s", path, strerror(errno));
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
static long free_bytes(void)
{
	/* Reading this brings the processors' counters together. */
	sum("/proc/sys/vm/stat_refresh", "");
	return (sum("/proc/vmstat", "nr_free_pages ") +
		sum("/proc/zoneinfo", "count: ")) * PAGE;
}

static char *map_region(bool large)
{
	char *area, *region;

	if (prctl(PR_SET_THP_DISABLE, !large, 0, 0, 0))
		bench_die("cannot turn huge pages %s: %s", large ? "on" : "off",
			  strerror(errno));
	area = mmap(NULL, REGION + LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		bench_die("no memory: %s", strerror(errno));
	region = area + (-(uintptr_t)area & (LARGE - 1));
	munmap(area, region - area);
	munmap(region + REGION, area + LARGE - region);
	if (large && madvise(region, REGION, MADV_HUGEPAGE))
		bench_die("no huge pages: %s", strerror(errno));
	for (size_t i = 0; i < REGION; i += PAGE)
		region[i] = 1;
	return region;
}

/* Map the region in each slot, and see that the entries have the size wanted. */
static void fill(int mirror, bool large, struct secmmu_stats *stats)
{
	for (unsigned int i = 0; i < slots; i++)
		mirror_prefault(mirror, i * REGION, REGION, 0);
	mirror_stats(mirror, stats);
	if (stats->large != (large ? slots * (REGION / LARGE) : 0))
		bench_die("the mirror has %llu entries of 2 MiB%s", stats->large,
			  large ? "; is there a huge page left in the machine?" :
				  "");
}

static void measure_shape(struct shape *shape)
{
	int mirror = mirror_create(device, SECMMU_FLUSH_RANGE, 0);
	char *region = map_region(shape->large);
	double pages = slots * (REGION / PAGE);
	struct secmmu_stats stats;
	long before;

	for (unsigned int i = 0; i < slots; i++)
		mirror_slot(mirror, i, i * REGION, region, REGION);
	usleep(SETTLE_US);
	before = free_bytes();
	fill(mirror, shape->large, &stats);
	shape->bytes[SEEN] = (before - free_bytes()) / pages;
	shape->bytes[COUNTED] = (stats.tables - 1) * TABLE_BYTES / pages;
	munmap(region, REGION);
	mirror_stats(mirror, &stats);
	shape->bytes[LEFT] = (stats.tables - 1) * TABLE_BYTES;
	close(mirror);
}

static void measure(void *data, struct bench_sample *sample)
{
	const struct aspect *aspect = data;
	struct shape *shape = aspect->shape;

	if (!(shape->fresh & 1u << aspect->what)) {
		measure_shape(shape);
		shape->fresh = (1u << WHATS) - 1;
	}
	shape->fresh &= ~(1u << aspect->what);
	sample->value = shape->bytes[aspect->what];
}

int main(int argc, char **argv)
{
	static struct shape shapes[] = { { .large = false }, { .large = true } };
	static struct aspect aspects[2 * WHATS];
	struct bench bench = {
		.name = "Q10 memory",
		.about = "How much memory does a mirror take for each page that it maps?",
		.enough = 3,
	};

	bench_init(&bench, argc, argv);
	bench_pin(0);
	device = mirror_device();
	slots = bench.grid == BENCH_TINY ? 4 : bench.grid == BENCH_QUICK ? 32 : 128;
	for (unsigned int i = 0; i < 2 * WHATS; i++) {
		struct bench_case one = {
			.variant = bench_text("\"entries\":\"%s\",\"what\":\"%s\"",
					      i / WHATS ? "2 MiB" : "4 KiB",
					      names[i % WHATS]),
			.unit = "bytes",
			.pages = slots * (REGION / PAGE),
			.threads = 1,
			.measure = measure,
			.data = &aspects[i],
		};

		aspects[i] = (struct aspect) { &shapes[i / WHATS], i % WHATS };
		bench_add(&bench, &one);
	}
	bench_run(&bench);
	return 0;
}
