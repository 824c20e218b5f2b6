// SPDX-License-Identifier: GPL-2.0
/* Memory comes back. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include "check.h"

#define ROUNDS	4
#define SIZE	LARGE

static uint64_t free_memory(const struct trial *trial)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t size = 0;
	char line[128];

	need(trial, file, "open /proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemFree: %" SCNu64, &size) == 1)
			break;
	fclose(file);
	return size << 10;
}

static void use_all(const struct trial *trial)
{
	for (size_t page = 0; page < SIZE / PAGE; page++)
		expect_write(trial, page_at(trial, page));
	need(trial, !madvise(trial->arena, SIZE, MADV_DONTNEED), "discard pages");
}

/*
 * A page that is discarded is free again. What the machine does beside takes memory too, but
 * not half of all that was discarded.
 */
CHECK(leak, .summary = "pages that were used and discarded are free again", .seconds = 120)
{
	uint64_t before, after;

	/* Tables and caches come once. */
	use_all(trial);
	before = free_memory(trial);
	for (int i = 0; i < ROUNDS; i++)
		use_all(trial);
	after = free_memory(trial);
	if (before > after && before - after > ROUNDS * SIZE / 2)
		convict(trial, VERDICT_LEAK, "%" PRIu64 " MiB of %lu have not come back",
			(before - after) >> 20, ROUNDS * SIZE >> 20);
}

/* An accessor may have translations of what it owns itself: these come with its first use. */
CHECK(nothing_mapped, .summary = "no translation is left of memory that is gone",
      .needs = NEED_MAPPED)
{
	uint64_t before, used, after;

	expect_write(trial, page_at(trial, 64));
	need(trial, !munmap(trial->arena, ARENA_SIZE), "unmap the arena");
	before = trial->ops->mapped(trial->subject);
	map_anon(trial, trial->arena, ARENA_SIZE, PROT_READ | PROT_WRITE);
	for (size_t page = 0; page < 64; page++)
		expect_write(trial, page_at(trial, page));
	used = trial->ops->mapped(trial->subject);
	if (used < before + 64 * PAGE)
		convict(trial, VERDICT_BROKEN, "%" PRIu64 " bytes are mapped after 64 writes, %"
			PRIu64 " before", used, before);
	need(trial, !munmap(trial->arena, ARENA_SIZE), "unmap the arena");
	after = trial->ops->mapped(trial->subject);
	if (after > before)
		convict(trial, VERDICT_LEAK, "%" PRIu64 " bytes are still mapped", after - before);
	map_anon(trial, trial->arena, ARENA_SIZE, PROT_READ | PROT_WRITE);
}
