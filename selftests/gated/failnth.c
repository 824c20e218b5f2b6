// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once: each call is made with the first thing failing that
 * can fail on its way, then with the second, and so on until it passes with nothing
 * failed. Each time it must say so, change nothing, and work when made again; or have
 * found a way around. Each time starts with a mirror of its own, so that nothing is in
 * place already. The driver knows what can fail in its calls, and so does the test: it
 * counts. What can fail in the kernel below, few kernels can tell.
 */
#include "failnth_calls.h"
#include "secmmu_fail.h"
#include "secmmu_group.h"
#include "secmmu_harness.h"

/* No call has this many things that can fail. */
#define TRIES	1000

/*
 * For the search for leaks. Bytes for each round: a page that leaks once is more. Each
 * processor has bytes in stock that count and belong to nothing: if what fails is the
 * kernel's choice, they come and go by 80 KiB.
 */
#define TOLERANCE	3000
#define ROUNDS		12L
#define ROUNDS_KERNEL	40L

/* The lowest free descriptor. */
static int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* The call, with the @nth thing failing; @hit: what that was. */
static int fail_one(struct world *w, const struct op *op, struct fail *fail,
		    unsigned int nth, int *hit)
{
	int fd = next_descriptor();
	long ret;

	CHECK(!fail_arm(fail, nth));
	ret = op->call(w);
	*hit = fail_disarm(fail);
	CHECK(*hit >= 0);
	if (ret < 0)
		CHECK(ret == (*hit == FAIL_COPY ? -EFAULT : -ENOMEM));
	if (ret != op->full * PAGE)
		CHECK(*hit != FAIL_NOTHING);
	CHECK(!op->check(w, ret));
	if (ret != op->full * PAGE) {
		ret = op->call(w);
		CHECK(ret == op->full * PAGE);
		CHECK(!op->check(w, ret));
	}
	CHECK(next_descriptor() == fd || op == &ops[OP_close]);
	return 0;
}

/* Make the call with the first failure, the second, and so on; @hits counts them. */
static int fail_each(int dev, const struct op *op, struct fail *fail, unsigned int *hits)
{
	unsigned int nth;
	int hit = 0, ret;

	for (nth = 1; nth < TRIES; nth++) {
		struct world w = { .dev = dev };

		ret = world_make(&w, op);
		ret = ret ?: fail_one(&w, op, fail, nth, &hit);
		world_end(&w);
		if (ret)
			fprintf(stderr, "# ... when failure %u was %d\n", nth, hit);
		CHECK(!ret);
		hits[hit]++;
		if (hit == FAIL_NOTHING)
			return 0;
	}
	return 1;
}

FIXTURE(failnth)
{
	int dev, mirror, engine;
	struct fail fail;
};

FIXTURE_SETUP(failnth)
{
	memset(&self->fail, 0, sizeof(self->fail));
	SECMMU_OPEN_OR_SKIP();
}

FIXTURE_TEARDOWN(failnth)
{
	fail_stop(&self->fail);
	SECMMU_TEARDOWN();
}

FIXTURE_VARIANT(failnth)
{
	int op;
};

#define OP_VARIANT(name) FIXTURE_VARIANT_ADD(failnth, name) { .op = OP_##name };

FOR_EACH_OP(OP_VARIANT)

#define START_OR_SKIP(by)						\
do {									\
	int _ret;							\
									\
	if ((by) == FAIL_BY_KERNEL && !inside_or_told())		\
		SKIP(return, SECMMU_REFUSED("sets what the kernel lets fail")); \
	_ret = fail_start(&self->fail, by, self->dev);			\
	if (_ret)							\
		SKIP(return, "no failures on demand: error %d", _ret);	\
} while (0)

SECMMU_TEST_F(failnth, G3_each_fails_once)
{
	const struct op *op = &ops[variant->op];
	unsigned int hits[3] = {};

	START_OR_SKIP(FAIL_BY_DRIVER);
	ASSERT_EQ(0, fail_each(self->dev, op, &self->fail, hits));
	EXPECT_EQ(op->allocations, hits[FAIL_ALLOCATION]);
	EXPECT_EQ(op->copies, hits[FAIL_COPY]);
	EXPECT_EQ(1, hits[FAIL_NOTHING]);
}

SECMMU_TEST_F_TIMEOUT(failnth, G3_kernel_each_fails_once, SECMMU_TIMEOUT_LONG)
{
	const struct op *op = &ops[variant->op];
	unsigned int hits[3] = {};

	START_OR_SKIP(FAIL_BY_KERNEL);
	ASSERT_EQ(0, fail_each(self->dev, op, &self->fail, hits));
	TH_LOG("%u allocations and %u copies failed", hits[FAIL_ALLOCATION], hits[FAIL_COPY]);
	EXPECT_LE(op->least, hits[FAIL_ALLOCATION]);
	/* Copies of some kinds do not fail; others are the kernel's own. */
	EXPECT_TRUE(!op->copies || hits[FAIL_COPY]);
}

/* Failures leave nothing behind. */
FIXTURE(failleak)
{
	int dev, mirror, engine;
	struct fail fail;
	struct secmmu_group group;
};

FIXTURE_SETUP(failleak)
{
	int ret;

	memset(&self->fail, 0, sizeof(self->fail));
	memset(&self->group, 0, sizeof(self->group));
	SECMMU_OPEN_OR_SKIP();
	SECMMU_CHANGES_OR_SKIP("makes a control group");
	ret = group_enter(&self->group);
	if (ret)
		SECMMU_SKIP("no memory controller: error %d", ret);
}

FIXTURE_TEARDOWN(failleak)
{
	group_leave(&self->group);
	fail_stop(&self->fail);
	SECMMU_TEARDOWN();
}

/* Bytes that the kernel holds on behalf of this process. */
static long count_bytes(FIXTURE_DATA(failleak) *self)
{
	group_settle();
	return group_read(&self->group, "memory.stat", "\nkernel ");
}

/* With one mirror as long as it fails, which takes less time: nothing has changed. */
static int fail_in_a_row(FIXTURE_DATA(failleak) *self, const struct op *op)
{
	struct world w = { .dev = self->dev };
	int hit = FAIL_ALLOCATION;
	unsigned int nth;

	CHECK(!world_make(&w, op));
	for (nth = 1; nth < TRIES && hit != FAIL_NOTHING; nth++) {
		long ret;

		CHECK(!fail_arm(&self->fail, nth));
		ret = op->call(&w);
		hit = fail_disarm(&self->fail);
		CHECK(hit >= 0);
		CHECK(!op->check(&w, ret));
		if (ret < 0 || hit == FAIL_NOTHING)
			continue;
		/* A way around was found. */
		world_end(&w);
		w = (struct world) { .dev = self->dev };
		CHECK(!world_make(&w, op));
	}
	world_end(&w);
	CHECK(nth > op->allocations && nth < TRIES);
	return 0;
}

/*
 * The calls for which the driver allocates pages, and after which no more is there if
 * they fail; kmemleak sees the rest.
 */
static int fail_many(FIXTURE_DATA(failleak) *self)
{
	static const int which[] = {
		OP_mirror, OP_engine, OP_slot_add, OP_read, OP_dirty_log,
	};
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(which) && !ret; i++)
		ret = fail_in_a_row(self, &ops[which[i]]);
	return ret;
}

/* Bytes lost in all rounds, once they are few, or stay. */
static int count_lost(FIXTURE_DATA(failleak) *self, long rounds, long *lost)
{
	long before, end;
	int i;

	CHECK(!fail_many(self));
	before = count_bytes(self);
	for (i = 0; i < rounds; i++)
		CHECK(!fail_many(self));
	/* What is freed in bulk may wait for seconds; what has leaked, for ever. */
	end = now_ms() + secmmu_limit_ms() / 9;
	do {
		*lost = count_bytes(self) - before;
	} while (*lost >= rounds * TOLERANCE && now_ms() < end);
	return 0;
}

#define NOTHING_LEFT(by, rounds)					\
do {									\
	long _lost = 0;							\
									\
	START_OR_SKIP(by);						\
	ASSERT_EQ(0, count_lost(self, rounds, &_lost));			\
	EXPECT_LT(_lost, rounds * TOLERANCE)				\
		TH_LOG("%ld bytes lost in %ld rounds", _lost, rounds);	\
} while (0)

SECMMU_TEST_F(failleak, G3_nothing_left)
{
	NOTHING_LEFT(FAIL_BY_DRIVER, ROUNDS);
}

SECMMU_TEST_F_TIMEOUT(failleak, G3_kernel_nothing_left, SECMMU_TIMEOUT_LONG)
{
	NOTHING_LEFT(FAIL_BY_KERNEL, ROUNDS_KERNEL);
}

TEST_HARNESS_MAIN
