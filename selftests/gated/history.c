// SPDX-License-Identifier: GPL-2.0
/*
 * Historical users of MMU notifiers as subscribers of a chain: what they can rely on,
 * and the failures for which they are remembered. Needs a test build.
 */
#include <pthread.h>
#include <sys/ioctl.h>

#include "secmmu_actor.h"
#include "secmmu_harness.h"

#define PAGES	16L

ACTOR_FIXTURE(history, PAGES)

/* One that looks at all of the actor's memory. */
static int subscribe(FIXTURE_DATA(history) *self, __u32 kind)
{
	struct secmmu_test_subscribe arg = {
		.size = sizeof(arg),
		.kind = kind,
		.start = (uintptr_t)ACTOR_MEM(0),
		.end = (uintptr_t)ACTOR_MEM(PAGES),
	};
	int ret = secmmu_call(self->mirror, SECMMU_TEST_SUBSCRIBE, &arg, sizeof(arg));

	return ret ?: arg.fd;
}

static int act(int past, __u32 flags, const void *address, struct secmmu_test_past *state)
{
	*state = (struct secmmu_test_past) {
		.size = sizeof(*state),
		.flags = flags,
		.address = (uintptr_t)address,
	};
	return ioctl(past, SECMMU_TEST_PAST, state) ? -errno : 0;
}

#define SUBSCRIBE(kind)							\
({									\
	int _past = subscribe(self, SECMMU_TEST_##kind);		\
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
 * Both have used the page, both must forget it: asked again, nobody has. EMM's own
 * chain ended at the first who said yes.
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

TEST_HARNESS_MAIN
