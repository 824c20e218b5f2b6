// SPDX-License-Identifier: GPL-2.0
/*
 * The mirrored process ends, or a mirror is closed, while events are in flight and
 * faults under way. The faults here are the test's own. Needs a test build.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	768L
/* From here on, in the second block of 2 MiB: what fills its records of single events. */
#define FAR	640L
/* An event beyond these. */
#define BEYOND	(FAR + 100)

/* Seconds, for what happens at once. */
#define AT_ONCE	5

/* A thread of the test that reads one word of the actor's memory. */
struct reader {
	pthread_t thread;
	int engine;
	__u64 gpa;
	__u64 word;
	int ret;
};

FIXTURE(release)
{
	int dev, mirror, engine;
	struct actor actor;
	struct reader reader[ACTOR_ENGINES];
	struct timespec until;	/* what must end has ended */
};

FIXTURE_SETUP(release)
{
	ACTOR_SETUP(PAGES);
}

FIXTURE_TEARDOWN(release)
{
	ACTOR_TEARDOWN();
}

static void *serve(void *data)
{
	struct reader *reader = data;

	reader->ret = gpa_get(reader->engine, reader->gpa, &reader->word);
	return NULL;
}

static int reader_start(FIXTURE_DATA(release) *self, int n, long page)
{
	struct reader *reader = &self->reader[n];

	*reader = (struct reader) {
		.engine = self->actor.engine[n],
		.gpa = ACTOR_GPA(page),
		.ret = -EINPROGRESS,
	};
	return -pthread_create(&reader->thread, NULL, serve, reader);
}

static void end_soon(FIXTURE_DATA(release) *self)
{
	clock_gettime(CLOCK_REALTIME, &self->until);
	self->until.tv_sec += AT_ONCE * secmmu_slow();
}

/* What it has got; -ETIMEDOUT, and it stays, if nothing. */
static int reader_end(FIXTURE_DATA(release) *self, int n)
{
	if (pthread_timedjoin_np(self->reader[n].thread, NULL, &self->until))
		return -ETIMEDOUT;
	return self->reader[n].ret;
}

/* How the process ends in which the memory is. */
enum end { END_KILL, END_EXIT, END_EXEC };

static void start_end(TEST_ARGS(release), enum end how)
{
	switch (how) {
	case END_KILL:
		ASSERT_EQ(0, kill(self->actor.pid, SIGKILL));
		break;
	case END_EXIT:
		ACTOR_DO(1, ACT_EXIT);
		break;
	case END_EXEC:
		ACTOR_DO(1, ACT_EXEC);
		break;
	}
}

static void finish_end(TEST_ARGS(release), enum end how)
{
	if (how != END_EXEC) {
		ASSERT_EQ(self->actor.pid, waitpid(self->actor.pid, NULL, 0));
		self->actor.pid = 0;
	}
	end_soon(self);
}

/* All that is in flight is forgotten, and nothing of the memory is shown. */
static void expect_released(TEST_ARGS(release))
{
	struct secmmu_test_state state;

	ASSERT_EQ(0, state_get(self->mirror, &state));
	EXPECT_EQ(0, state.events);
	EXPECT_EQ(0, state.overflow);
	EXPECT_EQ(0, state.faults);
	EXPECT_EQ(0, state.waiters);
	EXPECT_GPA_ERROR(ESRCH, self->actor.engine[ACTOR_ENGINES - 1], ACTOR_GPA(100));
	EXPECT_ORACLE(0, sptes);
	EXPECT_ORACLE(0, tlb_entries);
	EXPECT_ORACLE(0, stale);
}

/* Waiters of events in two blocks, with and without a record; none of them will ever end. */
static void end_with_waiters(TEST_ARGS(release), enum end how)
{
	int post, i;
	long records = events_fill(self->mirror, ACTOR_MEM(FAR));

	ASSERT_LT(0, records);
	EVENT_BEGIN(ACTOR_MEM(8), 4);
	EVENT_BEGIN(ACTOR_MEM(BEYOND), 4);
	EXPECT_STATE(1, overflow);
	ASSERT_EQ(0, reader_start(self, 0, 8));
	ASSERT_EQ(0, reader_start(self, 1, BEYOND + 3));
	ASSERT_EQ(0, reader_start(self, 2, FAR));
	ASSERT_EQ(0, state_wait_waiters(self->mirror, 3));
	post = GATE_ARM(RELEASE, 0);
	start_end(_metadata, self, how);
	GATE_WAIT(post);
	EXPECT_STATE(0, waiters);
	GATE_OPEN(post);
	finish_end(_metadata, self, how);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(-ESRCH, reader_end(self, i));
	}
	expect_released(_metadata, self);

	/* What had begun may still end. */
	EVENT_END(ACTOR_MEM(8), 4);
	EVENT_END(ACTOR_MEM(BEYOND), 4);
	ASSERT_EQ(0, events_empty(self->mirror, ACTOR_MEM(FAR), records));
	EXPECT_COUNTER(0, unpaired);
	expect_released(_metadata, self);
}

SECMMU_TEST_CALL(release, A17_killed_with_waiters, end_with_waiters, END_KILL)
SECMMU_TEST_CALL(release, A17_exit_with_waiters, end_with_waiters, END_EXIT)
SECMMU_TEST_CALL(release, A17_exec_with_waiters, end_with_waiters, END_EXEC)

/*
 * The release has begun, and the memory is still there: no fault installs anything any
 * more, be it new, waiting, or past GUP.
 */
SECMMU_TEST_F(release, G1_release_under_way)
{
	struct secmmu_test_state state;
	struct secmmu_stats a;
	int got, release;

	GET_STATS(a);
	EVENT_BEGIN(ACTOR_MEM(8), 4);
	ASSERT_EQ(0, reader_start(self, 0, 8));
	ASSERT_EQ(0, state_wait_waiters(self->mirror, 1));
	got = GATE_ARM(FAULT_GOT, ACTOR_MEM(3));
	ASSERT_EQ(0, reader_start(self, 1, 3));
	GATE_WAIT(got);
	release = GATE_ARM(RELEASE, 0);
	start_end(_metadata, self, END_KILL);
	GATE_WAIT(release);
	ASSERT_EQ(0, state_get(self->mirror, &state));
	if (state.waiters)
		/* This process must not end with a thread in a gate. */
		gates_clear(self->dev);
	ASSERT_EQ(0, state.waiters);
	end_soon(self);
	ASSERT_EQ(-ESRCH, reader_end(self, 0));
	ASSERT_EQ(0, reader_start(self, 2, 9));
	ASSERT_EQ(-ESRCH, reader_end(self, 2));
	GATE_OPEN(got);
	ASSERT_EQ(-ESRCH, reader_end(self, 1));
	EXPECT_SINCE(0, a, fault_pages);
	GATE_OPEN(release);
	finish_end(_metadata, self, END_KILL);
	expect_released(_metadata, self);
}

/* A mirror is closed while a fault waits in it: the fault is the last user. */
SECMMU_TEST_F(release, A17_closed_with_a_waiter)
{
	__u64 number;

	ACTOR_DO(0, ACT_MIRROR);
	ASSERT_EQ(0, actor_answer(&self->actor, 0, &number));
	EVENT_BEGIN(ACTOR_MEM(8), 4);
	ACTOR_DO(0, ACT_READ, number * ACTOR_ENGINES, ACTOR_GPA(8));
	ASSERT_TRUE(actor_waits(&self->actor, 0, 1));
	ACTOR_RUN(1, ACT_CLOSE, number);
	EXPECT_STATE(2, members);
	EXPECT_STATE(1, waiters);
	EVENT_END(ACTOR_MEM(8), 4);
	EXPECT_ANSWER_VALUE(label(8, 1), 0);
	EXPECT_STATE(1, members);
	EXPECT_STATE(0, waiters);
}

static void *close_own(void *data)
{
	struct reader *reader = data;

	reader->ret = close(reader->engine);
	return NULL;
}

/* A mirror is closed while the release stands in it, and waits for it. */
SECMMU_TEST_F(release, A14_closed_in_the_release)
{
	int mirror = ASSERT_NUMBER(secmmu_create_mirror_of(self->dev, self->actor.pid));
	struct reader *reader = &self->reader[0];
	int engine = NEW_ENGINE(mirror), dropped, leave, joined;

	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, ACTOR_BASE, self->actor.mem,
				     PAGES * PAGE));
	EXPECT_GPA(label(3, 1), engine, ACTOR_GPA(3));
	close(engine);
	dropped = GATE_ARM(ZAPPED, 0);
	start_end(_metadata, self, END_KILL);
	GATE_WAIT(dropped);
	leave = GATE_ARM(LEAVE, 0);
	*reader = (struct reader) { .engine = mirror, .ret = -EINPROGRESS };
	ASSERT_EQ(0, pthread_create(&reader->thread, NULL, close_own, reader));
	GATE_WAIT(leave);
	GATE_OPEN(leave);
	/* As actor_stays() looks at it. */
	sleep_ms(300);
	joined = pthread_tryjoin_np(reader->thread, NULL);
	EXPECT_EQ(EBUSY, joined);
	GATE_OPEN(dropped);
	finish_end(_metadata, self, END_KILL);
	if (joined)
		EXPECT_EQ(0, reader_end(self, 0));
}

/* The fault has the page, the process goes: the page does not come in. */
static void end_with_the_page(TEST_ARGS(release), enum end how)
{
	struct secmmu_stats a;
	int post, i;

	GET_STATS(a);
	post = GATE_ARM(FAULT_GOT, ACTOR_MEM(3));
	ASSERT_EQ(0, reader_start(self, 0, 3));
	GATE_WAIT(post);
	start_end(_metadata, self, how);
	finish_end(_metadata, self, how);
	/* Released: others fail by now. */
	for (i = 0; i < GATE_PATIENCE; i++) {
		if (gpa_get(self->actor.engine[1], ACTOR_GPA(100),
			    &self->reader[0].word) == -ESRCH)
			break;
		sleep_ms(1);
	}
	ASSERT_GT(GATE_PATIENCE, i);
	GET_STATS(a);
	GATE_OPEN(post);
	end_soon(self);
	ASSERT_EQ(-ESRCH, reader_end(self, 0));
	EXPECT_SINCE(0, a, fault_pages);
	expect_released(_metadata, self);
}

SECMMU_TEST_CALL(release, G1_killed_after_gup, end_with_the_page, END_KILL)
SECMMU_TEST_CALL(release, G1_exec_after_gup, end_with_the_page, END_EXEC)

/* It has passed its check: the page comes in, and goes before the process has. */
SECMMU_TEST_F(release, G1_killed_at_the_check)
{
	int post, ret;

	post = GATE_ARM(FAULT_CHECKED, ACTOR_MEM(3));
	ASSERT_EQ(0, reader_start(self, 0, 3));
	GATE_WAIT(post);
	start_end(_metadata, self, END_KILL);
	EXPECT_FALSE(child_ended(self->actor.pid, 300));
	GATE_OPEN(post);
	end_soon(self);
	ret = reader_end(self, 0);
	EXPECT_TRUE(!ret || ret == -ESRCH) TH_LOG("%d", ret);
	finish_end(_metadata, self, END_KILL);
	expect_released(_metadata, self);
}

TEST_HARNESS_MAIN
