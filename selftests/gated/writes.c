// SPDX-License-Identifier: GPL-2.0
/*
 * Who may write, and that what was written counts: against fork, against the dirty
 * log, against writeback of a file, each at its most awkward moment. Needs a test
 * build.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"
#include "secmmu_sys.h"

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
	SECMMU_OPEN_OR_SKIP();
	ASSERT_EQ(0, actor_start(&self->actor, self->dev, PAGES,
				 SECMMU_FLUSH_RANGE, 0));
	self->mirror = self->actor.mirror;
	self->engine = self->actor.engine[0];
	/* Who spins in a gate must not do so where the outsider is. */
	if (cpus_enough()) {
		ASSERT_EQ(0, cpus_spread(&self->actor));
	}
	ASSERT_EQ(0, oracle_mark(self->mirror));
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

static char *page_of(FIXTURE_DATA(writes) *self, long page)
{
	return self->actor.mem + page * PAGE;
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
	actor_do(&self->actor, 1, ACT_FORK);
}

static void finish_fork(struct __test_metadata *_metadata,
			FIXTURE_DATA(writes) *self)
{
	__u64 pid = 0;

	ASSERT_EQ(0, actor_answer(&self->actor, 1, &pid));
	self->child = pid;
	ASSERT_LT(0, self->child);
}

/* What engines write into page 3 now, the child does not see. */
static void expect_apart(struct __test_metadata *_metadata,
			 FIXTURE_DATA(writes) *self, __u64 before)
{
	int i;

	/* No translation grants what the CPU no longer does. */
	EXPECT_COHERENT(self->mirror);
	for (i = 5; i < 8; i++) {
		EXPECT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, i)));
		EXPECT_EQ(before, peek(self->child, page_of(self, 3)));
		EXPECT_EQ(stamp(3, i), peek(self->actor.pid, page_of(self, 3)));
	}
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(writes, C3_fork_with_a_writable_entry)
{
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 2)));
	start_fork(self);
	finish_fork(_metadata, self);
	expect_apart(_metadata, self, stamp(3, 2));
}

/* The fault has a page that it may write; then it may not. */
SECMMU_TEST_F(writes, C3_fork_after_gup)
{
	int post;

	post = gate_arm(self->dev, SECMMU_GATE_FAULT_GOT,
			actor_tid(&self->actor, 0), 0);
	ASSERT_LE(0, post);
	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
		 SECMMU_PREFAULT_WRITE);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	start_fork(self);
	finish_fork(_metadata, self);
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	expect_apart(_metadata, self, stamp(3, 1));
}

/* The fault has passed its check: what it installs, the event must find. */
SECMMU_TEST_F(writes, C3_fork_after_the_check)
{
	int post, recorded;

	post = gate_arm(self->dev, SECMMU_GATE_FAULT_CHECKED,
			actor_tid(&self->actor, 0), 0);
	ASSERT_LE(0, post);
	actor_do(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
		 SECMMU_PREFAULT_WRITE);
	ASSERT_EQ(0, gate_wait(self->dev, post));
	recorded = gate_arm(self->dev, SECMMU_GATE_START_RECORDED,
			    actor_tid(&self->actor, 1),
			    (uintptr_t)self->actor.mem);
	ASSERT_LE(0, recorded);
	start_fork(self);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, recorded));
	ASSERT_EQ(0, gate_open(self->dev, recorded));
	sleep_ms(STAND_STILL);
	EXPECT_FALSE(actor_done(&self->actor, 1));
	ASSERT_EQ(0, gate_open(self->dev, post));
	finish_fork(_metadata, self);
	EXPECT_EQ(0, actor_answer(&self->actor, 0, NULL));
	expect_apart(_metadata, self, stamp(3, 1));
}

/*
 * A write that begins while the fork copies waits until that is done. Another
 * process writes: the actor's own threads may have to wait for the fork.
 */
SECMMU_TEST_F(writes, C3_write_inside_the_fork)
{
	struct secmmu_test_state state = {};
	const __u64 word = stamp(3, 4);
	int end;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	ASSERT_EQ(0, outsider_start(&self->outsider));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 2)));
	end = gate_arm(self->dev, SECMMU_GATE_END, actor_tid(&self->actor, 1),
		       (uintptr_t)self->actor.mem);
	ASSERT_LE(0, end);
	start_fork(self);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, end));
	outsider_write(&self->outsider, self->engine, ACTOR_GPA(3), 1, &word);
	do {
		sleep_ms(1);
		ASSERT_EQ(0, state_get(self->mirror, &state));
	} while (!state.waiters && !outsider_done(&self->outsider));
	EXPECT_FALSE(outsider_done(&self->outsider));
	ASSERT_EQ(0, gate_open(self->dev, end));
	finish_fork(_metadata, self);
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	expect_apart(_metadata, self, stamp(3, 2));
}

/* From here on the actor's slot keeps a log; page 3 is mapped but not dirty. */
static void start_log(struct __test_metadata *_metadata,
		      FIXTURE_DATA(writes) *self)
{
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_SLOT, 0, ACTOR_BASE, 0,
			       PAGES, SECMMU_SLOT_LOG_DIRTY));
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
			       SECMMU_PREFAULT_WRITE));
}

static void expect_log(struct __test_metadata *_metadata,
		       FIXTURE_DATA(writes) *self, __u64 expected)
{
	__u64 log = 0;

	actor_do(&self->actor, 2, ACT_DIRTY, 0, PAGES);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &log));
	EXPECT_EQ(expected, log);
}

/*
 * Before anybody can write through it, the page is marked: what the CPU's entry
 * says, or GUP has done, is not relied on.
 */
SECMMU_TEST_F(writes, C2_page_marked_at_install)
{
	/* The process's own writes show in its entries only. */
	ASSERT_EQ(0, page_dirty(self->mirror, page_of(self, 3)));
	ASSERT_EQ(0, page_dirty(self->mirror, page_of(self, 4)));
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 2,
			       0));
	EXPECT_EQ(0, page_dirty(self->mirror, page_of(self, 3)));
	ASSERT_EQ(0, actor_run(&self->actor, 0, ACT_PREFAULT, ACTOR_GPA(3), 1,
			       SECMMU_PREFAULT_WRITE));
	EXPECT_EQ(1, page_dirty(self->mirror, page_of(self, 3)));
	EXPECT_EQ(0, page_dirty(self->mirror, page_of(self, 4)));
}

/* An entry that goes takes its dirty bit to the log, once. */
SECMMU_TEST_F(writes, C2_dropped_dirty_entry)
{
	start_log(_metadata, self);
	expect_log(_metadata, self, 0);
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 2)));
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	expect_log(_metadata, self, 1ULL << 3);
	expect_log(_metadata, self, 0);
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
	EXPECT_GPA(stamp(3, 2), self->engine, ACTOR_GPA(3));
	expect_log(_metadata, self, 0);
}

/*
 * The entry goes while the first write through it stands in its window: dirty was
 * said before the write, or nobody will ever say it.
 */
SECMMU_TEST_F(writes, C2_entry_dropped_under_a_write)
{
	const __u64 word = stamp(3, 2);
	int window, raised;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	start_log(_metadata, self);
	ASSERT_EQ(0, outsider_start(&self->outsider));
	window = gate_arm(self->dev, SECMMU_GATE_WINDOW_TRANSLATED,
			  self->outsider.pid, ACTOR_GPA(3));
	ASSERT_LE(0, window);
	outsider_write(&self->outsider, self->engine, ACTOR_GPA(3), 1, &word);
	ASSERT_EQ(0, gate_wait(self->dev, window));
	/* An event that takes away the right to write, no more. */
	raised = gate_arm(self->dev, SECMMU_GATE_FLUSH_RAISED,
			  actor_tid(&self->actor, 1), 0);
	ASSERT_LE(0, raised);
	actor_do(&self->actor, 1, ACT_MPROTECT, 3, 1, PROT_READ);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, raised));
	ASSERT_EQ(0, gate_open(self->dev, raised));
	EXPECT_EQ(0, gate_open(self->dev, window));
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
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
	post = gate_arm(self->dev, SECMMU_GATE_DROP, actor_tid(&self->actor, 1), 0);
	ASSERT_LE(0, post);
	actor_do(&self->actor, 1, ACT_MPROTECT, 3, 1, PROT_READ);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, post));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 2)));
	ASSERT_EQ(0, gate_open(self->dev, post));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	expect_log(_metadata, self, 1ULL << 3);
	expect_log(_metadata, self, 0);
	EXPECT_GPA(stamp(3, 2), self->engine, ACTOR_GPA(3));
	EXPECT_COHERENT(self->mirror);
}

/* A read fault comes late: the entry of a write, and what is noted there, stay. */
SECMMU_TEST_F(writes, C2_read_fault_after_a_write)
{
	struct secmmu_stats a, b;
	int got;

	start_log(_metadata, self);
	ASSERT_EQ(0, event_begin(self->mirror, page_of(self, 3), 1));
	ASSERT_EQ(0, event_end(self->mirror, page_of(self, 3), 1));
	expect_log(_metadata, self, 0);
	got = gate_arm(self->dev, SECMMU_GATE_FAULT_GOT, actor_tid(&self->actor, 1), 0);
	ASSERT_LE(0, got);
	actor_do(&self->actor, 1, ACT_PREFAULT, ACTOR_GPA(3), 1, 0);
	ASSERT_EQ(0, actor_wait_gate(&self->actor, 1, self->dev, got));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 2)));
	ASSERT_EQ(0, gate_open(self->dev, got));
	EXPECT_EQ(0, actor_answer(&self->actor, 1, NULL));
	expect_log(_metadata, self, 1ULL << 3);
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
	ASSERT_EQ(0, gpa_put(self->engine, ACTOR_GPA(3), stamp(3, 3)));
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
	EXPECT_DELTA(0, a, b, faults);
	expect_log(_metadata, self, 1ULL << 3);
	EXPECT_COHERENT(self->mirror);
}

TEST_HARNESS_MAIN
