// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation fails once: each call is made with the first thing failing that
 * can fail in the kernel on its way, then with the second, and so on until it passes
 * with nothing failed. Each time it must say so, change nothing, and work when made
 * again; or have found a way around. Each time starts with a mirror of its own, so
 * that nothing is in place already.
 */
#define _GNU_SOURCE
#include "failnth_calls.h"
#include "secmmu_fail.h"
#include "secmmu_group.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

/* No call has so many things to fail. */
#define TRIES	1000

/* For the search for leaks; bytes for each round. A page that leaks once is more. */
#define ROUNDS	12L
#define TOLERANCE	3000

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

/* ... with the first, the second, and so on; @hits counts. */
static int fail_each(int dev, const struct op *op, struct fail *fail,
		     unsigned int *hits)
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
	int ret;

	SECMMU_OPEN_OR_SKIP();
	memset(&self->fail, 0, sizeof(self->fail));
	ret = fail_start(&self->fail);
	if (ret) {
		/* For harnesses that run the test nevertheless. */
		close(self->dev);
		self->dev = -1;
		SKIP(return, "the kernel has no failures on demand: error %d", ret);
	}
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

SECMMU_TEST_F_TIMEOUT(failnth, G3_each_fails_once, SECMMU_TIMEOUT_LONG)
{
	const struct op *op = &ops[variant->op];
	unsigned int hits[3] = {};

	ASSERT_EQ(0, fail_each(self->dev, op, &self->fail, hits));
	TH_LOG("%u allocations and %u copies failed", hits[FAIL_ALLOCATION],
	       hits[FAIL_COPY]);
	EXPECT_LE(op->least, hits[FAIL_ALLOCATION]);
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

	SECMMU_OPEN_OR_SKIP();
	memset(&self->fail, 0, sizeof(self->fail));
	memset(&self->group, 0, sizeof(self->group));
	ret = fail_start(&self->fail);
	if (!ret)
		ret = group_enter(&self->group);
	if (ret) {
		close(self->dev);
		self->dev = -1;
		SKIP(return, "no failures on demand, or no memory controller: error %d",
		     ret);
	}
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
	/* Sums are brought up to date every two seconds. */
	sleep_ms(2500);
	return group_read(&self->group, "memory.stat", "\nkernel ");
}

/* The calls for which the driver allocates pages; kmemleak sees the rest. */
static int fail_many(FIXTURE_DATA(failleak) *self)
{
	static const int which[] = {
		OP_mirror, OP_engine, OP_slot_add, OP_read, OP_read_huge, OP_dirty_log,
	};
	unsigned int hits[3] = {};
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(which) && !ret; i++)
		ret = fail_each(self->dev, &ops[which[i]], &self->fail, hits);
	return ret;
}

SECMMU_TEST_F_TIMEOUT(failleak, G3_nothing_left, SECMMU_TIMEOUT_LONG)
{
	long before, end, lost;
	int i;

	ASSERT_EQ(0, fail_many(self));
	before = count_bytes(self);
	for (i = 0; i < ROUNDS; i++)
		ASSERT_EQ(0, fail_many(self));
	/* What is freed in bulk may wait for seconds; what has leaked, for ever. */
	end = now_ms() + secmmu_limit_ms() / 2;
	do {
		lost = count_bytes(self) - before;
	} while (lost >= ROUNDS * TOLERANCE && now_ms() < end);
	EXPECT_LT(lost, ROUNDS * TOLERANCE)
		TH_LOG("%ld bytes lost in %ld rounds", lost, ROUNDS);
}

TEST_HARNESS_MAIN
