// SPDX-License-Identifier: GPL-2.0
/* Slots: what a guest physical address means, before and after a change. */
#include "secmmu_harness.h"

#define PAGES	16

/* Not zero, so that a gpa taken for an offset into the slot is noticed. */
#define BASE	0x40000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define GPA_END	(1ULL << SECMMU_GPA_BITS)

REGION_FIXTURE(slots, PAGES)

FIXTURE_SETUP(slots)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	REGION_SETUP(PAGES);
}

/* Slot @slot: @pages pages of memory from @page on, at @gpa. */
#define set_slot(slot, flags, gpa, page, pages)				\
	secmmu_set_slot(self->mirror, slot, flags, gpa,			\
			self->mem + (page) * PAGE, (pages) * PAGE)

SECMMU_TEST_F(slots, add_and_edges)
{
	__u64 word = 0;

	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(0));
	EXPECT_EQ(-ENXIO, gpa_put(self->engine, GPA(0), word));

	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 1, 2));
	EXPECT_GPA(label(1, 1), self->engine, GPA(0));
	EXPECT_GPA(label(2, 1), self->engine, GPA(1));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(2));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(-1));
	EXPECT_GPA_ERROR(ENXIO, self->engine, 0);

	/* The last byte inside, and the first ones outside. */
	EXPECT_EQ(1, gpa_read(self->engine, &word, 1, GPA(2) - 1));
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, &word, 1, GPA(2)));
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, &word, 1, GPA(0) - 1));
}

SECMMU_TEST_F(slots, delete)
{
	struct secmmu_set_slot junk = {
		.size = sizeof(junk),
		.slot = 3,
		.flags = UINT32_MAX,
		.key = UINT16_MAX,
		.domains = UINT16_MAX,
		.gpa = POISON,
		.hva = POISON,
	};

	EXPECT_EQ(-ENXIO, secmmu_delete_slot(self->mirror, 3));
	ASSERT_EQ(0, set_slot(3, 0, GPA(0), 0, 1));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_EQ(-ENXIO, secmmu_delete_slot(self->mirror, 4));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));

	/* Nothing but the number matters to a deletion. */
	EXPECT_EQ(0, secmmu_call(self->mirror, SECMMU_SET_SLOT, &junk, sizeof(junk)));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(0));
	EXPECT_EQ(-ENXIO, gpa_put(self->engine, GPA(0), 0));
	EXPECT_EQ(-ENXIO, secmmu_delete_slot(self->mirror, 3));

	/* The id and the range are free again. */
	EXPECT_EQ(0, set_slot(4, 0, GPA(0), 5, 1));
	EXPECT_EQ(0, set_slot(3, 0, GPA(1), 6, 1));
	EXPECT_GPA(label(5, 1), self->engine, GPA(0));
	EXPECT_GPA(label(6, 1), self->engine, GPA(1));
}

/* The engine has used, and may remember, the translation that goes. */
SECMMU_TEST_F(slots, A11_replace)
{
	int other = NEW_ENGINE(self->mirror);
	long i;

	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 0, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		EXPECT_GPA(label(i, 1), other, GPA(i));
	}
	EXPECT_PUT(self->engine, GPA(3), label(3, 2));

	/* Other memory at the same place. */
	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 8, 4));
	for (i = 0; i < 4; i++) {
		EXPECT_GPA(label(8 + i, 1), self->engine, GPA(i));
		EXPECT_GPA(label(8 + i, 1), other, GPA(i));
	}
	EXPECT_PUT(self->engine, GPA(3), label(11, 2));
	EXPECT_EQ(label(3, 2), *word_at(self->mem, 3));
	EXPECT_EQ(label(11, 2), *word_at(self->mem, 11));

	/* The same memory at a place that overlaps its former one. */
	ASSERT_EQ(0, set_slot(0, 0, GPA(2), 8, 4));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(0));
	EXPECT_GPA_ERROR(ENXIO, other, GPA(1));
	EXPECT_GPA(label(8, 1), self->engine, GPA(2));
	EXPECT_GPA(label(9, 1), other, GPA(3));
	EXPECT_GPA(label(11, 2), other, GPA(5));

	/* Shorter. */
	ASSERT_EQ(0, set_slot(0, 0, GPA(2), 8, 1));
	EXPECT_GPA(label(8, 1), other, GPA(2));
	EXPECT_GPA_ERROR(ENXIO, other, GPA(3));
	close(other);
}

SECMMU_TEST_F(slots, overlap_changes_nothing)
{
	/* First page and pages of a range, around one of pages 4 to 7. */
	const struct {
		long page, pages;
	} bad[] = {
		{ 4, 4 }, { 4, 1 }, { 7, 1 }, { 5, 2 },
		{ 3, 2 }, { 7, 2 }, { 2, 8 }, { 0, 16 },
	};
	size_t i;

	ASSERT_EQ(0, set_slot(7, 0, GPA(4), 4, 4));
	ASSERT_EQ(0, set_slot(1, 0, GPA(20), 9, 1));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EBUSY, set_slot(2, 0, GPA(bad[i].page), 0, bad[i].pages));
		EXPECT_EQ(-ENXIO, secmmu_delete_slot(self->mirror, 2));
		/* A slot that exists stays what it was. */
		EXPECT_EQ(-EBUSY, set_slot(1, 0, GPA(bad[i].page), 0, bad[i].pages));
		EXPECT_GPA(label(9, 1), self->engine, GPA(20));
		EXPECT_GPA(label(4, 1), self->engine, GPA(4));
		EXPECT_GPA(label(7, 1), self->engine, GPA(7));
		EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(3));
		EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(8));
	}
	/* Touching is not overlapping. */
	EXPECT_EQ(0, set_slot(2, 0, GPA(3), 3, 1));
	EXPECT_EQ(0, set_slot(3, 0, GPA(8), 8, 1));
}

SECMMU_TEST_F(slots, arguments_refused)
{
	const __u64 hva = (uintptr_t)self->mem;
	const __u64 page = PAGE;
	const struct {
		__u64 gpa, hva, length;
	} bad[] = {
		/* alignment */
		{ BASE + 1, hva, page },
		{ BASE + page / 2, hva, page },
		{ BASE, hva + 1, page },
		{ BASE, hva + page / 2, page },
		{ BASE, hva, 1 },
		{ BASE, hva, page - 1 },
		{ BASE, hva, page + 1 },
		/* beyond the guest address space, and around its end */
		{ GPA_END, hva, page },
		{ GPA_END - page, hva, 2 * page },
		{ 1ULL << 63, hva, page },
		{ -page, hva, page },
		{ -page, hva, 2 * page },
		{ page, hva, -page },
		{ BASE, hva, 1ULL << 63 },
		{ 0, 0, GPA_END + page },
		/* beyond user space, and around the end of addresses */
		{ BASE, 1ULL << 63, page },
		{ BASE, -page, page },
		{ BASE, -page, 2 * page },
		{ BASE, -2 * page, page },
		{ BASE, (1ULL << 63) - page, 2 * page },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct secmmu_set_slot arg = {
			.size = sizeof(arg),
			.slot = 5,
			.gpa = bad[i].gpa,
			.hva = bad[i].hva,
			.length = bad[i].length,
		};

		EXPECT_EQ(-EINVAL, secmmu_call(self->mirror, SECMMU_SET_SLOT,
					       &arg, sizeof(arg)))
			TH_LOG("case %zu", i);
		EXPECT_EQ(-ENXIO, secmmu_delete_slot(self->mirror, 5))
			TH_LOG("case %zu", i);
	}

	EXPECT_EQ(-EINVAL, set_slot(SECMMU_MAX_SLOTS, 0, BASE, 0, 1));
	EXPECT_EQ(-EINVAL, set_slot(UINT32_MAX, 0, BASE, 0, 1));
	EXPECT_EQ(-EINVAL, secmmu_delete_slot(self->mirror, SECMMU_MAX_SLOTS));
	EXPECT_GPA_ERROR(ENXIO, self->engine, BASE);
}

SECMMU_TEST_F(slots, last_slot_and_last_address)
{
	char buf[16];

	EXPECT_EQ(0, set_slot(SECMMU_MAX_SLOTS - 1, 0, 0, 0, 1));
	EXPECT_GPA(label(0, 1), self->engine, 0);
	EXPECT_EQ(0, set_slot(0, 0, GPA_END - PAGE, 1, 1));
	EXPECT_GPA(label(1, 1), self->engine, GPA_END - PAGE);

	/* A transfer ends with the address space. */
	EXPECT_EQ(8, gpa_read(self->engine, buf, sizeof(buf), GPA_END - 8));
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, buf, 1, GPA_END));
	EXPECT_EQ(-ENXIO, gpa_write(self->engine, buf, 1, GPA_END));
}

SECMMU_TEST_F(slots, readonly)
{
	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 0, 2));
	/* The engine may have remembered that it can write. */
	EXPECT_PUT(self->engine, GPA(0), label(0, 2));

	ASSERT_EQ(0, set_slot(0, SECMMU_SLOT_READONLY, GPA(0), 0, 2));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(0), label(0, 3)));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(1), label(1, 3)));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, 0));
	EXPECT_GPA(label(0, 2), self->engine, GPA(0));
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(1), label(1, 3)));

	/* The processor writes as ever. */
	*word_at(self->mem, 1) = label(1, 4);
	EXPECT_GPA(label(1, 4), self->engine, GPA(1));

	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 0, 2));
	EXPECT_PUT(self->engine, GPA(0), label(0, 5));
	EXPECT_EQ(label(0, 5), *word_at(self->mem, 0));
}

SECMMU_TEST_F(slots, aliases_agree)
{
	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 0, 4));
	ASSERT_EQ(0, set_slot(1, 0, GPA(100), 2, 4));
	ASSERT_EQ(0, set_slot(2, SECMMU_SLOT_READONLY, GPA(200), 2, 1));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_GPA(label(2, 1), self->engine, GPA(100));
	EXPECT_PUT(self->engine, GPA(100), label(2, 2));
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
	EXPECT_GPA(label(2, 2), self->engine, GPA(200));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(200), 0));

	/* An event reaches every alias. */
	ASSERT_EQ(0, region_replace(self->mem, 2, 1, PROT_READ | PROT_WRITE));
	EXPECT_GPA(0, self->engine, GPA(2));
	EXPECT_GPA(0, self->engine, GPA(100));
	EXPECT_GPA(0, self->engine, GPA(200));

	ASSERT_EQ(0, secmmu_delete_slot(self->mirror, 0));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(2));
	EXPECT_GPA(0, self->engine, GPA(100));
}

SECMMU_TEST_F(slots, hole_in_host_range)
{
	ASSERT_EQ(0, region_replace(self->mem, 1, 1, PROT_NONE));
	/* The guard page after the region belongs to the slot, too. */
	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 0, PAGES + 1));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(1));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(1), 0));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(PAGES));

	/* Memory that appears is seen. */
	ASSERT_EQ(0, region_replace(self->mem, 1, 1, PROT_READ | PROT_WRITE));
	EXPECT_GPA(0, self->engine, GPA(1));
	*word_at(self->mem, 1) = label(1, 2);
	EXPECT_GPA(label(1, 2), self->engine, GPA(1));
}

SECMMU_TEST_F(slots, transfer_across_slots)
{
	long len = 4 * PAGE;
	char *buf = ASSERT_MEMORY(region_map(4));

	ASSERT_EQ(0, set_slot(0, 0, GPA(0), 8, 2));
	ASSERT_EQ(0, set_slot(1, 0, GPA(2), 0, 2));
	EXPECT_EQ(len, gpa_read(self->engine, buf, len, GPA(0)));
	EXPECT_EQ(label(8, 1), *word_at(buf, 0));
	EXPECT_EQ(label(9, 1), *word_at(buf, 1));
	EXPECT_EQ(label(0, 1), *word_at(buf, 2));
	EXPECT_EQ(label(1, 1), *word_at(buf, 3));

	pages_label(buf, 0, 4, 7);
	EXPECT_EQ(len, gpa_write(self->engine, buf, len, GPA(0)));
	EXPECT_EQ(label(0, 7), *word_at(self->mem, 8));
	EXPECT_EQ(label(2, 7), *word_at(self->mem, 0));
	EXPECT_EQ(label(3, 7), *word_at(self->mem, 1));
	EXPECT_EQ(label(2, 1), *word_at(self->mem, 2));

	/* From a slot into nothing: what is there, then the error. */
	EXPECT_EQ(PAGE, gpa_read(self->engine, buf, len, GPA(3)));
	EXPECT_EQ(-ENXIO, gpa_read(self->engine, buf, len, GPA(4)));
	EXPECT_EQ(PAGE, gpa_write(self->engine, buf, len, GPA(3)));
	EXPECT_EQ(-ENXIO, gpa_write(self->engine, buf, len, GPA(4)));

	/* From writable to read-only. */
	ASSERT_EQ(0, set_slot(1, SECMMU_SLOT_READONLY, GPA(2), 0, 2));
	EXPECT_EQ(2 * PAGE, gpa_write(self->engine, buf, len, GPA(0)));
	EXPECT_EQ(-EACCES, gpa_write(self->engine, buf, PAGE, GPA(2)));
	region_unmap(buf, 4);
}

/* One slot for everything a process can have, holes included. */
SECMMU_TEST_F(slots, whole_user_range)
{
	/* Where user space may end, the farthest place first. */
#if defined(__x86_64__)
	const __u64 ends[] = { (1ULL << 47) - PAGE };
#elif defined(__aarch64__)
	const __u64 ends[] = { 1ULL << 52, 1ULL << 48 };
#else
	const __u64 ends[] = { 0 };
#endif
	const size_t nr = ARRAY_SIZE(ends);
	__u64 local = POISON, user_end;
	size_t i = 0;
	int ret;

	if (!ends[0])
		SKIP(return, "the end of user space is not known here");
	do {
		user_end = ends[i];
		ret = secmmu_set_slot(self->mirror, 0, 0, 0, NULL, user_end);
	} while (ret == -EINVAL && ++i < nr);
	ASSERT_EQ(0, ret);
	EXPECT_GPA(label(5, 1), self->engine, (uintptr_t)self->mem + 5 * PAGE);
	EXPECT_PUT(self->engine, (uintptr_t)&local, 42);
	EXPECT_EQ(42, *(volatile __u64 *)&local);
	EXPECT_GPA_ERROR(EFAULT, self->engine, 0);
	EXPECT_GPA_ERROR(ENXIO, self->engine, user_end);
}

#define MANY	1000

SECMMU_TEST_F_TIMEOUT(slots, neighbours_far_apart, SECMMU_TIMEOUT_LONG)
{
	char *mem = ASSERT_MEMORY(region_map(MANY));
	long i;

	/* Neighbours in host memory are far apart, and in another order. */
	for (i = 0; i < MANY; i++) {
		*word_at(mem, i) = label(i, 3);
		ASSERT_EQ(0, secmmu_set_slot(self->mirror, i, 0, GPA(3 * (i * 7 % MANY)),
					     mem + i * PAGE, PAGE));
	}
	for (i = 0; i < MANY; i++) {
		EXPECT_GPA(label(i, 3), self->engine, GPA(3 * (i * 7 % MANY)));
		EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(3 * i + 1));
	}
	for (i = 0; i < MANY; i += 2) {
		ASSERT_EQ(0, secmmu_delete_slot(self->mirror, i));
	}
	for (i = 0; i < MANY; i++) {
		if (i & 1)
			EXPECT_GPA(label(i, 3), self->engine, GPA(3 * (i * 7 % MANY)));
		else
			EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(3 * (i * 7 % MANY)));
	}
	region_unmap(mem, MANY);
}

TEST_HARNESS_MAIN
