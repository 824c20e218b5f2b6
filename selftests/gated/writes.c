// SPDX-License-Identifier: GPL-2.0
/*
 * Who may write, and that what was written counts: against fork, against the dirty log,
 * against writeback of a file, each at its most awkward moment. Needs a test build.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

#define PAGES	64L
#define STAND_STILL	300

FIXTURE(writes)
{
	int dev, mirror, engine;
	struct actor actor;
	struct outsider outsider;
	pid_t child;	/* of the actor */
};

FIXTURE_SETUP(writes)
{
	ACTOR_SETUP(PAGES);
	/* Who spins in a gate must not do so where the outsider is. */
	if (cpus_enough()) {
		ASSERT_EQ(0, cpus_spread(&self->actor));
	}
}

FIXTURE_TEARDOWN(writes)
{
	gates_clear(self->dev);
	outsider_stop(&self->outsider);
	if (self->child > 0)
		kill(self->child, SIGKILL);
	actor_stop(&self->actor);
	close(self->dev);
}

/* The first word of a page of another process. */
static __u64 peek(pid_t pid, const char *mem)
{
	__u64 word = POISON;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return POISON;
	if (pread(fd, &word, sizeof(word), (uintptr_t)mem) != sizeof(word))
		word = POISON;
	close(fd);
	return word;
}

static void start_fork(FIXTURE_DATA(writes) *self)
{
	ACTOR_DO(1, ACT_FORK);
}

static void finish_fork(TEST_ARGS(writes))
{
	__u64 pid = 0;

	ASSERT_EQ(0, actor_answer(&self->actor, 1, &pid));
	self->child = pid;
	ASSERT_LT(0, self->child);
}

/* What engines write into page 3 now, the child does not see. */
static void expect_apart(TEST_ARGS(writes), __u64 before)
{
	int i;

	/* No translation grants what the CPU no longer does. */
	EXPECT_COHERENT(self->mirror);
	for (i = 5; i < 8; i++) {
		EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, i));
		EXPECT_EQ(before, peek(self->child, ACTOR_MEM(3)));
		EXPECT_EQ(label(3, i), peek(self->actor.pid, ACTOR_MEM(3)));
	}
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(writes, C3_fork_with_a_writable_entry)
{
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	start_fork(self);
	finish_fork(_metadata, self);
	expect_apart(_metadata, self, label(3, 2));
}

/* The fault has a page that it may write; then it may not. */
SECMMU_TEST_F(writes, C3_fork_after_gup)
{
	int post = ACTOR_HOLD_AT(FAULT_GOT, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
				 SECMMU_PREFAULT_WRITE);
	start_fork(self);
	finish_fork(_metadata, self);
	EXPECT_GOES_ON(post, 0);
	expect_apart(_metadata, self, label(3, 1));
}

/* The fault has passed its check: what it installs, the event must find. */
SECMMU_TEST_F(writes, C3_fork_after_the_check)
{
	int post, recorded;

	post = ACTOR_HOLD_AT(FAULT_CHECKED, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
			     SECMMU_PREFAULT_WRITE);
	recorded = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_START_RECORDED,
					  actor_tid(&self->actor, 1),
					  (uintptr_t)self->actor.mem));
	start_fork(self);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, recorded));
	GATE_OPEN(recorded);
	sleep_ms(STAND_STILL);
	EXPECT_FALSE(actor_done(&self->actor, 1));
	GATE_OPEN(post);
	finish_fork(_metadata, self);
	EXPECT_ANSWER(0, 0);
	expect_apart(_metadata, self, label(3, 1));
}

/*
 * A write that begins while the fork copies waits until that is done. Another
 * process writes: the actor's own threads may have to wait for the fork.
 */
SECMMU_TEST_F(writes, C3_write_inside_the_fork)
{
	struct secmmu_test_state state = {};
	const __u64 word = label(3, 4);
	int end;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	ASSERT_EQ(0, outsider_start(&self->outsider));
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	end = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_END, actor_tid(&self->actor, 1),
				     (uintptr_t)self->actor.mem));
	start_fork(self);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, end));
	outsider_write(&self->outsider, self->engine, ACTOR_GPA(3), 1, &word);
	do {
		sleep_ms(1);
		ASSERT_EQ(0, state_get(self->mirror, &state));
	} while (!state.waiters && !outsider_done(&self->outsider));
	EXPECT_FALSE(outsider_done(&self->outsider));
	GATE_OPEN(end);
	finish_fork(_metadata, self);
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	expect_apart(_metadata, self, label(3, 2));
}

/* From here on the actor's slot keeps a log; page 3 is mapped but not dirty. */
static void start_log(TEST_ARGS(writes))
{
	ACTOR_RUN(0, ACT_SLOT, 0, ACTOR_BASE, 0, PAGES, SECMMU_SLOT_LOG_DIRTY);
	ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(3), 1, SECMMU_PREFAULT_WRITE);
}

static void expect_log(TEST_ARGS(writes), __u64 expected)
{
	ACTOR_DO(2, ACT_DIRTY, 0, PAGES);
	EXPECT_ANSWER_VALUE(expected, 2);
}

/*
 * Before anybody can write through it, the page is marked: what the CPU's entry
 * says, or GUP has done, is not relied on.
 */
SECMMU_TEST_F(writes, C2_page_marked_at_install)
{
	/* The process's own writes show in its entries only. */
	ASSERT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(3)));
	ASSERT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(4)));
	ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(3), 2, 0);
	EXPECT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(3)));
	ACTOR_RUN(0, ACT_PREFAULT, ACTOR_GPA(3), 1, SECMMU_PREFAULT_WRITE);
	EXPECT_EQ(1, page_dirty(self->mirror, ACTOR_MEM(3)));
	EXPECT_EQ(0, page_dirty(self->mirror, ACTOR_MEM(4)));
}

/* An entry that goes takes its dirty bit to the log, once. */
SECMMU_TEST_F(writes, C2_dropped_dirty_entry)
{
	start_log(_metadata, self);
	expect_log(_metadata, self, 0);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	EVENT_BEGIN(ACTOR_MEM(3), 1);
	expect_log(_metadata, self, 1ULL << 3);
	expect_log(_metadata, self, 0);
	EVENT_END(ACTOR_MEM(3), 1);
	EXPECT_GPA(label(3, 2), self->engine, ACTOR_GPA(3));
	expect_log(_metadata, self, 0);
}

/*
 * The entry is dropped while the first write through it stands in its window: the dirty
 * bit must be set before the write, or it is lost.
 */
SECMMU_TEST_F(writes, C2_entry_dropped_under_a_write)
{
	const __u64 word = label(3, 2);
	int window, raised;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	start_log(_metadata, self);
	ASSERT_EQ(0, outsider_start(&self->outsider));
	window = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_WINDOW_TRANSLATED,
					self->outsider.pid, ACTOR_GPA(3)));
	outsider_write(&self->outsider, self->engine, ACTOR_GPA(3), 1, &word);
	GATE_WAIT(window);
	/* An event that takes away the right to write, no more. */
	raised = ACTOR_HOLD_AT(FLUSH_RAISED, 1, ACT_MPROTECT, 3, 1, PROT_READ);
	GATE_OPEN(raised);
	EXPECT_EQ(0, gate_open(self->dev, window));
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	EXPECT_ANSWER(0, 1);
	expect_log(_metadata, self, 1ULL << 3);
	EXPECT_GPA(word, self->engine, ACTOR_GPA(3));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, ACTOR_GPA(3), 0));
	EXPECT_COHERENT(self->mirror);
}

/* The entry is about to be cleared when a write is noted in it: the log has that. */
SECMMU_TEST_F(writes, C2_write_under_a_drop)
{
	int post;

	start_log(_metadata, self);
	expect_log(_metadata, self, 0);
	post = ACTOR_HOLD_AT(DROP, 1, ACT_MPROTECT, 3, 1, PROT_READ);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	EXPECT_GOES_ON(post, 1);
	expect_log(_metadata, self, 1ULL << 3);
	expect_log(_metadata, self, 0);
	EXPECT_GPA(label(3, 2), self->engine, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

/* A read fault comes late: the entry of a write, and what is noted there, stay. */
SECMMU_TEST_F(writes, C2_read_fault_after_a_write)
{
	struct secmmu_stats a;
	int got;

	start_log(_metadata, self);
	PASS_EVENT(ACTOR_MEM(3), 1);
	expect_log(_metadata, self, 0);
	got = ACTOR_HOLD_AT(FAULT_GOT, 1, ACT_PREFAULT, ACTOR_GPA(3), 1, 0);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 2));
	EXPECT_GOES_ON(got, 1);
	expect_log(_metadata, self, 1ULL << 3);
	GET_STATS(a);
	EXPECT_PUT(self->engine, ACTOR_GPA(3), label(3, 3));
	EXPECT_SINCE(0, a, faults);
	expect_log(_metadata, self, 1ULL << 3);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
