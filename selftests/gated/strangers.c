// SPDX-License-Identifier: GPL-2.0
/*
 * The callback of another driver sleeps, in the core's SRCU section, which is one for the
 * whole machine. No call on a mirror waits for it.
 */
#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define PAGES		16L
#define GPA		0x40000000ULL

/* Milliseconds: for what must happen while the stranger sleeps. */
#define MUST		(20000 * secmmu_slow())

FIXTURE(strangers)
{
	int dev, mirror, engine;
	pid_t victim, other;
	int post;
};

/* It has a stranger in its memory; an event there lasts until the gate opens. */
static int victim(void *arg)
{
	struct secmmu_test_stranger stranger = { .size = sizeof(stranger) };
	char *mem = region_map(PAGES);

	CHECK(mem);
	CHECK(!secmmu_call(*(int *)arg, SECMMU_TEST_STRANGER, &stranger, sizeof(stranger)));
	*word_at(mem, 0) = 1;
	CHECK(!madvise(mem, PAGES * PAGE, MADV_DONTNEED));
	return 0;
}

FIXTURE_SETUP(strangers)
{
	self->victim = 0;
	self->other = 0;
	SECMMU_OPEN_OR_SKIP();
	gates_clear(self->dev);
	self->post = GATE_ARM(STRANGER, 0);
	self->victim = ASSERT_NUMBER(child_start(victim, &self->dev));
	GATE_WAIT(self->post);
}

FIXTURE_TEARDOWN(strangers)
{
	gates_clear(self->dev);
	if (self->other > 0)
		child_wait(self->other);
	if (self->victim > 0)
		EXPECT_EQ(0, child_wait(self->victim));
	close(self->dev);
}

/* @fn in a process of its own is over while the stranger sleeps. */
static void expect_no_wait(TEST_ARGS(strangers), int (*fn)(void *arg))
{
	self->other = ASSERT_NUMBER(child_start(fn, &self->dev));
	EXPECT_TRUE(child_ended(self->other, MUST));
	EXPECT_FALSE(child_ended(self->victim, 1));
	EXPECT_EQ(0, gate_open(self->dev, self->post));
	EXPECT_EQ(0, child_wait(self->other));
	self->other = 0;
}

struct user {
	int mirror, engine;
	char *mem;
};

static int use_mirror(int dev, struct user *user)
{
	user->mem = region_map(PAGES);
	user->mirror = secmmu_create_mirror(dev, SECMMU_FLUSH_RANGE, 0);
	user->engine = secmmu_create_engine(user->mirror);
	if (!user->mem || user->engine < 0)
		return -ENOMEM;
	return secmmu_set_slot(user->mirror, 0, SECMMU_SLOT_LOG_DIRTY, GPA, user->mem,
			       PAGES * PAGE) ?:
	       gpa_put(user->engine, GPA, 1);
}

/*
 * A process that ends with a subscription in place waits in the core, for any subscriber:
 * mn_hlist_release(). So close it first.
 */
static void stop_using(struct user *user)
{
	close(user->engine);
	close(user->mirror);
}

static int close_mirror(void *arg)
{
	struct user user;

	CHECK(!use_mirror(*(int *)arg, &user));
	stop_using(&user);
	return 0;
}

static int change_slot(void *arg)
{
	struct user user;

	CHECK(!use_mirror(*(int *)arg, &user));
	CHECK(!secmmu_set_slot(user.mirror, 0, SECMMU_SLOT_LOG_DIRTY, GPA, user.mem,
			       PAGES / 2 * PAGE));
	CHECK(!secmmu_delete_slot(user.mirror, 0));
	stop_using(&user);
	return 0;
}

SECMMU_TEST_CALL(strangers, A14_close, expect_no_wait, close_mirror)
SECMMU_TEST_CALL(strangers, A11_change_of_slot, expect_no_wait, change_slot)

TEST_HARNESS_MAIN
