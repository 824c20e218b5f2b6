// SPDX-License-Identifier: GPL-2.0
/* Tags, domains, keys, huge pages, dirty log and prefault, all at once. */
#include "secmmu_harness.h"

#define BASE	0x90000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
/* The same page, with a tag. */
#define TAGGED(page)	tagged(GPA(page), 0x2a5, 15)
#define BLOCK	(HUGE_SIZE / PAGE)

#define IN(domain)	(1U << (domain))

FIXTURE(combined)
{
	int dev, mirror, engine;
	char *mem;	/* two huge pages, labelled */
	int key;
};

/* Slot 0, the first huge page, is in domain 1 with a key; slot 1 not, and without. */
FIXTURE_SETUP(combined)
{
	self->mem = NULL;
	SECMMU_OPEN_OR_SKIP();
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 15));
	BLOCKS_SETUP(2);
	ASSERT_EQ(0, domain_create(self->mirror, 1));
	self->key = key_alloc(self->mirror);
	ASSERT_LT(0, self->key);
	ASSERT_EQ(0, secmmu_set_slot_in(self->mirror, 0, 0, self->key, IN(1), GPA(0),
					self->mem, HUGE_SIZE));
	ASSERT_EQ(0, secmmu_set_slot_in(self->mirror, 1, 0, 0, 0, GPA(BLOCK),
					self->mem + HUGE_SIZE, HUGE_SIZE));
	self->engine = NEW_ENGINE(self->mirror);
}

FIXTURE_TEARDOWN(combined)
{
	blocks_unmap(self->mem, 2);
	SECMMU_TEARDOWN();
}

/* Each domain has its own large entry; an event for a part of it splits all. */
SECMMU_TEST_F(combined, B7_large_in_two_domains)
{
	struct secmmu_stats a;
	int i;

	for (i = 0; i <= 1; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(5, 1), self->engine, TAGGED(5));
		EXPECT_PUT(self->engine, TAGGED(6), label(6, 2));
	}
	EXPECT_COUNTER(2, large);
	GET_STATS(a);
	ASSERT_EQ(0, madvise(self->mem + 9 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_SINCE(2, a, splits);
	EXPECT_COUNTER(0, large);
	for (i = 0; i <= 1; i++) {
		ASSERT_EQ(0, domain_enter(self->engine, i));
		EXPECT_GPA(label(8, 1), self->engine, GPA(8));
		EXPECT_GPA(0, self->engine, TAGGED(9));
		EXPECT_GPA(label(10, 1), self->engine, TAGGED(10));
		EXPECT_GPA(label(6, 2), self->engine, GPA(6));
	}
}

/* A large entry has the key of its slot, and so have the small ones it becomes. */
SECMMU_TEST_F(combined, F3_key_of_a_large_entry)
{
	EXPECT_GPA(label(5, 1), self->engine, TAGGED(5));
	EXPECT_COUNTER(1, large);
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_ACCESS(self->key)));
	EXPECT_GPA_ERROR(EACCES, self->engine, TAGGED(5));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(500));
	EXPECT_GPA(label(BLOCK, 1), self->engine, TAGGED(BLOCK));
	ASSERT_EQ(0, madvise(self->mem + 9 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_GPA_ERROR(EACCES, self->engine, TAGGED(5));
	EXPECT_GPA_ERROR(EACCES, self->engine, GPA(9));
	ASSERT_EQ(0, rights_set(self->engine, 0));
	EXPECT_GPA(label(5, 1), self->engine, TAGGED(5));
}

/* A transfer over the border of a domain and a key ends there. */
SECMMU_TEST_F(combined, transfer_over_a_border)
{
	static char buf[4 * 4096];

	EXPECT_EQ(4 * PAGE, gpa_read(self->engine, buf, 4 * PAGE, TAGGED(BLOCK - 2)));
	ASSERT_EQ(0, domain_enter(self->engine, 1));
	EXPECT_EQ(2 * PAGE, gpa_read(self->engine, buf, 4 * PAGE, TAGGED(BLOCK - 2)));
	EXPECT_EQ(label(BLOCK - 1, 1), *(__u64 *)(buf + PAGE));
	EXPECT_GPA_ERROR(EACCES, self->engine, TAGGED(BLOCK));
}

/*
 * With a log there are small entries only. Prefault makes them for one domain, and does
 * not look at the rights of engines; a prefaulted page is not yet written.
 */
SECMMU_TEST_F(combined, C2_log_and_prefault)
{
	struct secmmu_prefault arg = { .size = sizeof(arg), .domain = 1,
				       .flags = SECMMU_PREFAULT_WRITE,
				       .gpa = GPA(0), .length = 64 * PAGE };
	struct secmmu_stats a;

	ASSERT_EQ(0, secmmu_set_slot_in(self->mirror, 0, SECMMU_SLOT_LOG_DIRTY, self->key,
					IN(1), GPA(0), self->mem, HUGE_SIZE));
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(self->key)));
	while (arg.length)
		ASSERT_EQ(0, secmmu_call(self->mirror, SECMMU_PREFAULT, &arg, sizeof(arg)));
	EXPECT_DIRTY(0, self->mirror, 0, 0, 64);
	ASSERT_EQ(0, domain_enter(self->engine, 1));
	GET_STATS(a);
	EXPECT_EQ(-EACCES, gpa_put(self->engine, TAGGED(3), 0));
	EXPECT_GPA(label(3, 1), self->engine, TAGGED(3));
	ASSERT_EQ(0, rights_set(self->engine, 0));
	EXPECT_PUT(self->engine, TAGGED(3), label(3, 2));
	EXPECT_SINCE(0, a, faults);
	EXPECT_COUNTER(0, large);
	EXPECT_DIRTY(1U << 3, self->mirror, 0, 0, 64);
	/* Domain 0 has none of it yet. */
	ASSERT_EQ(0, domain_enter(self->engine, 0));
	EXPECT_PUT(self->engine, GPA(4), label(4, 2));
	EXPECT_SINCE(1, a, faults);
	EXPECT_DIRTY(1U << 4, self->mirror, 0, 0, 64);
}

TEST_HARNESS_MAIN
