// SPDX-License-Identifier: GPL-2.0
/*
 * Both ends of the address space, with every width of tags: a transfer ends where the
 * addresses end, and no sum of an address, an offset and a length starts anew.
 */
#include <sys/uio.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

/* Slot 0 has the first pages of the address space, slot 1 the last. */
#define PAGES		2L
#define END		(1ULL << SECMMU_GPA_BITS)
#define TOP(page)	(END - (PAGES - (page)) * PAGE)
#define LARGEST		((__u64)INT64_MAX)

FIXTURE(bounds)
{
	int dev, mirror, engine;
	int background;
	char *mem;	/* all pages: low ones, then high ones */
	char *buf;	/* as many, and one more */
};

FIXTURE_VARIANT(bounds)
{
	__u32 bits;
};

FIXTURE_VARIANT_ADD(bounds, untagged) { .bits = 0 };
FIXTURE_VARIANT_ADD(bounds, six) { .bits = 6 };
FIXTURE_VARIANT_ADD(bounds, fifteen) { .bits = 15 };

FIXTURE_SETUP(bounds)
{
	SECMMU_OPEN_OR_SKIP();
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, variant->bits));
	self->background =
		NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	self->mem = ASSERT_MEMORY(region_map(2 * PAGES));
	self->buf = ASSERT_MEMORY(region_map(2 * PAGES + 1));
	memset(self->mem, 'L', PAGES * PAGE);
	memset(self->mem + PAGES * PAGE, 'H', PAGES * PAGE);
	SET_SLOT(0, 0, 0, 0, PAGES);
	SET_SLOT(1, 0, TOP(0), PAGES, PAGES);
}

FIXTURE_TEARDOWN(bounds)
{
	region_unmap(self->mem, 2 * PAGES);
	region_unmap(self->buf, 2 * PAGES + 1);
	close(self->background);
	SECMMU_TEARDOWN();
}

/* Engines that a process uses freeze the mode, so not every test has one. */
#define FRONT_ENGINE()							\
do {									\
	self->engine = secmmu_create_engine(self->mirror);		\
	ASSERT_LE(0, self->engine);					\
} while (0)

/*
 * Tags to try: none, the lowest and the highest bit, and the largest tag but one. With
 * the largest itself the end of the address space is that of offsets.
 */
static __u64 tag_of(unsigned int i, unsigned int bits)
{
	const __u64 tags[] = { 0, 1, 1ULL << bits >> 1, (1ULL << bits) - 2 };

	return tags[i];
}

#define for_each_tag(i, bits)	for (i = 0; i < ((bits) ? 4 : 1); i++)

static bool all_are(const char *mem, size_t len, char c)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (mem[i] != c)
			return false;
	return true;
}

/* Reads over the end from @back bytes before it. */
static int read_over(int engine, char *buf, __u64 gpa, long back)
{
	struct iovec iov[3] = {
		{ .iov_base = buf, .iov_len = back / 2 },
		{ .iov_base = buf + back / 2, .iov_len = back },
		{ .iov_base = buf + 2 * back, .iov_len = 8 },
	};

	memset(buf, 'x', (2 * PAGES + 1) * PAGE);
	CHECK(gpa_read(engine, buf, 2 * back, gpa) == back);
	CHECK(all_are(buf, back, 'H'));
	CHECK(buf[back] == 'x');
	memset(buf, 'x', (2 * PAGES + 1) * PAGE);
	CHECK(preadv(engine, iov, 3, gpa) == back);
	CHECK(all_are(buf, back, 'H'));
	CHECK(all_are(buf + back, back + 8, 'x'));
	return 0;
}

static int write_over(FIXTURE_DATA(bounds) *self, __u64 gpa, long back)
{
	struct iovec iov[2] = {
		{ .iov_base = self->buf, .iov_len = back - 1 },
		{ .iov_base = self->buf, .iov_len = back + 1 },
	};
	char *top = self->mem + 2 * PAGES * PAGE;

	memset(self->buf, 'W', (2 * PAGES + 1) * PAGE);
	CHECK(gpa_write(self->engine, self->buf, 2 * back, gpa) == back);
	CHECK(all_are(top - back, back, 'W'));
	CHECK(all_are(self->mem, PAGES * PAGE, 'L'));
	memset(top - back, 'H', back);
	CHECK(pwritev(self->engine, iov, 2, gpa) == back);
	CHECK(all_are(top - back, back, 'W'));
	CHECK(all_are(self->mem, PAGES * PAGE, 'L'));
	memset(self->mem + PAGES * PAGE, 'H', PAGES * PAGE);
	return 0;
}

SECMMU_TEST_F(bounds, D6_end_of_a_transfer)
{
	const long backs[] = { 8, 100, PAGE, PAGE + 1, PAGES * PAGE };
	unsigned int i;
	size_t j;
	__u64 gpa;

	FRONT_ENGINE();
	for_each_tag(i, variant->bits) {
		for (j = 0; j < ARRAY_SIZE(backs); j++) {
			gpa = tagged(END - backs[j], tag_of(i, variant->bits), variant->bits);
			ASSERT_EQ(0, read_over(self->engine, self->buf, gpa, backs[j]));
			ASSERT_EQ(0, write_over(self, gpa, backs[j]));
		}
	}
	/* Behind the end there is nothing, unless that is a tag. */
	gpa = END;
	if (variant->bits < 15) {
		EXPECT_GPA_ERROR(ENXIO, self->engine, gpa);
	} else {
		EXPECT_EQ(PAGE, gpa_read(self->engine, self->buf, PAGE, gpa));
		EXPECT_TRUE(all_are(self->buf, PAGE, 'L'));
	}
}

/* read(2) and write(2) go on behind a short one, and come to nowhere. */
SECMMU_TEST_F(bounds, D6_end_of_the_position)
{
	const int error = variant->bits < 15 ? ENXIO : EINVAL;
	unsigned int i;
	__u64 gpa;

	FRONT_ENGINE();
	for_each_tag(i, variant->bits) {
		gpa = tagged(TOP(1), tag_of(i, variant->bits), variant->bits);
		ASSERT_EQ((off_t)gpa, lseek(self->engine, gpa, SEEK_SET));
		memset(self->buf, 'x', 2 * PAGE);
		ASSERT_EQ(PAGE, read(self->engine, self->buf, 2 * PAGE));
		EXPECT_TRUE(all_are(self->buf, PAGE, 'H'));
		EXPECT_EQ(-1, read(self->engine, self->buf, PAGE));
		EXPECT_EQ(error, errno);

		/* Also if the first one ends just there. */
		ASSERT_EQ((off_t)gpa, lseek(self->engine, gpa, SEEK_SET));
		memset(self->buf, 'W', 2 * PAGE);
		ASSERT_EQ(PAGE, write(self->engine, self->buf, PAGE));
		EXPECT_EQ(-1, write(self->engine, self->buf, PAGE));
		EXPECT_EQ(error, errno);
		EXPECT_TRUE(all_are(self->mem, PAGES * PAGE, 'L'));
		EXPECT_TRUE(all_are(self->mem + 3 * PAGE, PAGE, 'W'));
		memset(self->mem + 3 * PAGE, 'H', PAGE);
	}
	/* Elsewhere it goes on as it should. */
	gpa = tagged(TOP(0), 1, variant->bits);
	ASSERT_EQ((off_t)gpa, lseek(self->engine, gpa, SEEK_SET));
	ASSERT_EQ(PAGE, read(self->engine, self->buf, PAGE));
	EXPECT_EQ((off_t)(gpa + PAGE), lseek(self->engine, 0, SEEK_CUR));
	/* The end is that of addresses. */
	EXPECT_EQ((off_t)TOP(1), lseek(self->engine, -PAGE, SEEK_END));
	EXPECT_EQ(PAGE, read(self->engine, self->buf, 2 * PAGE));
}

SECMMU_TEST_F(bounds, D6_start)
{
	unsigned int i;
	__u64 gpa;

	FRONT_ENGINE();
	for_each_tag(i, variant->bits) {
		gpa = tagged(0, tag_of(i, variant->bits), variant->bits);
		ASSERT_EQ(PAGES * PAGE, gpa_read(self->engine, self->buf,
						 (PAGES + 1) * PAGE, gpa));
		EXPECT_TRUE(all_are(self->buf, PAGES * PAGE, 'L'));
		EXPECT_GPA_ERROR(ENXIO, self->engine, gpa + PAGES * PAGE);
	}
	EXPECT_GPA_ERROR(EINVAL, self->engine, -8ULL);
	EXPECT_EQ(-EINVAL, gpa_put(self->engine, -8ULL, 1));
	EXPECT_EQ(0, lseek(self->engine, 0, SEEK_SET));
	EXPECT_EQ(-1, lseek(self->engine, -1, SEEK_CUR));
	EXPECT_EQ(EINVAL, errno);
}

/* The kernel refuses what would pass the largest offset; it does not cut it. */
SECMMU_TEST_F(bounds, D6_largest_offset)
{
	ssize_t ret;

	FRONT_ENGINE();
	EXPECT_EQ(-EINVAL, gpa_read(self->engine, self->buf, 8, LARGEST - 7));
	EXPECT_EQ(-EINVAL, gpa_write(self->engine, self->buf, 8, LARGEST - 7));
	EXPECT_EQ(-EINVAL, gpa_read(self->engine, self->buf, 2 * PAGE, LARGEST + 1 - PAGE));
	EXPECT_EQ(-EINVAL, gpa_read(self->engine, self->buf, 1, LARGEST));
	ret = gpa_read(self->engine, self->buf, 7, LARGEST - 7);
	EXPECT_EQ(variant->bits < 15 ? -ENXIO : 7, ret);
	ret = gpa_write(self->engine, self->buf, 7, LARGEST - 7);
	EXPECT_EQ(variant->bits < 15 ? -ENXIO : 7, ret);

	EXPECT_EQ(-EINVAL, job_start(self->background, 0, LARGEST - 7, 8, NULL));
	EXPECT_EQ(-EINVAL, job_start(self->background, 0, 8, LARGEST - 7, NULL));
	EXPECT_EQ(-EINVAL, job_start(self->background, 0, LARGEST + 1, 8, NULL));
	EXPECT_EQ(-EINVAL, job_start(self->background, 0, -8ULL, 16, NULL));
	EXPECT_EQ(-EINVAL, job_start(self->background, 0, 8, -8ULL, NULL));
	EXPECT_EQ(0, job_start(self->background, 0, LARGEST - 7, 7, self->buf));
}

#define EXPECT_JOB(bytes, err, ...)					\
do {									\
	int _error;							\
									\
	ASSERT_EQ(0, job_start(self->background, ##__VA_ARGS__));	\
	EXPECT_EQ(bytes, job_wait(self->background, &_error));		\
	EXPECT_EQ(err, _error);						\
} while (0)

SECMMU_TEST_F(bounds, D6_end_of_a_job)
{
	unsigned int i;
	__u64 gpa;

	for_each_tag(i, variant->bits) {
		gpa = tagged(TOP(0), tag_of(i, variant->bits), variant->bits);
		memset(self->buf, 'x', 2 * PAGES * PAGE);
		EXPECT_JOB(PAGES * PAGE, ENXIO, 0, gpa, 2 * PAGES * PAGE, self->buf);
		EXPECT_TRUE(all_are(self->buf, PAGES * PAGE, 'H'));
		EXPECT_TRUE(all_are(self->buf + PAGES * PAGE, PAGES * PAGE, 'x'));
		memset(self->buf, 'W', 2 * PAGES * PAGE);
		EXPECT_JOB(PAGE + 8, ENXIO, SECMMU_JOB_WRITE, gpa + PAGE - 8,
			   2 * PAGES * PAGE, self->buf);
		EXPECT_TRUE(all_are(self->mem, PAGES * PAGE, 'L'));
		EXPECT_TRUE(all_are(self->mem + 3 * PAGE, PAGE, 'W'));
		memset(self->mem + PAGES * PAGE, 'H', PAGES * PAGE);
		EXPECT_JOB(PAGES * PAGE, ENXIO, 0, gpa, 2 * PAGES * PAGE, NULL);
		EXPECT_JOB(PAGES * PAGE, ENXIO, SECMMU_JOB_WRITE, gpa, 2 * PAGES * PAGE, NULL);
		/* The last bytes alone; the first ones, and what follows them. */
		EXPECT_JOB(8, 0, 0, gpa + PAGES * PAGE - 8, 8, self->buf);
		gpa = tagged(0, tag_of(i, variant->bits), variant->bits);
		EXPECT_JOB(PAGES * PAGE, ENXIO, 0, gpa, 2 * PAGES * PAGE, self->buf);
		EXPECT_TRUE(all_are(self->buf, PAGES * PAGE, 'L'));
	}
	/* Nothing of the caller's memory starts anew either. */
	EXPECT_JOB(0, EFAULT, 0, 0, 2 * PAGE, (void *)-PAGE);
	EXPECT_JOB(0, EFAULT, SECMMU_JOB_WRITE, 0, 2 * PAGE, (void *)-PAGE);
}

/* The mode changes between two pieces: the second one obeys the new mode. */
SECMMU_TEST_F(bounds, D6_mode_changes_on_the_way)
{
	/* A job without a tag has none to lose. */
	const long pages = variant->bits ? 1 : PAGES;
	int error, uffd = uffd_open(0);
	char *data;

	if (uffd < 0)
		SKIP(return, "no userfaultfd");
	data = ASSERT_MEMORY(region_map(PAGES));
	ASSERT_EQ(0, uffd_register(uffd, data, 1, UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, job_start(self->background, 0, tagged(TOP(0), 1, variant->bits),
			       PAGES * PAGE, data));
	ASSERT_EQ(data, uffd_wait(uffd, 20000));
	ASSERT_EQ(0, tag_bits_set(self->mirror, variant->bits ? 0 : 15));
	ASSERT_EQ(0, uffd_fill(uffd, data, self->buf));
	EXPECT_EQ(pages * PAGE, job_wait(self->background, &error));
	EXPECT_EQ(pages == PAGES ? 0 : ENXIO, error);
	EXPECT_TRUE(all_are(data, pages * PAGE, 'H'));
	EXPECT_TRUE(all_are(data + pages * PAGE, (PAGES - pages) * PAGE, 0));
	close(uffd);
	region_unmap(data, PAGES);
}

/* What a slot, a prefault and a log are asked for ends where addresses end. */
SECMMU_TEST_F(bounds, D6_calls)
{
	const struct {
		__u64 gpa, length;
	} bad[] = {
		{ END - PAGE, 2 * PAGE }, { END, PAGE }, { -PAGE, PAGE },
		{ -PAGE, 2 * PAGE }, { -2 * PAGE, 3 * PAGE }, { PAGE, END },
		{ PAGE, -PAGE }, { 2 * PAGE, -PAGE }, { 1ULL << 63, 1ULL << 63 },
	};
	struct secmmu_prefault range;
	__u64 log = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, secmmu_set_slot(self->mirror, 2, 0, bad[i].gpa,
						   self->mem, bad[i].length));
		EXPECT_EQ(-EINVAL, secmmu_prefault(self->mirror, 0, bad[i].gpa,
						   bad[i].length, &range));
	}
	EXPECT_EQ(-EINVAL, secmmu_set_slot(self->mirror, 2, 0, END / 2, self->mem, -PAGE));
	EXPECT_EQ(-EINVAL, secmmu_set_slot(self->mirror, 2, 0, END / 2, (void *)-PAGE,
					   2 * PAGE));
	EXPECT_EQ(0, secmmu_prefault(self->mirror, 0, TOP(1), PAGE, &range));
	EXPECT_EQ(0, range.length);
	EXPECT_EQ(END, range.gpa);

	SET_SLOT(1, SECMMU_SLOT_LOG_DIRTY, TOP(0), PAGES, PAGES);
	EXPECT_EQ(-EINVAL, secmmu_dirty_log(self->mirror, 1, -64ULL, 64, &log));
	EXPECT_EQ(-EINVAL, secmmu_dirty_log(self->mirror, 1, -64ULL, 64 + PAGES, &log));
	EXPECT_EQ(-EINVAL, secmmu_dirty_log(self->mirror, 1, 0, -64ULL, &log));
	EXPECT_EQ(-EINVAL, secmmu_dirty_log(self->mirror, 1, 64, -64ULL, &log));
	memset(self->buf, 'W', PAGE);
	EXPECT_JOB(8, ENXIO, SECMMU_JOB_WRITE, END - 8, PAGE, self->buf);
	EXPECT_DIRTY(1ULL << (PAGES - 1), self->mirror, 1, 0, PAGES);
}

TEST_HARNESS_MAIN
