// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that events leave no moment: some event is in flight all the time, or one hits
 * the fault whenever it has its page. The access then goes past the mirror.
 */
#include <fcntl.h>
#include <pthread.h>

#include "secmmu_actor.h"
#include "secmmu_fail.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

#define PAGES	64L
#define P	5L

/* As often an access tries before it goes past the mirror. */
#define PATIENCE	4L

/* More events after each other than that. */
#define ROUNDS		64L

FIXTURE(progress)
{
	int dev, mirror, engine;
	struct actor actor;
	struct secmmu_stats before;
	long filled;		/* events beside the page that fill the records */
	long begun, ended;	/* events over the page */
	bool stop;
};

FIXTURE_VARIANT(progress)
{
	bool overflow;		/* events are kept as one hull */
};

FIXTURE_VARIANT_ADD(progress, recorded) { .overflow = false };
FIXTURE_VARIANT_ADD(progress, overflow) { .overflow = true };

FIXTURE_SETUP(progress)
{
	ACTOR_SETUP(PAGES);
	self->begun = 0;
	self->ended = 0;
	self->filled = 0;
	ACTOR_RUN(0, ACT_LABEL, 0, PAGES, 1);
	if (variant->overflow) {
		self->filled = events_fill(self->mirror, ACTOR_MEM(PAGES));
		ASSERT_LT(0, self->filled);
	}
	GET_STATS(self->before);
}

/* Events over the page differ in where they end. */
static int begin_next(FIXTURE_DATA(progress) *self)
{
	return event_begin(self->mirror, ACTOR_MEM(P), 1 + self->begun++ % 8);
}

static int end_first(FIXTURE_DATA(progress) *self)
{
	return event_end(self->mirror, ACTOR_MEM(P), 1 + self->ended++ % 8);
}

FIXTURE_TEARDOWN(progress)
{
	while (self->ended < self->begun)
		end_first(self);
	if (self->filled > 0)
		events_empty(self->mirror, ACTOR_MEM(PAGES), self->filled);
	ACTOR_TEARDOWN();
}

/* Thread 1 has an access under way; an event is in flight until it has come back. */
static void events_until_done(TEST_ARGS(progress))
{
	long i;

	ASSERT_TRUE(actor_waits(&self->actor, 1, 1));
	for (i = 0; i < ROUNDS && !actor_done(&self->actor, 1); i++) {
		ASSERT_EQ(0, begin_next(self));
		ASSERT_EQ(0, end_first(self));
		/* It may have been woken for another turn, or for the last. */
		actor_waits(&self->actor, 1, 1);
	}
	EXPECT_LT(i, ROUNDS) {
		TH_LOG("the access still waits");
	}
}

static void expect_direct(TEST_ARGS(progress))
{
	EXPECT_COUNTER(self->before.direct + 1, direct);
	EXPECT_COUNTER(self->before.fault_pages, fault_pages);
}

/* A read, with one event or more in flight at every moment. */
SECMMU_TEST_F(progress, A18_events_without_a_gap)
{
	ASSERT_EQ(0, begin_next(self));
	ACTOR_DO(1, ACT_READ, 0, ACTOR_GPA(P));
	events_until_done(_metadata, self);
	/* In any case it ends with the last event. */
	if (!actor_done(&self->actor, 1))
		ASSERT_EQ(0, end_first(self));
	EXPECT_ANSWER_VALUE(label(P, 1), 1);
	expect_direct(_metadata, self);
}

/* A fault waits for an event that lasts, although others come and go. */
SECMMU_TEST_F(progress, A8_one_event_that_lasts)
{
	long i;

	EVENT_BEGIN(ACTOR_MEM(P - 1), 2);
	ACTOR_DO(1, ACT_READ, 0, ACTOR_GPA(P));
	ASSERT_TRUE(actor_waits(&self->actor, 1, 1));
	/* As one hull they cannot be told apart. */
	for (i = 0; i < ROUNDS && !variant->overflow; i++) {
		ASSERT_EQ(0, begin_next(self));
		ASSERT_EQ(0, end_first(self));
		ASSERT_TRUE(actor_waits(&self->actor, 1, 1));
	}
	EXPECT_FALSE(actor_done(&self->actor, 1));
	EVENT_END(ACTOR_MEM(P - 1), 2);
	EXPECT_ANSWER_VALUE(label(P, 1), 1);
	EXPECT_COUNTER(self->before.direct, direct);
}

/* A prefault does not stay either. */
SECMMU_TEST_F(progress, A18_prefault)
{
	ASSERT_EQ(0, begin_next(self));
	ACTOR_DO(1, ACT_PREFAULT, ACTOR_GPA(P), 1, 0);
	events_until_done(_metadata, self);
	if (!actor_done(&self->actor, 1))
		ASSERT_EQ(0, end_first(self));
	EXPECT_ANSWER_VALUE(0, 1);
	expect_direct(_metadata, self);
}

/* A read, and a whole event whenever its fault is at this gate. How often was that? */
static long hit_at(TEST_ARGS(progress), enum secmmu_gate gate)
{
	pid_t tid = actor_tid(&self->actor, 1);
	int post = gate_arm(self->dev, gate, tid, 0);
	long i;

	ASSERT_LE(0, post);
	ACTOR_DO(1, ACT_READ, 0, ACTOR_GPA(P));
	for (i = 0; i < ROUNDS; i++) {
		int last = post;

		if (actor_wait_gate(&self->actor, 1, self->dev, last))
			break;
		post = gate_arm(self->dev, gate, tid, 0);
		ASSERT_LE(0, post);
		ASSERT_EQ(0, begin_next(self));
		ASSERT_EQ(0, end_first(self));
		GATE_OPEN(last);
	}
	gates_clear(self->dev);
	EXPECT_ANSWER_VALUE(label(P, 1), 1);
	return i;
}

/* A whole event comes whenever the fault has its page. */
SECMMU_TEST_F(progress, A18_hit_again)
{
	EXPECT_EQ(PATIENCE, hit_at(_metadata, self, SECMMU_GATE_FAULT_GOT));
	expect_direct(_metadata, self);
}

/* ... or has installed it, and the access does not come to see the entry. */
SECMMU_TEST_F(progress, A18_dropped_again)
{
	EXPECT_EQ(PATIENCE, hit_at(_metadata, self, SECMMU_GATE_FAULT_INSTALLED));
	EXPECT_COUNTER(self->before.direct + 1, direct);
}

/* Ends an event and begins the next in time, until the access has come back. */
static void *keep_an_event(void *arg)
{
	FIXTURE_DATA(progress) *self = arg;

	while (!__atomic_load_n(&self->stop, __ATOMIC_ACQUIRE))
		if (begin_next(self) || end_first(self))
			return "an event failed";
	return NULL;
}

/*
 * The first thing fails that this thread asks for, then the second, and so on: among them
 * the page that it gets past the mirror, and the copy of what it has read there.
 */
SECMMU_TEST_F(progress, A18_without_memory)
{
	struct fail fail = {};
	void *problem = NULL;
	pthread_t thread;
	__u64 word = 0;
	unsigned int nth;
	int ret, hit;

	self->stop = false;
	ASSERT_EQ(0, begin_next(self));
	ASSERT_EQ(0, fail_start(&fail, FAIL_BY_DRIVER, self->dev));
	ASSERT_EQ(0, pthread_create(&thread, NULL, keep_an_event, self));
	for (nth = 1; nth < 1000; nth++) {
		EXPECT_EQ(0, fail_arm(&fail, nth));
		ret = gpa_get(self->engine, ACTOR_GPA(P), &word);
		hit = fail_disarm(&fail);
		if (hit == FAIL_NOTHING)
			break;
		EXPECT_EQ(hit == FAIL_COPY ? -EFAULT : -ENOMEM, ret);
		self->before.direct += hit == FAIL_COPY;
	}
	EXPECT_LT(1, nth);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(label(P, 1), word);
	__atomic_store_n(&self->stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, &problem));
	EXPECT_EQ(NULL, problem);
	fail_stop(&fail);
	expect_direct(_metadata, self);
}

/* Bring a write of thread 1 past the mirror to the gate; the post of that gate. */
static int write_up_to(TEST_ARGS(progress), enum secmmu_gate gate)
{
	int post = gate_arm(self->dev, gate, actor_tid(&self->actor, 1), 0);
	long i;

	ASSERT_LE(0, post);
	ASSERT_EQ(0, begin_next(self));
	ACTOR_DO(1, ACT_WRITE, 0, ACTOR_GPA(P), label(P, 2));
	for (i = 0; i < ROUNDS && actor_waits(&self->actor, 1, 1); i++) {
		ASSERT_EQ(0, begin_next(self));
		ASSERT_EQ(0, end_first(self));
		if (!gate_wait_ms(self->dev, post, 20))
			return post;
	}
	GATE_WAIT(post);
	return post;
}

static void finish_write(TEST_ARGS(progress), int post)
{
	GATE_OPEN(post);
	while (self->ended < self->begun)
		ASSERT_EQ(0, end_first(self));
	ASSERT_EQ(0, actor_answer(&self->actor, 1, NULL));
}

/* A write past the mirror is in the log, and in the memory. */
SECMMU_TEST_F(progress, C2_write_past_the_mirror)
{
	ACTOR_RUN(2, ACT_SLOT, 0, ACTOR_GPA(0), 0, PAGES, SECMMU_SLOT_LOG_DIRTY);
	GET_STATS(self->before);
	finish_write(_metadata, self, write_up_to(_metadata, self, SECMMU_GATE_DIRECT_GOT));
	ACTOR_DO(0, ACT_LOAD, P);
	EXPECT_ANSWER_VALUE(label(P, 2), 0);
	ACTOR_DO(0, ACT_DIRTY, 0, PAGES);
	EXPECT_ANSWER_VALUE(1ULL << P, 0);
	expect_direct(_metadata, self);
}

/* The slot shows other memory before the data move: they go there. */
SECMMU_TEST_F(progress, A11_slot_replaced)
{
	int post = write_up_to(_metadata, self, SECMMU_GATE_DIRECT_GOT);

	ACTOR_RUN(2, ACT_SLOT, 0, ACTOR_GPA(0), PAGES / 2, PAGES / 2, 0);
	finish_write(_metadata, self, post);
	ACTOR_DO(0, ACT_LOAD, P);
	EXPECT_ANSWER_VALUE(label(P, 1), 0);
	ACTOR_DO(0, ACT_LOAD, PAGES / 2 + P);
	EXPECT_ANSWER_VALUE(label(P, 2), 0);
}

/* A change of the slot waits for the window in which the data move. */
SECMMU_TEST_F(progress, A11_slot_waits)
{
	int post;

	if (!cpus_enough())
		SKIP(return, "less than %d processors", OUTSIDER_CPUS);
	ASSERT_EQ(0, cpus_spread_for(&self->actor, 1));
	post = write_up_to(_metadata, self, SECMMU_GATE_DIRECT_CHECKED);
	ACTOR_DO(2, ACT_SLOT, 0, ACTOR_GPA(0), PAGES / 2, PAGES / 2, 0);
	EXPECT_TRUE(actor_stays(&self->actor, 2));
	finish_write(_metadata, self, post);
	EXPECT_ANSWER(0, 2);
}

/* fork(2) while the page is held for writing: the child keeps what it was born with. */
SECMMU_TEST_F(progress, C3_fork)
{
	int post = write_up_to(_metadata, self, SECMMU_GATE_DIRECT_GOT);
	char path[64];
	__u64 pid, word = 0;
	int mem;

	ACTOR_DO(2, ACT_FORK);
	ASSERT_EQ(0, actor_answer(&self->actor, 2, &pid));
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	mem = ASSERT_NUMBER(open(path, O_RDONLY));
	finish_write(_metadata, self, post);
	ASSERT_EQ(sizeof(word), pread(mem, &word, sizeof(word),
				      (off_t)(uintptr_t)ACTOR_MEM(P)));
	EXPECT_EQ(label(P, 1), word);
	close(mem);
	child_kill(pid);
	ACTOR_DO(0, ACT_LOAD, P);
	EXPECT_ANSWER_VALUE(label(P, 2), 0);
}

TEST_HARNESS_MAIN
