// SPDX-License-Identifier: GPL-2.0
/*
 * Events that may not sleep, as of the OOM killer, wherever faults stand. Needs a
 * test build.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_sys.h"

/* Newer than some C libraries. */
#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif

#define PAGES	64L

#define EVENT	(SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END |	\
		 SECMMU_TEST_EVENT_NONBLOCK)

FIXTURE(unblockable)
{
	int dev, mirror, engine;
	struct actor actor;
};

FIXTURE_SETUP(unblockable)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(unblockable)
{
	ACTOR_TEARDOWN();
}

/* A fault sleeps in the gate; the event does not wait for it. */
static void event_meanwhile(struct __test_metadata *_metadata,
			    FIXTURE_DATA(unblockable) *self,
			    enum secmmu_gate gate, __u64 retries, __u64 zapped)
{
	struct secmmu_stats a, b;
	struct secmmu_test_state state;
	int post;

	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	post = gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(3));
	ASSERT_LE(0, post);
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, post));
	EXPECT_EQ(0, actor_run(&self->actor, 1, ACT_EVENT, 3, 1, EVENT));
	EXPECT_FALSE(actor_done(&self->actor, 0));
	ASSERT_EQ(0, state_get(self->mirror, &state));
	EXPECT_EQ(0, state.events);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(zapped, a, b, zapped);
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(retries, a, b, retries_event);
	EXPECT_DELTA(retries, a, b, retries);
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(unblockable, A12_before_the_record)
{
	event_meanwhile(_metadata, self, SECMMU_GATE_FAULT_LOOKED_UP, 0, 0);
}

SECMMU_TEST_F(unblockable, A12_before_it_looks)
{
	event_meanwhile(_metadata, self, SECMMU_GATE_FAULT_RECORDED, 1, 0);
}

SECMMU_TEST_F(unblockable, A12_when_it_has_looked)
{
	event_meanwhile(_metadata, self, SECMMU_GATE_FAULT_GOT, 1, 0);
}

SECMMU_TEST_F(unblockable, A12_after_the_install)
{
	event_meanwhile(_metadata, self, SECMMU_GATE_FAULT_INSTALLED, 0, 1);
}

/* That it may not sleep is no reason to leave out what is locked. */
SECMMU_TEST_F(unblockable, A12_at_the_check)
{
	struct secmmu_stats a, b;
	int checked, recorded;

	EXPECT_ACTOR_READS(stamp(4, 1), &self->actor, 0, ACTOR_GPA(4));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	checked = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(3));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, checked));
	recorded = GATE_ARM(START_RECORDED, ACTOR_MEM(3));
	actor_do(&self->actor, 1, ACT_EVENT, 3, 1, EVENT);
	ASSERT_EQ(0, gate_wait(self->dev, recorded));
	ASSERT_EQ(0, gate_open(self->dev, recorded));
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, checked));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(1, a, b, zapped);
	EXPECT_COHERENT(self->mirror);
}

/* The process is dying, and its memory reaped, while a fault has a page of it. */
SECMMU_TEST_F(unblockable, A12_reaped_meanwhile)
{
	struct secmmu_stats a, b;
	int post, pidfd, ret;

	EXPECT_ACTOR_READS(stamp(4, 1), &self->actor, 0, ACTOR_GPA(4));
	EXPECT_ACTOR_READS(stamp(5, 1), &self->actor, 0, ACTOR_GPA(5));
	post = GATE_ARM(FAULT_GOT, ACTOR_MEM(3));
	actor_do(&self->actor, 0, ACT_READ, 0, ACTOR_GPA(3));
	ASSERT_EQ(0, gate_wait(self->dev, post));
	pidfd = syscall(SYS_pidfd_open, self->actor.pid, 0);
	ASSERT_LE(0, pidfd);
	/* The thread in the gate keeps the memory. */
	ASSERT_EQ(0, kill(self->actor.pid, SIGKILL));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ret = syscall(SYS_process_mrelease, pidfd, 0) ? -errno : 0;
	close(pidfd);
	if (ret == -ENOSYS)
		SKIP(return, "no process_mrelease(2)");
	EXPECT_EQ(0, ret);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(2, a, b, zapped);
	ASSERT_EQ(0, gate_open(self->dev, post));
	ASSERT_EQ(0, state_wait_faults(self->mirror, 0));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(0, a, b, fault_pages);
	EXPECT_DELTA(0, a, b, unpaired);
}

TEST_HARNESS_MAIN
