// SPDX-License-Identifier: GPL-2.0
/*
 * Address tags: what engines ignore in an address, and when that may change; engines
 * that work on one mirror after the other.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "secmmu_harness.h"

#define PAGES	4L
#define BASE	0x7fff00000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

FIXTURE(tags)
{
	int dev, mirror, engine;
	int untagged;	/* engine of a mirror of its own, to attach elsewhere */
	char *mem;
};

FIXTURE_SETUP(tags)
{
	SECMMU_OPEN_OR_SKIP();
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 0));
	REGION_SETUP(PAGES);
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(tags)
{
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

static void make_engine(TEST_ARGS(tags))
{
	self->engine = NEW_ENGINE(self->mirror);
}

/* With this many bits, addresses with any tag are the same as without. */
static void expect_ignored(TEST_ARGS(tags), unsigned int bits)
{
	__u64 tag;

	for (tag = 0; tag < 1ULL << bits; tag = tag ? tag << 1 : 1) {
		EXPECT_GPA(label(1, 1), self->engine, tagged(GPA(1), tag, bits));
		EXPECT_GPA(label(1, 1), self->engine, tagged(GPA(1), ~tag, bits));
	}
	EXPECT_PUT(self->engine, tagged(GPA(2), 5, bits), label(2, 2));
	EXPECT_EQ(label(2, 2), *word_at(self->mem, 2));
	EXPECT_GPA(label(2, 2), self->engine, GPA(2));
}

SECMMU_TEST_F(tags, every_bit_counts_without_a_mode)
{
	int bit;

	make_engine(_metadata, self);
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	for (bit = SECMMU_GPA_BITS; bit < 63; bit++)
		EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(0) | 1ULL << bit);
}

/* One bit too many is an error, never another page. */
SECMMU_TEST_F(tags, six_bits)
{
	int bit;

	ASSERT_EQ(0, tag_bits_set(self->mirror, 6));
	make_engine(_metadata, self);
	expect_ignored(_metadata, self, 6);
	for (bit = SECMMU_GPA_BITS; bit < 57; bit++)
		EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(0) | 1ULL << bit);
}

SECMMU_TEST_F(tags, fifteen_bits)
{
	ASSERT_EQ(0, tag_bits_set(self->mirror, 15));
	make_engine(_metadata, self);
	expect_ignored(_metadata, self, 15);
	/* What lies behind the tag is an address like any other. */
	EXPECT_GPA_ERROR(ENXIO, self->engine, tagged(GPA(PAGES), 3, 15));
}

/* Several pages at once, and up to the end of what a tag can say. */
SECMMU_TEST_F(tags, transfer_to_the_end_of_the_tag)
{
	char buf[2 * 4096];

	ASSERT_EQ(0, tag_bits_set(self->mirror, 15));
	make_engine(_metadata, self);
	ASSERT_EQ((ssize_t)sizeof(buf), gpa_read(self->engine, buf, sizeof(buf),
						 tagged(GPA(0), 0x7fff, 15)));
	EXPECT_EQ(label(0, 1), *(__u64 *)buf);
	EXPECT_EQ(label(1, 1), *(__u64 *)(buf + PAGE));
}

SECMMU_TEST_F(tags, D1_values)
{
	__u32 bits;

	for (bits = 0; bits < 70; bits++)
		EXPECT_EQ(bits == 0 || bits == 6 || bits == 15 ? 0 : -EINVAL,
			  tag_bits_set(self->mirror, bits));
	EXPECT_EQ(-EINVAL, tag_bits_set(self->mirror, UINT32_MAX));
	EXPECT_EQ(-EINVAL, secmmu_create_mirror_tagged(self->dev, 7));
	/* A bad one changes nothing. */
	make_engine(_metadata, self);
	expect_ignored(_metadata, self, 15 - 15);
}

SECMMU_TEST_F(tags, D1_at_creation)
{
	int engine, mirror = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 6));

	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, BASE, self->mem, PAGES * PAGE));
	engine = NEW_ENGINE(mirror);
	EXPECT_GPA(label(3, 1), engine, tagged(GPA(3), 63, 6));
	close(engine);
	close(mirror);
}

/* The first engine freezes the mode; what works in the background does not. */
SECMMU_TEST_F(tags, D1_frozen)
{
	int background = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);

	EXPECT_EQ(0, tag_bits_set(self->mirror, 6));
	make_engine(_metadata, self);
	EXPECT_EQ(-EBUSY, tag_bits_set(self->mirror, 15));
	EXPECT_EQ(-EBUSY, tag_bits_set(self->mirror, 6));
	EXPECT_EQ(-EINVAL, tag_bits_set(self->mirror, 1));
	EXPECT_GPA(label(1, 1), self->engine, tagged(GPA(1), 9, 6));
	EXPECT_GPA_ERROR(ENXIO, self->engine, tagged(GPA(1), 1, 15));
	/* For good. */
	close(self->engine);
	EXPECT_EQ(-EBUSY, tag_bits_set(self->mirror, 0));
	self->engine = background;
}

/* So does an engine that comes from elsewhere. */
SECMMU_TEST_F(tags, D1_frozen_by_attach)
{
	int engine, other = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 0));

	engine = NEW_ENGINE(other);
	/* One that does not get in changes nothing. */
	EXPECT_EQ(-ENXIO, engine_attach(engine, self->mirror, 1));
	EXPECT_EQ(0, tag_bits_set(self->mirror, 6));
	ASSERT_EQ(0, engine_attach(engine, self->mirror, 0));
	EXPECT_EQ(-EBUSY, tag_bits_set(self->mirror, 15));
	EXPECT_GPA(label(0, 1), engine, tagged(GPA(0), 1, 6));
	close(engine);
	close(other);
}

struct setter {
	int mirror;
	__u32 bits;
	atomic_int *go;
	int failures;
};

static void *set_often(void *arg)
{
	struct setter *setter = arg;
	int i;

	atomic_fetch_add(setter->go, 1);
	while (atomic_load(setter->go) < 2)
		;
	for (i = 0; i < 1000; i++)
		setter->failures += tag_bits_set(setter->mirror, setter->bits) != 0;
	return NULL;
}

/* Two at a time: one of the two values is left, whole. */
SECMMU_TEST_F(tags, D1_two_setters)
{
	atomic_int go = 0;
	struct setter setter[2] = {
		{ .mirror = self->mirror, .bits = 6, .go = &go },
		{ .mirror = self->mirror, .bits = 15, .go = &go },
	};
	pthread_t thread[2];
	bool six, fifteen;
	__u64 word;
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, set_often, &setter[i]));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	EXPECT_EQ(0, setter[0].failures);
	EXPECT_EQ(0, setter[1].failures);
	make_engine(_metadata, self);
	six = !gpa_get(self->engine, tagged(GPA(0), 1, 6), &word);
	fifteen = !gpa_get(self->engine, tagged(GPA(0), 1, 15), &word);
	/* The wider mode ignores the narrower one's bits as well. */
	EXPECT_TRUE(six);
	EXPECT_EQ(fifteen, !gpa_get(self->engine, tagged(GPA(0), 0x3ff, 15), &word));
}

static int set_from_child(void *arg)
{
	FIXTURE_DATA(tags) *self = arg;

	CHECK(tag_bits_set(self->mirror, 6) == -EPERM);
	CHECK(domain_create(self->mirror, 1) == -EPERM);
	CHECK(key_alloc(self->mirror) == -EPERM);
	CHECK(key_free(self->mirror, 1) == -EPERM);
	CHECK(secmmu_create_engine(self->mirror) == -EPERM);
	CHECK(engine_attach(self->engine, self->mirror, 0) == -EPERM);
	return 0;
}

/* A forked child has the descriptors, but is not the creator. */
SECMMU_TEST_F(tags, D5_forked_child)
{
	make_engine(_metadata, self);
	EXPECT_EQ(0, child_wait(child_start(set_from_child, self)));
}

/* The child's own engine, of a mirror of its own, and the mirror of its parent. */
static int attach_own_engine(void *arg)
{
	FIXTURE_DATA(tags) *self = arg;
	int mirror = secmmu_create_mirror_tagged(self->dev, 0), engine;
	__u64 word;

	CHECK(mirror >= 0);
	engine = secmmu_create_engine(mirror);
	CHECK(engine >= 0);
	CHECK(!secmmu_set_slot(mirror, 0, 0, BASE, self->mem, PAGES * PAGE));
	*word_at(self->mem, 0) = label(0, 9);
	CHECK(engine_attach(engine, self->mirror, 0) == -EPERM);
	CHECK(engine_attach(engine, self->mirror, 1) == -EPERM);
	/* It is where it was, and so it is if it was nowhere. */
	CHECK(!gpa_get(engine, GPA(0), &word) && word == label(0, 9));
	CHECK(!domain_enter(engine, 0));
	CHECK(!engine_detach(engine));
	CHECK(engine_attach(engine, self->mirror, 0) == -EPERM);
	CHECK(gpa_get(engine, GPA(0), &word) == -ENXIO);
	CHECK(!engine_attach(engine, mirror, 0));
	CHECK(!gpa_get(engine, GPA(0), &word) && word == label(0, 9));
	/* The parent's engine is anybody's to use, not to take elsewhere and back. */
	CHECK(self->untagged < 0 || engine_attach(self->untagged, self->mirror, 0) == -EPERM);
	return 0;
}

SECMMU_TEST_F(tags, D5_own_engine_to_anothers_mirror)
{
	int other = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 0));

	self->untagged = NEW_ENGINE(other);
	EXPECT_EQ(0, child_wait(child_start(attach_own_engine, self)));
	/* Nothing has come of it: no engine has frozen the mode. */
	EXPECT_EQ(0, tag_bits_set(self->mirror, 6));
	EXPECT_EQ(0, tag_bits_set(self->mirror, 0));
	make_engine(_metadata, self);
	EXPECT_EQ(-EBUSY, tag_bits_set(self->mirror, 6));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	close(self->untagged);
	close(other);
}

SECMMU_TEST_F(tags, detach_and_attach_again)
{
	struct secmmu_attach arg = { .size = sizeof(arg), .mirror = self->mirror };

	make_engine(_metadata, self);
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_EQ(0, engine_detach(self->engine));
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(0));
	EXPECT_EQ(-ENXIO, gpa_put(self->engine, GPA(0), 1));
	EXPECT_EQ(-ENXIO, domain_enter(self->engine, 0));
	EXPECT_EQ(0, engine_detach(self->engine));
	EXPECT_EQ(0, engine_attach(self->engine, self->mirror, 0));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));

	EXPECT_EQ(-EBADF, engine_attach(self->engine, -1, 0));
	EXPECT_EQ(-EBADF, engine_attach(self->engine, self->engine, 0));
	EXPECT_EQ(-EBADF, engine_attach(self->engine, self->dev, 0));
	EXPECT_EQ(-ENXIO, engine_attach(self->engine, self->mirror, 1));
	EXPECT_EQ(-EINVAL, engine_attach(self->engine, self->mirror, SECMMU_MAX_DOMAINS));
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, secmmu_call(self->engine, SECMMU_ATTACH, &arg, sizeof(arg)));
	/* Where it was. */
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
}

/* An engine that has left keeps nothing alive, and can go anywhere else. */
SECMMU_TEST_F(tags, mirror_ends_first)
{
	int other = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 0));

	make_engine(_metadata, self);
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
	EXPECT_EQ(0, engine_detach(self->engine));
	close(self->mirror);
	self->mirror = other;
	ASSERT_EQ(0, secmmu_set_slot(other, 0, 0, BASE, self->mem + PAGE, PAGE));
	ASSERT_EQ(0, engine_attach(self->engine, other, 0));
	EXPECT_GPA(label(1, 1), self->engine, GPA(0));
}

/* While attached, the engine is enough to keep the mirror. */
SECMMU_TEST_F(tags, engine_keeps_mirror)
{
	make_engine(_metadata, self);
	close(self->mirror);
	self->mirror = -1;
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
}

TEST_HARNESS_MAIN
