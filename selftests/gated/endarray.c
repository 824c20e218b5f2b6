// SPDX-License-Identifier: GPL-2.0
/*
 * The historical policy of test builds: references in an array, dropped and
 * flushed when the event ends.
 */
#include "secmmu_group.h"
#include "secmmu_harness.h"

#define BASE		0x50000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
#define PAGES		4096L
#define BATCH		32

REGION_FIXTURE(endarray, PAGES)

FIXTURE_SETUP(endarray)
{
	SECMMU_SETUP(SECMMU_FLUSH_END_ARRAY, BATCH);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

static int populate(FIXTURE_DATA(endarray) *self, long pages)
{
	struct secmmu_prefault range;
	int ret;

	pages_stamp(self->mem, 0, pages, 1);
	ret = secmmu_prefault(self->mirror, SECMMU_PREFAULT_WRITE, BASE, pages * PAGE, &range);
	return ret ?: range.length ? -EAGAIN : 0;
}

SECMMU_TEST_F(endarray, B1_flushes_per_event)
{
	static const long counts[] = { 1, BATCH - 1, BATCH, BATCH + 1, 1025 };
	struct secmmu_stats a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		long n = counts[i];

		ASSERT_EQ(0, populate(self, n + 1));
		GET_STATS(a);
		ASSERT_EQ(0, madvise(self->mem, n * PAGE, MADV_DONTNEED));
		EXPECT_DROPPED(n, (n + BATCH - 1) / BATCH, a);
		EXPECT_SINCE(0, a, unpaired);
		EXPECT_GPA(stamp(n, 1), self->engine, GPA(n));
		EXPECT_GPA(0, self->engine, GPA(0));
		EXPECT_GPA(0, self->engine, GPA(n - 1));
	}
}

static int rewrite(void *data)
{
	char *mem = data;
	long i;

	for (i = 0; i < 64; i++) {
		CHECK(*word_at(mem, i) == stamp(i, 1));
		*word_at(mem, i) = stamp(i, 9);
	}
	return 0;
}

/* An upgrade from read to write, and back, keeps one reference for each. */
SECMMU_TEST_F(endarray, permissions)
{
	long i;

	for (i = 0; i < 64; i++) {
		*word_at(self->mem, i) = stamp(i, 1);
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
	}
	EXPECT_EQ(0, child_wait(child_start(rewrite, self->mem)));
	for (i = 0; i < 64; i++) {
		EXPECT_GPA(stamp(i, 1), self->engine, GPA(i));
		EXPECT_PUT(self->engine, GPA(i), stamp(i, 2));
		EXPECT_EQ(stamp(i, 2), *word_at(self->mem, i));
	}
}

/* Bytes of memory that the group of this test uses. */
static long memory_used(const struct secmmu_group *group)
{
	return group_read(group, "memory.current", "");
}

/* Pages are free once the event, the slot or the mirror has ended. */
static int let_go(void *data)
{
	FIXTURE_DATA(endarray) *self = data;
	struct secmmu_group group = {};
	long size = PAGES * PAGE, slack = size / 8, before, i;

	CHECK(!group_enter(&group));
	self->mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_END_ARRAY, BATCH);
	self->engine = secmmu_create_engine(self->mirror);
	CHECK(self->mirror >= 0 && self->engine >= 0);
	for (i = 0; i < 3; i++) {
		before = memory_used(&group);
		CHECK(before >= 0);
		CHECK(!secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, size));
		CHECK(!populate(self, PAGES));
		CHECK(memory_used(&group) >= before + size - slack);
		if (i == 1)
			CHECK(!secmmu_delete_slot(self->mirror, 0));
		if (i == 2) {
			close(self->engine);
			close(self->mirror);
		}
		CHECK(!madvise(self->mem, size, MADV_DONTNEED));
		CHECK(memory_used(&group) <= before + slack);
	}
	group_leave(&group);
	return 0;
}

SECMMU_TEST_F(endarray, G1_pages_are_let_go)
{
	if (!inside_or_told())
		SKIP(return, SECMMU_REFUSED("makes a control group"));
	EXPECT_EQ(0, child_wait(child_start(let_go, self)));
}

TEST_HARNESS_MAIN
