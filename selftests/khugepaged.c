// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses through a mirror make pages young for the kernel. Its decisions show that:
 * khugepaged leaves unused memory alone, and reclaim takes unused memory first.
 */
#include "secmmu_harness.h"

#define BASE	0x140000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define PAGES	(HUGE_SIZE / PAGE)

#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define DAEMON	THP "khugepaged/"

/* Settings of the machine, to be restored. */
static struct {
	const char *path;
	const char *during;
	char before[64];
} settings[] = {
	{ .path = DAEMON "scan_sleep_millisecs", .during = "10" },
	{ .path = DAEMON "alloc_sleep_millisecs", .during = "10" },
	{ .path = DAEMON "pages_to_scan", .during = "8192" },
	{ .path = THP "enabled", .during = "madvise" },
};

FIXTURE(khugepaged)
{
	int dev, mirror, engine;
	int mirrors[2], engines[2];	/* of this process, with slot 0 */
	char *mem;	/* aligned small pages, old, known to both mirrors */
	bool changed;
};

/* Of "always [madvise] never" the chosen word; else the first one. */
static void chosen_word(char *text)
{
	char *from = strchr(text, '['), *to;

	from = from ? from + 1 : text;
	to = from + strcspn(from, "] \n");
	*to = 0;
	memmove(text, from, to - from + 1);
}

static int change_settings(void)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(settings) && !ret; i++) {
		ret = text_read(settings[i].path, settings[i].before,
				sizeof(settings[i].before));
		chosen_word(settings[i].before);
	}
	for (i = 0; i < ARRAY_SIZE(settings) && !ret; i++)
		ret = text_write(settings[i].path, settings[i].during);
	return ret;
}

static void restore_settings(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		text_write(settings[i].path, settings[i].before);
}

/* Both mirrors map all pages, and have not used them since. */
static int make_old(FIXTURE_DATA(khugepaged) *self)
{
	struct secmmu_prefault range;
	int i, ret;

	memset(self->mem, 1, HUGE_SIZE);
	for (i = 0; i < 2; i++) {
		ret = secmmu_prefault(self->mirrors[i], SECMMU_PREFAULT_WRITE,
				      BASE, HUGE_SIZE, &range);
		if (ret || range.length)
			return ret ?: -EIO;
	}
	return text_write("/proc/self/clear_refs", "1");
}

FIXTURE_SETUP(khugepaged)
{
	int i;

	self->changed = false;
	self->engines[0] = -1;
	self->engines[1] = -1;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = ASSERT_MEMORY(blocks_map(1, MADV_NOHUGEPAGE));
	self->mirrors[0] = self->mirror;
	self->mirrors[1] = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	for (i = 0; i < 2; i++) {
		self->engines[i] = NEW_ENGINE(self->mirrors[i]);
		ASSERT_EQ(0, secmmu_set_slot(self->mirrors[i], 0, 0, BASE,
					     self->mem, HUGE_SIZE));
	}
	if (access(DAEMON "full_scans", R_OK))
		SECMMU_SKIP("this kernel has no khugepaged");
	SECMMU_CHANGES_OR_SKIP("changes the settings of khugepaged");
	self->changed = true;
	ASSERT_EQ(0, change_settings());
	ASSERT_EQ(0, make_old(self));
}

FIXTURE_TEARDOWN(khugepaged)
{
	if (self->changed)
		restore_settings();
	blocks_unmap(self->mem, 1);
	close(self->engines[0]);
	close(self->engines[1]);
	close(self->mirrors[1]);
	SECMMU_TEARDOWN();
}

/*
 * Lets khugepaged look at the memory two times at least. To collapse it, it has
 * to invalidate it first: that is when it has found a page young. (Whether it
 * then finds enough reason left to go on is its own affair.)
 */
static int tried_to_collapse(FIXTURE_DATA(khugepaged) *self, bool *tried)
{
	long end = now_ms() + secmmu_limit_ms() / 2;
	long scans = number_read(DAEMON "full_scans", "");
	struct secmmu_stats a, b;
	int ret = secmmu_get_stats(self->mirror, &a);

	if (!ret && madvise(self->mem, HUGE_SIZE, MADV_HUGEPAGE))
		ret = -errno;
	do {
		sleep_ms(20);
		ret = ret ?: secmmu_get_stats(self->mirror, &b);
		*tried = !ret && b.zapped > a.zapped;
		if (now_ms() > end)
			ret = ret ?: -ETIMEDOUT;
	} while (!ret && !*tried && number_read(DAEMON "full_scans", "") < scans + 3);
	madvise(self->mem, HUGE_SIZE, MADV_NOHUGEPAGE);
	return ret;
}

/* Entries that no engine has used do not make pages young. */
SECMMU_TEST_F(khugepaged, C1_unused_is_old)
{
	bool tried;

	ASSERT_EQ(0, tried_to_collapse(self, &tried));
	EXPECT_FALSE(tried);
}

/* One access to any page through any mirror is enough. */
SECMMU_TEST_F(khugepaged, C1_read_makes_young)
{
	__u64 word;
	bool tried;

	ASSERT_EQ(0, gpa_get(self->engine, GPA(PAGES - 1), &word));
	ASSERT_EQ(0, tried_to_collapse(self, &tried));
	EXPECT_TRUE(tried);
}

SECMMU_TEST_F(khugepaged, C1_write_makes_young)
{
	bool tried;

	EXPECT_PUT(self->engine, GPA(77), 1);
	ASSERT_EQ(0, tried_to_collapse(self, &tried));
	EXPECT_TRUE(tried);
}

SECMMU_TEST_F(khugepaged, A15_second_mirror_counts)
{
	__u64 word;
	bool tried;

	ASSERT_EQ(0, gpa_get(self->engines[1], GPA(3), &word));
	ASSERT_EQ(0, tried_to_collapse(self, &tried));
	EXPECT_TRUE(tried);
}

/* A discarded entry's access does not count for what comes after it. */
SECMMU_TEST_F(khugepaged, C1_dropped_entries)
{
	__u64 word;
	bool tried;

	ASSERT_EQ(0, gpa_get(self->engine, GPA(3), &word));
	ASSERT_EQ(0, madvise(self->mem, HUGE_SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, make_old(self));
	ASSERT_EQ(0, tried_to_collapse(self, &tried));
	EXPECT_FALSE(tried);
}

TEST_HARNESS_MAIN
