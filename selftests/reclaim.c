// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim of memory that is mirrored, by way of a control group of its own: what
 * engines use stays, what they no longer use goes, and nothing is lost on the
 * way to swap space and back.
 *
 * Without swap space the tests make some on an empty /dev/ram0 (module brd).
 */
#include <fcntl.h>
#include <sys/swap.h>

#include "secmmu_group.h"
#include "secmmu_harness.h"

#define BASE	0x150000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* In the order in which the kernel meets them: cold, hot, cold. */
#define HOT_FIRST	256L
#define HOT_END	(HOT_FIRST + 32L)
#define PAGES	512L

#define RAM_DISK	"/dev/ram0"
#define LRU_GEN	"/sys/kernel/mm/lru_gen/enabled"
#define STEPS	200

FIXTURE(reclaim)
{
	int dev, mirror, engine;
	int other_mirror, other_engine;	/* with the same slot */
	char *mem;	/* page i starts with label(i, 1), known to both */
	struct secmmu_group group;
	bool swap_made;
	char lru_gen[16];
};

FIXTURE_VARIANT(reclaim)
{
	/* Whether the kernel is to sort pages into generations, if it can. */
	const char *lru_gen;
};

FIXTURE_VARIANT_ADD(reclaim, lists) { .lru_gen = "0" };
FIXTURE_VARIANT_ADD(reclaim, generations) { .lru_gen = "7" };

/* Swap space on a block device that holds nothing. Zero or an error. */
static int make_swap(const char *path)
{
	/* The header as mkswap(8) writes it. */
	struct {
		char boot[1024];
		__u32 version, last_page, nr_bad;
		char rest[4096 - 1024 - 12 - 10];
		char magic[10];
	} __attribute__((packed)) header, zero = {};
	int ret = 0, fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	off_t size;

	if (fd < 0)
		return -errno;
	size = lseek(fd, 0, SEEK_END);
	if (PAGE != sizeof(header) || size < 16 << 20)
		ret = -ENOSPC;
	else if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		ret = -EIO;
	else if (memcmp(&header, &zero, sizeof(header)))
		/* Somebody's data; or our own header, from before. */
		ret = memcmp(header.magic, "SWAPSPACE2", 10) ? -EBUSY : 0;
	if (!ret) {
		header = zero;
		header.version = 1;
		header.last_page = size / PAGE - 1;
		memcpy(header.magic, "SWAPSPACE2", 10);
		if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header) || fsync(fd))
			ret = -EIO;
	}
	close(fd);
	return !ret && swapon(path, 0) ? -errno : ret;
}

static int get_swap(FIXTURE_DATA(reclaim) *self)
{
	int ret = 0;

	if (number_read("/proc/meminfo", "SwapFree:") < 4 * PAGES * PAGE >> 10)
		ret = make_swap(RAM_DISK);
	else
		return 0;
	self->swap_made = !ret;
	return ret;
}

/* Young for the engines, old for the processor. */
static int know_pages(int engine)
{
	__u64 word;
	int ret = 0;
	long i;

	for (i = 0; i < PAGES && !ret; i++) {
		ret = gpa_get(engine, GPA(i), &word);
		if (!ret && word != label(i, 1))
			ret = -EILSEQ;
	}
	return ret ?: text_write("/proc/self/clear_refs", "1");
}

FIXTURE_SETUP(reclaim)
{
	int ret;

	self->mem = NULL;
	self->swap_made = false;
	memset(&self->group, 0, sizeof(self->group));
	self->lru_gen[0] = 0;
	self->other_mirror = -1;
	self->other_engine = -1;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	SECMMU_CHANGES_OR_SKIP("makes a control group, and swap space of an empty " RAM_DISK);
	ret = group_enter(&self->group);
	if (ret)
		SECMMU_SKIP("no memory control group: error %d", ret);
	ret = group_write(&self->group, "memory.reclaim", 0);
	if (ret == -ENOENT || ret == -EACCES)
		SECMMU_SKIP("this kernel does not reclaim on demand");
	ret = get_swap(self);
	if (ret)
		SECMMU_SKIP("neither swap space nor an empty %s: error %d", RAM_DISK, ret);
	if (!text_read(LRU_GEN, self->lru_gen, sizeof(self->lru_gen)))
		ASSERT_EQ(0, text_write(LRU_GEN, variant->lru_gen));
	REGION_SETUP(PAGES);
	self->other_mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	self->other_engine = NEW_ENGINE(self->other_mirror);
	SET_SLOT(0, 0, BASE, 0, PAGES);
	ASSERT_EQ(0, secmmu_set_slot(self->other_mirror, 0, 0, BASE, self->mem, PAGES * PAGE));
	ASSERT_EQ(0, know_pages(self->engine));
	ASSERT_EQ(0, know_pages(self->other_engine));
}

FIXTURE_TEARDOWN(reclaim)
{
	close(self->other_engine);
	close(self->other_mirror);
	region_unmap(self->mem, PAGES);
	if (self->lru_gen[0])
		text_write(LRU_GEN, self->lru_gen);
	group_leave(&self->group);
	if (self->swap_made)
		swapoff(RAM_DISK);
	SECMMU_TEARDOWN();
}

/* Some pages' worth; how many the kernel takes is its own affair. */
static void reclaim_some(FIXTURE_DATA(reclaim) *self, long pages)
{
	group_write(&self->group, "memory.reclaim", pages * PAGE);
}

static long swapped(FIXTURE_DATA(reclaim) *self, long first, long end)
{
	return pages_with(self->mem + first * PAGE, end - first, PAGE_SWAPPED);
}

/*
 * The processor never touches the hot pages; an engine does, by what its TLB
 * holds: its mirror shows nothing else, so that no flush makes it look again.
 */
SECMMU_TEST_F_TIMEOUT(reclaim, C1_used_pages_stay, SECMMU_TIMEOUT_LONG)
{
	struct secmmu_stats a;
	long i, cold, steps;
	__u64 word;

	SET_SLOT(0, 0, GPA(HOT_FIRST), HOT_FIRST, HOT_END - HOT_FIRST);
	EXPECT_LABELS(1, self->engine, GPA(0), HOT_FIRST, HOT_END - HOT_FIRST);
	ASSERT_EQ(0, text_write("/proc/self/clear_refs", "1"));
	GET_STATS(a);
	for (steps = 0; steps < STEPS; steps++) {
		for (i = HOT_FIRST; i < HOT_END; i++)
			ASSERT_EQ(0, gpa_get(self->engine, GPA(i), &word));
		reclaim_some(self, 16);
		/* All cold pages before the hot ones, and some behind. */
		cold = swapped(self, HOT_END, PAGES);
		if (cold >= (PAGES - HOT_END) / 3)
			break;
		ASSERT_EQ(0, swapped(self, HOT_FIRST, HOT_END))
			TH_LOG("step %ld, %ld cold pages", steps,
			       cold + swapped(self, 0, HOT_FIRST));
	}
	EXPECT_GT(STEPS, steps);
	EXPECT_LE(HOT_FIRST * 9 / 10, swapped(self, 0, HOT_FIRST));
	EXPECT_EQ(0, swapped(self, HOT_FIRST, HOT_END));
	EXPECT_SINCE(0, a, faults);
	EXPECT_SINCE(0, a, zapped);
	/* Back from swap space. */
	EXPECT_LABELS(1, self->other_engine, GPA(0), 0, PAGES);
}

/* Once engines stop using them, no page stays for ever. */
SECMMU_TEST_F_TIMEOUT(reclaim, C1_unused_pages_go, SECMMU_TIMEOUT_LONG)
{
	long steps;

	for (steps = 0; steps < STEPS; steps++) {
		reclaim_some(self, 64);
		if (swapped(self, 0, PAGES) >= PAGES * 9 / 10)
			break;
	}
	EXPECT_GT(STEPS, steps);
}

/*
 * Pages that two mirrors have used, once each. To ask is to clear, for both: if
 * the second time one of them still said yes, pages would count as used again
 * and again, and be made active.
 */
SECMMU_TEST_F_TIMEOUT(reclaim, A15_both_are_cleared, SECMMU_TIMEOUT_LONG)
{
	long before, steps;

	before = group_read(&self->group, "memory.stat", "pgactivate ");
	ASSERT_LE(0, before);
	for (steps = 0; steps < STEPS; steps++) {
		reclaim_some(self, 16);
		if (swapped(self, 0, PAGES) >= PAGES / 2)
			break;
	}
	EXPECT_GT(STEPS, steps);
	EXPECT_GT(PAGES / 8, group_read(&self->group, "memory.stat", "pgactivate ") - before);
}

/* What was written through the mirror alone survives the way out and back. */
SECMMU_TEST_F_TIMEOUT(reclaim, C2_written_pages_survive, SECMMU_TIMEOUT_LONG)
{
	__u64 round;
	long i, steps;

	for (round = 2; round < 6; round++) {
		/* The other engine's entries must not outlive the pages. */
		for (i = 0; i < PAGES; i++) {
			EXPECT_PUT(self->engine, GPA(i), label(i, round));
			EXPECT_GPA(label(i, round), self->other_engine, GPA(i));
		}
		for (steps = 0; steps < 10 * STEPS; steps++) {
			reclaim_some(self, 64);
			if (swapped(self, 0, PAGES) >= PAGES / 2)
				break;
		}
		EXPECT_GT(10 * STEPS, steps);
		EXPECT_LABELS(round, self->other_engine, GPA(0), 0, PAGES);
	}
}

TEST_HARNESS_MAIN
