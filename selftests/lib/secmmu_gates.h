/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instruments of test builds, as linux/secmmu_test.h has them: gates, injected
 * events, what is in flight, the oracle. Nothing here knows the harness; functions
 * return zero (or what they say) or a negative error number.
 */
#ifndef SECMMU_GATES_H
#define SECMMU_GATES_H

#include <sys/types.h>

#include <linux/secmmu_test.h>

#include "secmmu_test.h"

/* Until a gate opens by itself, and the test fails, in milliseconds. */
#define GATE_LIMIT	(40000 * secmmu_slow())
/* For what happens at once, unless something is broken. */
#define GATE_PATIENCE	secmmu_patience_ms()

long secmmu_patience_ms(void);

/* A post. @tid: zero for any thread; @address: zero for any. */
int gate_arm(int dev, unsigned int gate, pid_t tid, __u64 address);
int gate_arm_after(int dev, unsigned int gate, pid_t tid, __u64 address, unsigned int skip);
/* Wait until a thread stands in it. */
int gate_wait(int dev, int post);
/* -ETIMEDOUT: no thread has come within @ms milliseconds. */
int gate_wait_ms(int dev, int post, unsigned int ms);
int gate_open(int dev, int post);
/* Opens what a failed test has left armed. */
void gates_clear(int dev);

/* Calls the callbacks; @mem is an address in the mirrored process. */
int event_begin(int mirror, const void *mem, long pages);
int event_end(int mirror, const void *mem, long pages);
/* @flags: SECMMU_TEST_EVENT_* */
int event_inject(int mirror, __u32 flags, const void *mem, long pages);

/*
 * Begins as many events as have a record, of one page each, and returns their number. All
 * further events share one hull.
 */
long events_fill(int mirror, const char *mem);
int events_empty(int mirror, const char *mem, long events);

/* Young: 1, old: 0, or an error. */
int age_clear(int mirror, const void *mem, long pages);
int age_test(int mirror, const void *mem);

/* How engines learn of another mode; it can change again, if it was frozen. */
int refresh_policy(int mirror, __u32 policy);

int state_get(int mirror, struct secmmu_test_state *state);
/* Wait until this number of faults wait for an event, or are recorded. */
int state_wait_waiters(int mirror, unsigned int waiters);
int state_wait_faults(int mirror, unsigned int faults);

int oracle_mark(int mirror);
int oracle_check(int mirror, struct secmmu_test_oracle *result);

/* How many refer to a page of the mirrored process, or an error. */
int page_refs(int mirror, const void *mem);
/* Without those that the lists of the kernel have for a moment; drops its caches. */
int page_lasting_refs(int mirror, const void *mem);
/* Is it marked dirty, apart from what the CPU's entry says? 0, 1 or an error. */
int page_dirty(int mirror, const void *mem);

/* For the harness: arms a gate for any thread, and gives the post. */
#define GATE_ARM(gate, address)						\
({									\
	int _post = gate_arm(self->dev, SECMMU_GATE_##gate, 0,		\
			     (uintptr_t)(address));			\
									\
	ASSERT_LE(0, _post);						\
	_post;								\
})

/* For the harness: until a thread stands in it; lets it go. */
#define GATE_WAIT(post)							\
do {									\
	ASSERT_EQ(0, gate_wait(self->dev, post));			\
} while (0)

#define GATE_OPEN(post)							\
do {									\
	ASSERT_EQ(0, gate_open(self->dev, post));			\
} while (0)

/* A part of an event or a whole one; @mem is an address in the mirrored process. */
#define EVENT_BEGIN(mem, pages)						\
do {									\
	ASSERT_EQ(0, event_begin(self->mirror, mem, pages));		\
} while (0)

#define EVENT_END(mem, pages)						\
do {									\
	ASSERT_EQ(0, event_end(self->mirror, mem, pages));		\
} while (0)

#define PASS_EVENT(mem, pages)						\
do {									\
	EVENT_BEGIN(mem, pages);					\
	EVENT_END(mem, pages);						\
} while (0)

/* One figure of what is in flight; one that the oracle gives. */
#define EXPECT_STATE(expected, field)					\
do {									\
	struct secmmu_test_state _state = {};				\
									\
	ASSERT_EQ(0, state_get(self->mirror, &_state));			\
	EXPECT_EQ(expected, _state.field);				\
} while (0)

#define EXPECT_ORACLE(expected, field)					\
do {									\
	struct secmmu_test_oracle _result = {};				\
									\
	ASSERT_EQ(0, oracle_check(self->mirror, &_result));		\
	EXPECT_EQ(expected, _result.field);				\
} while (0)

/* All is as it should be, and something was looked at; for the harness. */
#define EXPECT_COHERENT(mirror)						\
do {									\
	struct secmmu_test_oracle _result = {};				\
									\
	EXPECT_EQ(0, oracle_check(mirror, &_result));			\
	EXPECT_EQ(0, _result.stale);					\
	EXPECT_EQ(0, _result.too_wide);					\
	EXPECT_EQ(0, _result.lost);					\
	EXPECT_EQ(0, _result.overflow);					\
	EXPECT_EQ(0, _result.unjudged);					\
} while (0)

/* A mirror has no entry any more, nor has the TLB of any engine of it. */
#define EXPECT_NOTHING_MAPPED(mirror)					\
do {									\
	struct secmmu_test_oracle _result = {};				\
									\
	EXPECT_EQ(0, oracle_check(mirror, &_result));			\
	EXPECT_EQ(0, _result.sptes);					\
	EXPECT_EQ(0, _result.tlb_entries);				\
} while (0)

/* The same for tests that run without these instruments, too; after a storm. */
#define EXPECT_COHERENT_IF_KNOWN(mirror)				\
do {									\
	struct secmmu_test_oracle _result = {};				\
	int _ret = oracle_check(mirror, &_result);			\
									\
	EXPECT_TRUE(!_ret || _ret == -ENOTTY);				\
	EXPECT_EQ(0, _result.stale);					\
	EXPECT_EQ(0, _result.too_wide);					\
} while (0)

#endif /* SECMMU_GATES_H */
