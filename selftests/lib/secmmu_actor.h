/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An actor: a process with memory, a mirror of it, and threads that do what the test
 * tells them, one thing at a time each. The test itself is another process, so that it
 * neither raises events in that memory nor stands in its own way.
 *
 * Orders and answers go through shared memory that the threads look at every fifth of a
 * millisecond: between an order and its answer an actor does nothing else to its
 * address space.
 *
 * Nothing here knows the harness; functions return a negative error number on failure.
 */
#ifndef SECMMU_ACTOR_H
#define SECMMU_ACTOR_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

#include "secmmu_gates.h"

#define ACTOR_THREADS	6
#define ACTOR_ENGINES	4
#define ACTOR_BASE	0x100000000ULL
/* The gpa of a page of the actor's memory, in slot 0. */
#define ACTOR_GPA(page)	(ACTOR_BASE + (page) * PAGE)

/* What a thread can do. Pages count from the start of the actor's memory. */
enum actor_op {
	ACT_NOTHING,
	ACT_READ,	/* engine, gpa: the word goes to @value */
	ACT_WRITE,	/* engine, gpa, word */
	ACT_PREFAULT,	/* gpa, pages, flags; @value: pages left */
	ACT_LOAD,	/* page: the processor's view goes to @value */
	ACT_STORE,	/* page, word */
	ACT_LABEL,	/* page, pages, round: stores label(page, round) in each */
	ACT_MADVISE,	/* page, pages, advice */
	ACT_MPROTECT,	/* page, pages, prot */
	ACT_MUNMAP,	/* page, pages */
	ACT_MMAP,	/* page, pages, prot: fresh memory in place of the old */
	ACT_SLOT,	/* id, gpa, page, pages, flags; no pages: delete */
	ACT_SLOT_IN,	/* id, gpa, page, pages, domains */
	ACT_DOMAINS,	/* creates those from 1 to a number */
	ACT_MIRROR,	/* another mirror with slot 0 and engine 0: @value: its number */
	ACT_CLOSE,	/* number of a mirror: closes it and its engine */
	ACT_FORK,	/* a child that sleeps: @value: its pid */
	ACT_DIRTY,	/* slot, pages: @value: the first 64 bits of the log */
	ACT_EVENT,	/* page, pages, SECMMU_TEST_EVENT_* */
	ACT_ATTACH,	/* engine, number of a mirror */
	ACT_TAG_BITS,	/* bits */
	ACT_CHECK,	/* number of a mirror; @value: what the oracle objects to */
	ACT_EXIT,	/* the process ends at once */
	ACT_EXEC,	/* the process executes a program that sleeps */
};

struct actor_shared;

/**
 * struct actor - the test's side
 * @pid: the process
 * @mirror: the first mirror, for calls by the test
 * @engine: its engines, likewise
 * @mem: address of the memory, in the actor
 * @pages: size of the memory
 * @shared: orders and answers
 */
struct actor {
	pid_t pid;
	int mirror;
	int engine[ACTOR_ENGINES];
	char *mem;
	long pages;
	struct actor_shared *shared;
};

/* Policy and batch as for secmmu_create_mirror(); the memory is never huge. */
int actor_start(struct actor *actor, int dev, long pages, __u32 policy, __u32 batch);
/* Likewise, of huge pages; -EOPNOTSUPP if there are none to be had. */
int actor_start_huge(struct actor *actor, int dev, long pages);
/* Kills it if it lives, and forgets everything. */
void actor_stop(struct actor *actor);

/* The thread's number for the kernel, as gates want it. */
pid_t actor_tid(const struct actor *actor, int thread);

/* Gives an order; the thread has answered the one before. */
void actor_order(struct actor *actor, int thread, enum actor_op op, __u64 a,
		 __u64 b, __u64 c, __u64 d, __u64 e);
#define actor_do(actor, thread, op, ...) \
	ACTOR_DO_(actor, thread, op, ##__VA_ARGS__, 0, 0, 0, 0, 0)
#define ACTOR_DO_(actor, thread, op, a, b, c, d, e, ...) \
	actor_order(actor, thread, op, a, b, c, d, e)

/* Has it answered? */
bool actor_done(const struct actor *actor, int thread);
/* Its answer: zero or an error; -ETIMEDOUT if it does not come. */
int actor_answer(struct actor *actor, int thread, __u64 *value);
/* Until it stands in a gate; -ECANCELED: it has answered without passing there. */
int actor_wait_gate(const struct actor *actor, int thread, int dev, int post);
/*
 * Do @waiters faults wait for events, before this thread has answered? Whichever
 * comes first.
 */
bool actor_waits(const struct actor *actor, int thread, unsigned int waiters);
/* Does it come to this gate, before it has answered or waits for an event? */
bool actor_reaches(const struct actor *actor, int thread, int dev, int post);
/* Is it silent for a while, in which it would have answered if it could? */
bool actor_stays(const struct actor *actor, int thread);
/* Order and answer in one. */
#define actor_run(actor, thread, op, ...)				\
({									\
	actor_do(actor, thread, op, ##__VA_ARGS__);			\
	actor_answer(actor, thread, NULL);				\
})

/*
 * For the harness, with "self" a fixture that has an actor: an order; one that
 * succeeds; one whose thread goes as far as a gate, of which it gives the post.
 */
#define ACTOR_DO(thread, op, ...)					\
	actor_do(&self->actor, thread, op, ##__VA_ARGS__)
#define ACTOR_RUN(thread, op, ...)					\
do {									\
	ACTOR_DO(thread, op, ##__VA_ARGS__);				\
	ASSERT_EQ(0, actor_answer(&self->actor, thread, NULL));		\
} while (0)

#define ACTOR_HOLD(gate, address, thread, op, ...)			\
({									\
	int _held = gate_arm(self->dev, SECMMU_GATE_##gate, 0,		\
			     (uintptr_t)(address));			\
									\
	ASSERT_LE(0, _held);						\
	ACTOR_DO(thread, op, ##__VA_ARGS__);				\
	GATE_WAIT(_held);						\
	_held;								\
})

/* Arms a gate for one thread, at any address. */
#define GATE_ARM_FOR(gate, thread)					\
({									\
	int _post = gate_arm(self->dev, SECMMU_GATE_##gate,		\
			     actor_tid(&self->actor, thread), 0);	\
									\
	ASSERT_LE(0, _post);						\
	_post;								\
})

/* As ACTOR_HOLD(), for a gate that any other thread passes. */
#define ACTOR_HOLD_AT(gate, thread, op, ...)				\
({									\
	int _held = GATE_ARM_FOR(gate, thread);				\
									\
	ACTOR_DO(thread, op, ##__VA_ARGS__);				\
	ASSERT_EQ(0, actor_wait_gate(&self->actor, thread, self->dev,	\
				     _held));				\
	_held;								\
})

/* What an order has come to: zero or an error; a value, after success. */
#define EXPECT_ANSWER(expected, thread)					\
do {									\
	EXPECT_EQ(expected, actor_answer(&self->actor, thread, NULL));	\
} while (0)

#define EXPECT_ANSWER_VALUE(expected, thread)				\
do {									\
	__u64 _value = POISON;						\
									\
	EXPECT_EQ(0, actor_answer(&self->actor, thread, &_value));	\
	EXPECT_EQ((__u64)(expected), _value);				\
} while (0)

/* A thread that stands in a gate goes on, and succeeds. */
#define EXPECT_GOES_ON(post, thread)					\
do {									\
	GATE_OPEN(post);						\
	EXPECT_ANSWER(0, thread);					\
} while (0)

/* The thread reads this word at this gpa through engine 0. */
#define EXPECT_ACTOR_READS(expected, thread, gpa)			\
do {									\
	ACTOR_DO(thread, ACT_READ, 0, gpa);				\
	EXPECT_ANSWER_VALUE(expected, thread);				\
} while (0)

/* For a fixture with an actor in it besides dev, mirror and engine. */
#define ACTOR_START(pages, policy, batch)				\
do {									\
	SECMMU_OPEN_OR_SKIP();						\
	gates_clear(self->dev);						\
	ASSERT_EQ(0, actor_start(&self->actor, self->dev, pages,	\
				 policy, batch));			\
	self->mirror = self->actor.mirror;				\
	self->engine = self->actor.engine[0];				\
} while (0)

/* The plainest; from here on the oracle knows what should be mapped. */
#define ACTOR_SETUP(pages)						\
do {									\
	ACTOR_START(pages, SECMMU_FLUSH_RANGE, 0);			\
	ASSERT_EQ(0, oracle_mark(self->mirror));			\
} while (0)

/* The same with huge pages, or the test is skipped. */
#define ACTOR_SETUP_HUGE(pages)						\
do {									\
	int _ret;							\
									\
	SECMMU_OPEN_OR_SKIP();						\
	gates_clear(self->dev);						\
	_ret = actor_start_huge(&self->actor, self->dev, pages);	\
	if (_ret == -EOPNOTSUPP) {					\
		actor_stop(&self->actor);				\
		SECMMU_SKIP("no huge pages to be had");			\
	}								\
	ASSERT_EQ(0, _ret);						\
	self->mirror = self->actor.mirror;				\
	self->engine = self->actor.engine[0];				\
	ASSERT_EQ(0, oracle_mark(self->mirror));			\
} while (0)

/* Who stands in a gate cannot be killed. */
#define ACTOR_TEARDOWN()						\
do {									\
	gates_clear(self->dev);						\
	actor_stop(&self->actor);					\
	close(self->dev);						\
} while (0)

/* A fixture of these only. */
#define ACTOR_FIXTURE(name, pages)					\
FIXTURE(name)								\
{									\
	int dev, mirror, engine;					\
	struct actor actor;						\
};									\
FIXTURE_SETUP(name)							\
{									\
	ACTOR_SETUP(pages);						\
}									\
FIXTURE_TEARDOWN(name)							\
{									\
	ACTOR_TEARDOWN();						\
}

/* The address of a page of it. */
#define ACTOR_MEM(page)		(self->actor.mem + (page) * PAGE)

#endif /* SECMMU_ACTOR_H */
