// SPDX-License-Identifier: GPL-2.0
/*
 * Events that may not sleep, as of the OOM killer, at each stage of a fault. Needs a
 * test build.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"

/* Newer than some C libraries. */
#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif

#define PAGES	64L

#define EVENT	(SECMMU_TEST_EVENT_BEGIN | SECMMU_TEST_EVENT_END |	\
		 SECMMU_TEST_EVENT_NONBLOCK)

ACTOR_FIXTURE(unblockable, PAGES)

/* A fault sleeps in the gate; the event does not wait for it. */
static void event_meanwhile(TEST_ARGS(unblockable), enum secmmu_gate gate, __u64 retries,
			    __u64 zapped)
{
	struct secmmu_stats a;
	int post;

	GET_STATS(a);
	post = ASSERT_NUMBER(gate_arm(self->dev, gate, 0, (uintptr_t)ACTOR_MEM(3)));
	ACTOR_DO(0, ACT_READ, 0, ACTOR_GPA(3));
	GATE_WAIT(post);
	EXPECT_EQ(0, actor_run(&self->actor, 1, ACT_EVENT, 3, 1, EVENT));
	EXPECT_FALSE(actor_done(&self->actor, 0));
	EXPECT_STATE(0, events);
	EXPECT_SINCE(zapped, a, zapped);
	EXPECT_GOES_ON(post, 0);
	EXPECT_SINCE(retries, a, retries_event);
	EXPECT_SINCE(retries, a, retries);
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_CALL(unblockable, A12_before_the_record, event_meanwhile,
		 SECMMU_GATE_FAULT_LOOKED_UP, 0, 0)
SECMMU_TEST_CALL(unblockable, A12_before_it_looks, event_meanwhile,
		 SECMMU_GATE_FAULT_RECORDED, 1, 0)
SECMMU_TEST_CALL(unblockable, A12_when_it_has_looked, event_meanwhile,
		 SECMMU_GATE_FAULT_GOT, 1, 0)
SECMMU_TEST_CALL(unblockable, A12_after_the_install, event_meanwhile,
		 SECMMU_GATE_FAULT_INSTALLED, 0, 1)

/* That it may not sleep is no reason to leave out what is locked. */
SECMMU_TEST_F(unblockable, A12_at_the_check)
{
	struct secmmu_stats a;
	int checked, recorded;

	EXPECT_ACTOR_READS(label(4, 1), 0, ACTOR_GPA(4));
	GET_STATS(a);
	checked = ACTOR_HOLD(FAULT_CHECKED, ACTOR_MEM(3), 0, ACT_READ, 0, ACTOR_GPA(3));
	recorded = ACTOR_HOLD(START_RECORDED, ACTOR_MEM(3), 1, ACT_EVENT, 3, 1, EVENT);
	GATE_OPEN(recorded);
	EXPECT_TRUE(actor_stays(&self->actor, 1));
	EXPECT_GOES_ON(checked, 1);
	EXPECT_ANSWER(0, 0);
	EXPECT_SINCE(1, a, zapped);
	EXPECT_COHERENT(self->mirror);
}

/* The process is dying, and its memory reaped, while a fault has a page of it. */
SECMMU_TEST_F(unblockable, A12_reaped_meanwhile)
{
	struct secmmu_stats a;
	int post, pidfd, ret;

	EXPECT_ACTOR_READS(label(4, 1), 0, ACTOR_GPA(4));
	EXPECT_ACTOR_READS(label(5, 1), 0, ACTOR_GPA(5));
	post = ACTOR_HOLD(FAULT_GOT, ACTOR_MEM(3), 0, ACT_READ, 0, ACTOR_GPA(3));
	pidfd = ASSERT_NUMBER(syscall(SYS_pidfd_open, self->actor.pid, 0));
	/* The thread in the gate keeps the memory. */
	ASSERT_EQ(0, kill(self->actor.pid, SIGKILL));
	GET_STATS(a);
	ret = syscall(SYS_process_mrelease, pidfd, 0) ? -errno : 0;
	close(pidfd);
	if (ret == -ENOSYS)
		SKIP(return, "no process_mrelease(2)");
	EXPECT_EQ(0, ret);
	EXPECT_SINCE(2, a, zapped);
	GATE_OPEN(post);
	ASSERT_EQ(0, state_wait_faults(self->mirror, 0));
	EXPECT_SINCE(0, a, fault_pages);
	EXPECT_SINCE(0, a, unpaired);
}

TEST_HARNESS_MAIN
