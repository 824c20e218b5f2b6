// SPDX-License-Identifier: GPL-2.0
/*
 * Historical users of MMU notifiers as subscribers of a chain: what they can rely on,
 * and the failures for which they are remembered. Needs a test build.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "secmmu_actor.h"
#include "secmmu_gates.h"
#include "secmmu_group.h"
#include "secmmu_harness.h"

#define PAGES	16L
#define BATCH	SECMMU_TEST_PAST_BATCH
#define MANY	4096L

ACTOR_FIXTURE(history, PAGES)

static int subscribe(int mirror, __u32 kind, const char *mem, long pages)
{
	struct secmmu_test_subscribe arg = {
		.size = sizeof(arg),
		.kind = kind,
		.start = (uintptr_t)mem,
		.end = (uintptr_t)(mem + pages * PAGE),
	};
	int ret = secmmu_call(mirror, SECMMU_TEST_SUBSCRIBE, &arg, sizeof(arg));

	return ret ?: arg.fd;
}

static int act_on(int past, __u32 flags, const void *address, long pages,
		  struct secmmu_test_past *state)
{
	*state = (struct secmmu_test_past) {
		.size = sizeof(*state),
		.flags = flags,
		.address = (uintptr_t)address,
		.pages = pages,
	};
	return ioctl(past, SECMMU_TEST_PAST, state) ? -errno : 0;
}

static int act(int past, __u32 flags, const void *address,
	       struct secmmu_test_past *state)
{
	return act_on(past, flags, address, 1, state);
}

/* One that looks at all of the actor's memory. */
#define SUBSCRIBE(kind)							\
({									\
	int _past = subscribe(self->mirror, SECMMU_TEST_##kind,		\
			      ACTOR_MEM(0), PAGES);			\
									\
	ASSERT_LE(0, _past);						\
	_past;								\
})

#define LOOK(past)							\
({									\
	struct secmmu_test_past _state;					\
									\
	ASSERT_EQ(0, act(past, 0, NULL, &_state));			\
	_state;								\
})

#define DO(what, past, address)						\
do {									\
	struct secmmu_test_past _did;					\
									\
	ASSERT_EQ(0, act(past, SECMMU_TEST_PAST_##what, address, &_did)); \
} while (0)

/* A fault of a subscriber, which may wait. */
struct faulter {
	pthread_t thread;
	int past;
	int result;
	bool done;
};

static void *fault(void *data)
{
	struct faulter *faulter = data;
	struct secmmu_test_past state;

	faulter->result = act(faulter->past, SECMMU_TEST_PAST_FAULT, NULL, &state);
	__atomic_store_n(&faulter->done, true, __ATOMIC_RELEASE);
	return NULL;
}

SECMMU_TEST_F(history, A2_gru_waits_while_events_are_in_flight)
{
	struct faulter faulter = { .past = SUBSCRIBE(GRU) };

	DO(FAULT, faulter.past, NULL);
	EXPECT_EQ(1, LOOK(faulter.past).present);
	EVENT_BEGIN(ACTOR_MEM(0), 2);
	EVENT_BEGIN(ACTOR_MEM(8), 1);
	EXPECT_EQ(2, LOOK(faulter.past).active);
	EXPECT_EQ(0, LOOK(faulter.past).present);
	ASSERT_EQ(0, pthread_create(&faulter.thread, NULL, fault, &faulter));
	EVENT_END(ACTOR_MEM(0), 2);
	EXPECT_EQ(1, LOOK(faulter.past).active);
	EXPECT_FALSE(__atomic_load_n(&faulter.done, __ATOMIC_ACQUIRE));
	EVENT_END(ACTOR_MEM(8), 1);
	pthread_join(faulter.thread, NULL);
	EXPECT_EQ(0, faulter.result);
	EXPECT_EQ(1, LOOK(faulter.past).present);
	EXPECT_EQ(0, LOOK(faulter.past).active);
	close(faulter.past);
	EXPECT_COHERENT(self->mirror);
}

/*
 * Its failure: ends that it has not seen begin take its count below zero, and then it
 * does not wait when it should. The mirror beside it, which counts nothing, waits.
 */
SECMMU_TEST_F(history, A5_gru_counts_below_zero)
{
	struct secmmu_stats a, b;
	int early, late;

	early = SUBSCRIBE(GRU);
	EVENT_BEGIN(ACTOR_MEM(0), 1);
	late = SUBSCRIBE(GRU);
	EVENT_END(ACTOR_MEM(0), 1);
	EXPECT_EQ(0, LOOK(early).lowest);
	EXPECT_EQ(-1, LOOK(late).active);

	EVENT_BEGIN(ACTOR_MEM(4), 1);
	DO(FAULT, late, NULL);
	EXPECT_EQ(1, LOOK(late).present);
	ACTOR_DO(0, ACT_READ, 0, ACTOR_GPA(4));
	EXPECT_TRUE(actor_waits(&self->actor, 0, 1));
	EVENT_END(ACTOR_MEM(4), 1);
	EXPECT_ANSWER(0, 0);

	/* An end too many; the chain makes up for it with another walk. */
	GET_STATS(a);
	EVENT_END(ACTOR_MEM(4), 1);
	GET_STATS(b);
	EXPECT_EQ(-1, LOOK(early).lowest);
	EXPECT_DELTA(1, a, b, unpaired);
	close(early);
	close(late);
}

/* Its other failure: a walk that registrations disturb comes twice. */
SECMMU_TEST_F(history, A1_gru_counts_replays)
{
	int past = SUBSCRIBE(GRU);
	int post = ACTOR_HOLD(START_WALKED, ACTOR_MEM(3), 0, ACT_MADVISE, 3, 1, MADV_DONTNEED);

	ACTOR_RUN(1, ACT_SLOT, 1, 0, 0, 1, 0);
	EXPECT_GOES_ON(post, 0);
	EXPECT_EQ(2, LOOK(past).begins);
	EXPECT_EQ(1, LOOK(past).ends);
	EXPECT_EQ(1, LOOK(past).active);
	close(past);
	EXPECT_COHERENT(self->mirror);
}

SECMMU_TEST_F(history, B3_xpmem_keeps_pages_until_the_end)
{
	int past = SUBSCRIBE(XPMEM), post;

	DO(FAULT, past, ACTOR_MEM(3));
	DO(FAULT, past, ACTOR_MEM(5));
	EXPECT_LE(2, page_refs(self->mirror, ACTOR_MEM(3)));
	post = ACTOR_HOLD(END, ACTOR_MEM(3), 0, ACT_MADVISE, 3, 1, MADV_DONTNEED);
	EXPECT_EQ(1, LOOK(past).begins);
	EXPECT_EQ(2, LOOK(past).held);
	EXPECT_GOES_ON(post, 0);
	EXPECT_EQ(1, LOOK(past).held);
	close(past);
	EXPECT_COHERENT(self->mirror);
}

/* Nothing is held for a process that is gone. */
SECMMU_TEST_F(history, G1_xpmem_lets_go_at_release)
{
	int past = SUBSCRIBE(XPMEM);

	DO(FAULT, past, ACTOR_MEM(3));
	EXPECT_EQ(1, LOOK(past).held);
	actor_stop(&self->actor);
	EXPECT_EQ(0, LOOK(past).held);
	close(past);
}

/*
 * Both subscribers have used the page, and both must forget that: a second question finds
 * it unused. EMM's own chain ended at the first subscriber that said yes.
 */
SECMMU_TEST_F(history, A15_emm_all_are_asked)
{
	int one = SUBSCRIBE(EMM), two = SUBSCRIBE(EMM);

	DO(FAULT, one, NULL);
	DO(USE, one, NULL);
	DO(FAULT, two, NULL);
	DO(USE, two, NULL);
	EXPECT_EQ(1, age_test(self->mirror, ACTOR_MEM(0)));
	EXPECT_EQ(1, age_clear(self->mirror, ACTOR_MEM(0), 1));
	EXPECT_EQ(0, LOOK(one).young);
	EXPECT_EQ(0, LOOK(two).young);
	EXPECT_EQ(0, age_clear(self->mirror, ACTOR_MEM(0), 1));
	/* One callback for all: it has aged, and still has its translation. */
	EXPECT_EQ(1, LOOK(two).present);
	EVENT_BEGIN(ACTOR_MEM(0), 1);
	EXPECT_EQ(0, LOOK(two).present);
	EVENT_END(ACTOR_MEM(0), 1);
	close(one);
	close(two);
}

/* XPMEM in the memory of this process: references in an array, and flushes. */
FIXTURE(array)
{
	int dev, mirror, engine, past;
	char *mem;
};

FIXTURE_SETUP(array)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = region_map(MANY);
	ASSERT_NE(NULL, self->mem);
	self->past = subscribe(self->mirror, SECMMU_TEST_XPMEM, self->mem, MANY);
	ASSERT_LE(0, self->past);
}

FIXTURE_TEARDOWN(array)
{
	close(self->past);
	region_unmap(self->mem, MANY);
	SECMMU_TEARDOWN();
}

static int populate(FIXTURE_DATA(array) *self, long pages)
{
	struct secmmu_test_past state;
	long i;

	for (i = 0; i < pages; i++)
		*word_at(self->mem, i) = label(i, 1);
	return act_on(self->past, SECMMU_TEST_PAST_FAULT, self->mem, pages, &state);
}

/* Each array that is full is flushed once, and so is the rest. */
SECMMU_TEST_F(array, B1_flushes_per_event)
{
	static const long counts[] = { 1, BATCH - 1, BATCH, BATCH + 1, 1025 };
	struct secmmu_stats a, b;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		long n = counts[i];

		ASSERT_EQ(0, populate(self, n + 1));
		EXPECT_EQ(n + 1, LOOK(self->past).held);
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &a));
		ASSERT_EQ(0, madvise(self->mem, n * PAGE, MADV_DONTNEED));
		ASSERT_EQ(0, secmmu_get_stats(self->mirror, &b));
		EXPECT_EQ(1, LOOK(self->past).held);
		EXPECT_DELTA((n + BATCH - 1) / BATCH, a, b, flushes);
		EXPECT_DELTA(0, a, b, unpaired);
		ASSERT_EQ(0, madvise(self->mem + n * PAGE, PAGE, MADV_DONTNEED));
	}
}

static int rewrite(void *data)
{
	long i;

	for (i = 0; i < 64; i++) {
		CHECK(*word_at(data, i) == label(i, 1));
		*word_at(data, i) = label(i, 9);
	}
	return 0;
}

/* However often it asks for a page, also after fork(2), it refers to it once. */
SECMMU_TEST_F(array, G1_one_reference)
{
	SECMMU_CHANGES_OR_SKIP("drops the kernel's caches");
	ASSERT_EQ(0, populate(self, 64));
	EXPECT_EQ(2, page_lasting_refs(self->mirror, self->mem));
	ASSERT_EQ(0, populate(self, 64));
	EXPECT_EQ(64, LOOK(self->past).held);
	EXPECT_EQ(2, page_lasting_refs(self->mirror, self->mem));
	EXPECT_EQ(0, child_wait(child_start(rewrite, self->mem)));
	EXPECT_EQ(0, LOOK(self->past).held);
	EXPECT_EQ(1, page_lasting_refs(self->mirror, self->mem));
	ASSERT_EQ(0, populate(self, 64));
	EXPECT_EQ(2, page_lasting_refs(self->mirror, self->mem));
}

/* Bytes of memory that the group of this test uses. */
static long memory_used(const struct secmmu_group *group)
{
	return group_read(group, "memory.current", "");
}

/* Pages are free once the event, or the subscriber, has ended. */
static int let_go(void *data)
{
	FIXTURE_DATA(array) *self = data;
	struct secmmu_group group = {};
	long size = MANY * PAGE, slack = size / 8, before, i;

	CHECK(!group_enter(&group));
	for (i = 0; i < 3; i++) {
		self->mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
		CHECK(self->mirror >= 0);
		self->past = subscribe(self->mirror, SECMMU_TEST_XPMEM, self->mem, MANY);
		CHECK(self->past >= 0);
		before = memory_used(&group);
		CHECK(before >= 0);
		CHECK(!populate(self, MANY));
		CHECK(memory_used(&group) >= before + size - slack);
		/* The mirror stays for as long as the subscriber does. */
		if (i == 1)
			close(self->mirror);
		if (i == 2)
			close(self->past);
		CHECK(!madvise(self->mem, size, MADV_DONTNEED));
		CHECK(memory_used(&group) <= before + slack);
		if (i != 1)
			close(self->mirror);
		if (i != 2)
			close(self->past);
	}
	group_leave(&group);
	return 0;
}

SECMMU_TEST_F(array, G1_pages_are_let_go)
{
	if (!inside_or_told())
		SKIP(return, SECMMU_REFUSED("makes a control group"));
	EXPECT_EQ(0, child_wait(child_start(let_go, self)));
}

TEST_HARNESS_MAIN
