// SPDX-License-Identifier: GPL-2.0
/*
 * Young or old, asked directly: the aging callbacks are called by the test, which
 * gets their answers. Needs a test build.
 */
#include "secmmu_actor.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

#define PAGES	32L

FIXTURE(aging)
{
	int dev, mirror, engine;
	struct actor actor;	/* mirrors 0 and 1 have all pages, all old */
};

static int map_all(struct actor *actor, int mirror)
{
	struct secmmu_prefault range;
	int ret;

	ret = secmmu_prefault(mirror, SECMMU_PREFAULT_WRITE, ACTOR_BASE, PAGES * PAGE, &range);
	return ret ?: age_clear(mirror, actor->mem, PAGES);
}

FIXTURE_SETUP(aging)
{
	ACTOR_START(PAGES, SECMMU_FLUSH_RANGE, 0);
	ASSERT_EQ(0, map_all(&self->actor, self->mirror));
}

FIXTURE_TEARDOWN(aging)
{
	ACTOR_TEARDOWN();
}

#define EXPECT_YOUNG(young, page) \
	EXPECT_EQ(young, age_test(self->mirror, ACTOR_MEM(page)))
#define EXPECT_CLEARED(young, page) \
	EXPECT_EQ(young, age_clear(self->mirror, ACTOR_MEM(page), 1))

static int access_page(FIXTURE_DATA(aging) *self, bool write, long page)
{
	__u64 word;

	return write ? gpa_put(self->engine, ACTOR_GPA(page), label(page, 2)) :
		       gpa_get(self->engine, ACTOR_GPA(page), &word);
}

/* The access after an aging is noted although the engine needs no walk for it. */
static void check_again(TEST_ARGS(aging), bool write)
{
	struct secmmu_stats a;
	int round;

	EXPECT_YOUNG(0, 3);
	EXPECT_CLEARED(0, 3);
	GET_STATS(a);
	for (round = 0; round < 3; round++) {
		ASSERT_EQ(0, access_page(self, write, 3));
		EXPECT_YOUNG(1, 3);
		EXPECT_YOUNG(1, 3);
		EXPECT_YOUNG(0, 4);
		EXPECT_CLEARED(0, 4);
		EXPECT_CLEARED(1, 3);
		EXPECT_YOUNG(0, 3);
		EXPECT_CLEARED(0, 3);
	}
	EXPECT_SINCE(0, a, faults);
	EXPECT_DROPPED(0, 0, a);
}

SECMMU_TEST_CALL(aging, C1_read_after_aging, check_again, false)
SECMMU_TEST_CALL(aging, C1_write_after_aging, check_again, true)

/* Ranges are aged as a whole, and no further. */
SECMMU_TEST_F(aging, C1_ranges)
{
	long i;

	for (i = 7; i <= 16; i++) {
		ASSERT_EQ(0, access_page(self, i % 2, i));
	}
	EXPECT_EQ(1, age_clear(self->mirror, ACTOR_MEM(8), 8));
	for (i = 8; i < 16; i++)
		EXPECT_YOUNG(0, i);
	EXPECT_YOUNG(1, 7);
	EXPECT_YOUNG(1, 16);
	EXPECT_EQ(0, age_clear(self->mirror, ACTOR_MEM(8), 0));
	EXPECT_EQ(1, age_clear(self->mirror, ACTOR_MEM(0), 8));
	EXPECT_EQ(1, age_clear(self->mirror, ACTOR_MEM(0), PAGES));
	EXPECT_EQ(0, age_clear(self->mirror, ACTOR_MEM(0), PAGES));
}

/* The first pages in the last entries of one table, the rest in another. */
#define ALIAS(page)	ACTOR_GPA(4096 - 4 + (page))

/* Both entries of a page that two slots show, in whichever table. */
SECMMU_TEST_F(aging, C1_alias)
{
	static const long pages[] = { 0, 3, 4, PAGES - 1 };
	__u64 word;
	size_t i;

	ACTOR_RUN(0, ACT_SLOT, 1, ALIAS(0), 0, PAGES, 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		ASSERT_EQ(0, gpa_get(self->engine, ALIAS(pages[i]), &word));
		ASSERT_EQ(0, access_page(self, false, pages[i]));
	}
	EXPECT_EQ(1, age_clear(self->mirror, ACTOR_MEM(0), PAGES));
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		EXPECT_YOUNG(0, pages[i]);

	ASSERT_EQ(0, gpa_get(self->engine, ALIAS(3), &word));
	ASSERT_EQ(0, access_page(self, false, 3));
	EXPECT_CLEARED(1, 3);
	EXPECT_YOUNG(0, 3);
	ASSERT_EQ(0, gpa_get(self->engine, ALIAS(3), &word));
	EXPECT_YOUNG(1, 3);
	EXPECT_CLEARED(1, 3);
	EXPECT_YOUNG(0, 3);
}

/* An access that its key denies has not happened. */
SECMMU_TEST_F(aging, C4_denied_is_not_young)
{
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(0)));
	EXPECT_EQ(-EACCES, access_page(self, true, 3));
	EXPECT_YOUNG(0, 3);
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(0)));
	EXPECT_EQ(-EACCES, access_page(self, false, 3));
	EXPECT_EQ(-EACCES, access_page(self, true, 3));
	EXPECT_YOUNG(0, 3);
	EXPECT_CLEARED(0, 3);
	ASSERT_EQ(0, rights_set(self->engine, 0));
	ASSERT_EQ(0, access_page(self, false, 3));
	EXPECT_YOUNG(1, 3);
}

/* Nor has one that a job prepares for. */
SECMMU_TEST_F(aging, C4_touched_is_not_young)
{
	char *mem = ASSERT_MEMORY(region_map(PAGES));
	int mirror, engine, error;
	long i;

	memset(mem, 1, PAGES * PAGE);
	mirror = NEW_MIRROR();
	engine = NEW_ENGINE_WITH(mirror, SECMMU_ENGINE_BACKGROUND);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, mem, PAGES * PAGE));
	/* Pages that are not mapped yet; pages that are, to be read only; the others. */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, job_start(engine, i == 1 ? 0 : SECMMU_JOB_WRITE,
				       ACTOR_BASE, PAGES * PAGE, NULL));
		ASSERT_EQ(PAGES * PAGE, job_wait(engine, &error));
		EXPECT_EQ(0, age_clear(mirror, mem, PAGES));
		if (!i) {
			madvise(mem, PAGES * PAGE, MADV_DONTNEED);
			memset(mem, 1, PAGES * PAGE);
		}
	}
	ASSERT_EQ(0, job_start(engine, 0, ACTOR_GPA(3), 8, mem + 8 * PAGE));
	ASSERT_EQ(8, job_wait(engine, &error));
	EXPECT_EQ(1, age_test(mirror, mem + 3 * PAGE));
	EXPECT_EQ(0, age_test(mirror, mem + 4 * PAGE));
	close(engine);
	close(mirror);
	region_unmap(mem, PAGES);
}

/* An aging while a window opens: that window's access comes after it. */
SECMMU_TEST_F(aging, C1_window_about_to_open)
{
	struct outsider outsider = {};
	int post;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	ASSERT_EQ(0, cpus_spread(&self->actor));
	ASSERT_EQ(0, outsider_start(&outsider));
	ASSERT_EQ(0, access_page(self, false, 3));
	post = OUTSIDER_HOLD(outsider, WINDOW_MARKED, 0, self->engine, ACTOR_GPA(3));
	/* Does not wait for windows. */
	EXPECT_CLEARED(1, 3);
	EXPECT_YOUNG(0, 3);
	EXPECT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, outsider_answer(&outsider, NULL));
	EXPECT_YOUNG(1, 3);
	outsider_stop(&outsider);
}

/* Two mirrors: either's access counts, and both are made to forget. */
SECMMU_TEST_F(aging, A15_two_mirrors)
{
	const __u64 far = ACTOR_ENGINES;
	__u64 number;
	int i;

	ACTOR_DO(0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	ASSERT_EQ(1, number);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, access_page(self, false, 3));
		ACTOR_RUN(0, ACT_READ, far, ACTOR_GPA(3));
		EXPECT_YOUNG(1, 3);
		EXPECT_CLEARED(1, 3);
		/* Had only one forgotten, the other would say so. */
		EXPECT_YOUNG(0, 3);
		EXPECT_CLEARED(0, 3);
	}
	ASSERT_EQ(0, access_page(self, true, 3));
	EXPECT_YOUNG(1, 3);
	EXPECT_CLEARED(1, 3);
	ACTOR_RUN(0, ACT_READ, far, ACTOR_GPA(3));
	EXPECT_YOUNG(1, 3);
	EXPECT_CLEARED(1, 3);
	EXPECT_YOUNG(0, 3);
}

/*
 * A read while an aging comes: it counts, or the next one does. Engines that have
 * noted it before the bits were cleared do so again.
 */
SECMMU_TEST_F(aging, C1_read_under_an_aging)
{
	int round, post;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, access_page(self, false, 3));
		post = ACTOR_HOLD_AT(AGE, 1, ACT_EVENT, 3, 1, SECMMU_TEST_EVENT_AGE_CLEAR);
		ASSERT_EQ(0, access_page(self, false, 3));
		EXPECT_GOES_ON(post, 1);
		EXPECT_YOUNG(0, 3);
		ASSERT_EQ(0, access_page(self, false, 3));
		EXPECT_YOUNG(1, 3);
	}
}

/* An entry that becomes writable was used before, and engines will not say so again. */
SECMMU_TEST_F(aging, C1_upgrade)
{
	struct secmmu_prefault range;
	struct secmmu_stats a;

	PASS_EVENT(ACTOR_MEM(3), 2);
	ASSERT_EQ(0, access_page(self, false, 3));
	EXPECT_YOUNG(1, 3);
	GET_STATS(a);
	/* Page 4 comes now, and has not been used. */
	ASSERT_EQ(0, secmmu_prefault(self->mirror, SECMMU_PREFAULT_WRITE, ACTOR_GPA(3),
				     2 * PAGE, &range));
	EXPECT_YOUNG(1, 3);
	EXPECT_YOUNG(0, 4);
	ASSERT_EQ(0, access_page(self, false, 3));
	EXPECT_CLEARED(1, 3);
	EXPECT_YOUNG(0, 3);
	ASSERT_EQ(0, access_page(self, false, 3));
	EXPECT_YOUNG(1, 3);
	EXPECT_SINCE(1, a, faults);
	EXPECT_SINCE(0, a, zapped);
	EXPECT_COHERENT(self->mirror);
}

/* Whichever domain an access came through: it counts, once. */
SECMMU_TEST_F(aging, C1_every_domain)
{
	__u32 domain;

	ACTOR_RUN(0, ACT_DOMAINS, SECMMU_MAX_DOMAINS - 1);
	ACTOR_RUN(0, ACT_SLOT_IN, 0, ACTOR_BASE, 0, PAGES, (1U << SECMMU_MAX_DOMAINS) - 1);
	for (domain = 0; domain < SECMMU_MAX_DOMAINS; domain++) {
		ASSERT_EQ(0, domain_enter(self->engine, domain));
		ASSERT_EQ(0, access_page(self, false, 3));
	}
	EXPECT_CLEARED(1, 3);
	EXPECT_YOUNG(0, 3);
	for (domain = 0; domain < SECMMU_MAX_DOMAINS; domain++) {
		ASSERT_EQ(0, domain_enter(self->engine, domain));
		ASSERT_EQ(0, access_page(self, domain % 2, 3));
		EXPECT_YOUNG(1, 3);
		EXPECT_CLEARED(1, 3);
		EXPECT_YOUNG(0, 3);
		EXPECT_CLEARED(0, 3);
	}
}

/* Views of a page, each in a table of its own: an access through any of them counts. */
#define VIEW(slot)	ACTOR_GPA((slot) * 512 + 100)

SECMMU_TEST_F(aging, C1_many_views)
{
	static const long views[] = { 1, 7, 8, 9, 41 };
	long have = 0, i;
	__u64 word;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(views); n++) {
		while (have < views[n]) {
			have++;
			ACTOR_RUN(0, ACT_SLOT, have, VIEW(have), 3, 1, 0);
			ASSERT_EQ(0, gpa_get(self->engine, VIEW(have), &word));
		}
		EXPECT_CLEARED(1, 3);
		EXPECT_YOUNG(0, 3);
		for (i = 1; i <= have; i++) {
			ASSERT_EQ(0, gpa_get(self->engine, VIEW(i), &word));
			EXPECT_YOUNG(1, 3) TH_LOG("view %ld of %ld", i, have);
			EXPECT_CLEARED(1, 3);
			EXPECT_YOUNG(0, 3) TH_LOG("view %ld of %ld", i, have);
		}
	}
}

TEST_HARNESS_MAIN
