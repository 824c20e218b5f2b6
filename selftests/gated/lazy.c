// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that have a mirror loaded while its mode changes: at work, idle, or gone
 * elsewhere and back. Only engines in the background can be in that position, for the
 * others freeze the mode. Needs a test build.
 */
#include <pthread.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define BASE	0x40000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
#define TAGGED	tagged(GPA(0), 21, 6)

/* More than an engine keeps loaded. */
#define REFCOUNT	"/sys/module/secmmu/refcnt"
#define MANY	9

FIXTURE(lazy)
{
	int dev, mirror, engine;
	char *mem;
};

FIXTURE_SETUP(lazy)
{
	SECMMU_OPEN_OR_SKIP();
	gates_clear(self->dev);
	REGION_SETUP(MANY);
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 0));
	SET_SLOT(0, 0, BASE, 0, MANY);
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
}

FIXTURE_TEARDOWN(lazy)
{
	gates_clear(self->dev);
	region_unmap(self->mem, MANY);
	SECMMU_TEARDOWN();
}

/* What the engine's kernel thread reads there: an error or zero. */
static int job_get(int engine, __u64 gpa, __u64 *word)
{
	int error = 0, ret = job_start(engine, 0, gpa, sizeof(*word), word);

	if (!ret)
		job_wait(engine, &error);
	return ret ? ret : -error;
}

#define EXPECT_JOB_READS(expected, gpa)					\
do {									\
	__u64 _word = POISON;						\
									\
	EXPECT_EQ(0, job_get(self->engine, gpa, &_word));		\
	EXPECT_EQ((__u64)(expected), _word);				\
} while (0)

static __u64 tlb_gen(int mirror)
{
	struct secmmu_test_state state = {};

	return state_get(mirror, &state) ? 0 : state.tlb_gen;
}

/* Make a mirror that shows page @page at GPA(0). */
static int make_mirror(int dev, __u32 tag_bits, const char *mem, long page)
{
	int mirror = secmmu_create_mirror_tagged(dev, tag_bits);

	if (mirror >= 0 && secmmu_set_slot(mirror, 0, 0, BASE, mem + page * PAGE, PAGE)) {
		close(mirror);
		return -1;
	}
	return mirror;
}

/* The engine stays where it is, and does nothing meanwhile. */
SECMMU_TEST_F(lazy, D3_change_while_the_engine_rests)
{
	__u64 gen, word;

	EXPECT_JOB_READS(label(0, 1), GPA(0));
	EXPECT_EQ(-ENXIO, job_get(self->engine, TAGGED, &word));
	gen = tlb_gen(self->mirror);
	ASSERT_EQ(0, tag_bits_set(self->mirror, 6));
	ASSERT_EQ(gen, tlb_gen(self->mirror));
	EXPECT_JOB_READS(label(0, 1), TAGGED);
	ASSERT_EQ(0, tag_bits_set(self->mirror, 0));
	ASSERT_EQ(gen, tlb_gen(self->mirror));
	EXPECT_EQ(-ENXIO, job_get(self->engine, TAGGED, &word));
	EXPECT_JOB_READS(label(0, 1), GPA(0));
}

/*
 * The engine leaves its mirror, which stays loaded; the mode changes; the engine comes
 * back. TLB generations are equal, and say nothing.
 */
SECMMU_TEST_F(lazy, D3_change_while_the_engine_is_elsewhere)
{
	__u64 gen;

	EXPECT_JOB_READS(label(0, 1), GPA(0));
	gen = tlb_gen(self->mirror);
	ASSERT_EQ(0, engine_detach(self->engine));
	ASSERT_EQ(0, tag_bits_set(self->mirror, 6));
	ASSERT_EQ(gen, tlb_gen(self->mirror));
	ASSERT_EQ(0, engine_attach(self->engine, self->mirror, 0));
	EXPECT_JOB_READS(label(0, 1), TAGGED);
	EXPECT_JOB_READS(label(1, 1), GPA(1));
}

static const struct {
	const char *name;
	__u32 policy;
	bool same_gen;
} policies[] = {
	{ "compare", SECMMU_REFRESH_COMPARE, true },
	{ "gen-bump", SECMMU_REFRESH_GEN_BUMP, false },
	{ "sync", SECMMU_REFRESH_SYNC, true },
};

/* With every policy the engine follows the new mode. */
SECMMU_TEST_F(lazy, D3_change_under_every_policy)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		__u64 gen, word = POISON;

		ASSERT_EQ(0, refresh_policy(self->mirror, SECMMU_REFRESH_SYNC));
		ASSERT_EQ(0, tag_bits_set(self->mirror, 0));
		ASSERT_EQ(0, refresh_policy(self->mirror, policies[i].policy));
		EXPECT_JOB_READS(label(0, 1), GPA(0));
		gen = tlb_gen(self->mirror);
		ASSERT_EQ(0, engine_detach(self->engine));
		ASSERT_EQ(0, tag_bits_set(self->mirror, 6));
		EXPECT_EQ(policies[i].same_gen, gen == tlb_gen(self->mirror))
			TH_LOG("%s", policies[i].name);
		ASSERT_EQ(0, engine_attach(self->engine, self->mirror, 0));
		EXPECT_EQ(0, job_get(self->engine, TAGGED, &word))
			TH_LOG("%s", policies[i].name);
		EXPECT_EQ(label(0, 1), word)
			TH_LOG("%s", policies[i].name);
	}
}

/* Straight from one mirror to another, and back. */
SECMMU_TEST_F(lazy, D3_hand_off)
{
	int other = ASSERT_NUMBER(make_mirror(self->dev, 6, self->mem, 1));

	EXPECT_JOB_READS(label(0, 1), GPA(0));
	ASSERT_EQ(0, engine_attach(self->engine, other, 0));
	EXPECT_JOB_READS(label(1, 1), TAGGED);
	ASSERT_EQ(0, tag_bits_set(self->mirror, 15));
	ASSERT_EQ(0, tag_bits_set(other, 0));
	ASSERT_EQ(0, engine_attach(self->engine, self->mirror, 0));
	EXPECT_JOB_READS(label(0, 1), tagged(GPA(0), 0x7001, 15));
	ASSERT_EQ(0, engine_attach(self->engine, other, 0));
	EXPECT_JOB_READS(label(1, 1), GPA(0));
	EXPECT_EQ(-ENXIO, job_get(self->engine, TAGGED, &(__u64){ 0 }));
	close(other);
}

static void *attach(void *arg)
{
	FIXTURE_DATA(lazy) *self = arg;

	return (void *)(long)engine_attach(self->engine, self->mirror, 0);
}

/* The mode changes while an engine is about to load it. */
SECMMU_TEST_F(lazy, D3_attach_against_change)
{
	int other = make_mirror(self->dev, 0, self->mem, 1), engine, post;
	pthread_t thread;
	void *err;

	ASSERT_LE(0, other);
	engine = self->engine;
	self->engine = NEW_ENGINE_WITH(other, SECMMU_ENGINE_BACKGROUND);
	post = GATE_ARM(ATTACH, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, attach, self));
	GATE_WAIT(post);
	ASSERT_EQ(0, tag_bits_set(self->mirror, 6));
	GATE_OPEN(post);
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	EXPECT_JOB_READS(label(0, 1), TAGGED);
	close(engine);
	close(other);
}

/* A mirror ends, another begins; to the engine nothing is the same. */
SECMMU_TEST_F(lazy, D3_recreated)
{
	int second, first = ASSERT_NUMBER(make_mirror(self->dev, 0, self->mem, 1));

	ASSERT_EQ(0, engine_attach(self->engine, first, 0));
	EXPECT_JOB_READS(label(1, 1), GPA(0));
	ASSERT_EQ(0, engine_detach(self->engine));
	close(first);
	second = ASSERT_NUMBER(make_mirror(self->dev, 6, self->mem, 2));
	ASSERT_EQ(0, engine_attach(self->engine, second, 0));
	EXPECT_JOB_READS(label(2, 1), TAGGED);
	EXPECT_JOB_READS(label(2, 1), GPA(0));
	close(second);
}

/* More mirrors than an engine can keep loaded, in turns. */
SECMMU_TEST_F(lazy, D3_many_mirrors)
{
	int mirror[MANY], i, j, round;

	for (i = 0; i < MANY; i++) {
		mirror[i] = ASSERT_NUMBER(make_mirror(self->dev, 0, self->mem, i));
		/* The same page everywhere else: other entries of the TLB. */
		for (j = 1; j < MANY; j++)
			ASSERT_EQ(0, secmmu_set_slot(mirror[i], j, 0, GPA(j),
						     self->mem + i * PAGE, PAGE));
	}
	/* With any number of address spaces, one gets the next one's number. */
	for (round = 2; round < MANY; round++) {
		for (i = 0; i < MANY; i++) {
			ASSERT_EQ(0, engine_attach(self->engine, mirror[i], 0));
			EXPECT_JOB_READS(label(i, 1), GPA(i % round));
		}
	}
	/* A few only: they stay in the TLB. */
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 3; i++) {
			ASSERT_EQ(0, engine_attach(self->engine, mirror[i], 0));
			EXPECT_JOB_READS(label(i, 1), GPA(0));
		}
	}
	/* What is dropped while an engine is elsewhere is gone when it comes back. */
	*word_at(self->mem, MANY - 1) = label(2, 2);
	ASSERT_EQ(0, secmmu_set_slot(mirror[0], 0, 0, BASE,
				     self->mem + (MANY - 1) * PAGE, PAGE));
	ASSERT_EQ(0, engine_attach(self->engine, mirror[0], 0));
	EXPECT_JOB_READS(label(2, 2), GPA(0));
	for (i = 0; i < MANY; i++)
		close(mirror[i]);
}

struct order {
	FIXTURE_DATA(lazy) *self;
	__u64 word;
	int ret;
};

static void *set_six(void *arg)
{
	struct order *order = arg;

	order->ret = tag_bits_set(order->self->mirror, 6);
	return NULL;
}

/* A window opens while engines are being told: it follows the old mode or the new. */
SECMMU_TEST_F(lazy, D2_change_under_way)
{
	struct order order = { .self = self };
	__u64 word = POISON;
	pthread_t thread;
	int post, error;

	EXPECT_JOB_READS(label(0, 1), GPA(0));
	post = GATE_ARM(SET_TAG, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, set_six, &order));
	GATE_WAIT(post);
	/* The old one, for now: and a plain address is right in both. */
	EXPECT_EQ(-ENXIO, job_get(self->engine, TAGGED, &word));
	EXPECT_JOB_READS(label(0, 1), GPA(0));
	ASSERT_EQ(0, job_start(self->engine, 0, GPA(0), 8, &word));
	GATE_OPEN(post);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(8, job_wait(self->engine, &error));
	EXPECT_JOB_READS(label(0, 1), TAGGED);
}

/* User engines have frozen the mode; the kernel thread's engine follows it. */
SECMMU_TEST_F(lazy, D4_after_freeze)
{
	int engine, other = make_mirror(self->dev, 15, self->mem, 3);

	EXPECT_JOB_READS(label(0, 1), GPA(0));
	ASSERT_EQ(0, tag_bits_set(self->mirror, 6));
	engine = NEW_ENGINE(self->mirror);
	ASSERT_EQ(-EBUSY, tag_bits_set(self->mirror, 15));
	EXPECT_GPA(label(0, 1), engine, TAGGED);
	EXPECT_JOB_READS(label(0, 1), TAGGED);
	ASSERT_EQ(0, engine_attach(self->engine, other, 0));
	EXPECT_JOB_READS(label(3, 1), tagged(GPA(0), 0x1234, 15));
	ASSERT_EQ(0, engine_attach(self->engine, self->mirror, 0));
	EXPECT_JOB_READS(label(0, 1), TAGGED);
	EXPECT_EQ(-ENXIO, job_get(self->engine, tagged(GPA(0), 0x1234, 15), &(__u64){ 0 }));
	close(engine);
	close(other);
}

/* An engine that is closed is let go at once; its job's thread keeps the driver. */
SECMMU_TEST_F(lazy, G6_thread_keeps_the_driver)
{
	long users = number_read(REFCOUNT, ""), end = now_ms() + GATE_PATIENCE;
	int post, engine;

	if (users < 0)
		SKIP(return, "the driver is not a module");
	engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	post = GATE_ARM(FAULT_GOT, self->mem);
	ASSERT_EQ(0, job_start(engine, 0, GPA(0), 8, NULL));
	GATE_WAIT(post);
	close(engine);
	EXPECT_EQ(users + 1, number_read(REFCOUNT, ""));
	GATE_OPEN(post);
	while (number_read(REFCOUNT, "") != users && now_ms() < end)
		sleep_ms(1);
	EXPECT_EQ(users, number_read(REFCOUNT, ""));
}

static void *alloc_key(void *arg)
{
	struct order *order = arg;

	order->ret = key_alloc(order->self->mirror);
	return NULL;
}

/* Two allocations at once get two keys. */
SECMMU_TEST_F(lazy, F1_two_allocations_at_once)
{
	struct order order = { .self = self };
	pthread_t thread;
	int post, key;

	post = GATE_ARM(KEY_ALLOC, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, alloc_key, &order));
	GATE_WAIT(post);
	key = key_alloc(self->mirror);
	EXPECT_LT(0, key);
	GATE_OPEN(post);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LT(0, order.ret);
	EXPECT_NE(key, order.ret);
}

TEST_HARNESS_MAIN
