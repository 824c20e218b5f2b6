// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "secmmu_gates.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

int gate_arm_after(int dev, unsigned int gate, pid_t tid, __u64 address, unsigned int skip)
{
	struct secmmu_test_gate arg = {
		.size = sizeof(arg),
		.gate = gate,
		.tid = tid,
		.address = address,
		.skip = skip,
		.timeout_ms = GATE_LIMIT,
	};
	int ret = secmmu_call(dev, SECMMU_TEST_GATE_ARM, &arg, sizeof(arg));

	return ret ?: (int)arg.post;
}

int gate_arm(int dev, unsigned int gate, pid_t tid, __u64 address)
{
	return gate_arm_after(dev, gate, tid, address, 0);
}

int gate_wait_ms(int dev, int post, unsigned int ms)
{
	struct secmmu_test_gate arg = {
		.size = sizeof(arg),
		.post = post,
		.timeout_ms = ms,
	};

	return secmmu_call(dev, SECMMU_TEST_GATE_WAIT, &arg, sizeof(arg));
}

/* A clock that counts instructions stands still while the host is busy. */
long secmmu_patience_ms(void)
{
	return (getenv("SECMMU_ICOUNT") ? 4000 : 20000) * secmmu_slow();
}

int gate_wait(int dev, int post)
{
	return gate_wait_ms(dev, post, GATE_PATIENCE);
}

int gate_open(int dev, int post)
{
	struct secmmu_test_gate arg = { .size = sizeof(arg), .post = post };

	return secmmu_call(dev, SECMMU_TEST_GATE_OPEN, &arg, sizeof(arg));
}

void gates_clear(int dev)
{
	int post;

	for (post = 0; post < SECMMU_TEST_POSTS; post++)
		gate_open(dev, post);
}

int event_inject(int mirror, __u32 flags, const void *mem, long pages)
{
	struct secmmu_test_event arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (uintptr_t)mem,
		.end = (uintptr_t)mem + pages * PAGE,
	};

	return secmmu_call(mirror, SECMMU_TEST_EVENT, &arg, sizeof(arg));
}

int event_begin(int mirror, const void *mem, long pages)
{
	return event_inject(mirror, SECMMU_TEST_EVENT_BEGIN, mem, pages);
}

int event_end(int mirror, const void *mem, long pages)
{
	return event_inject(mirror, SECMMU_TEST_EVENT_END, mem, pages);
}

long events_fill(int mirror, const char *mem)
{
	struct secmmu_test_state state;
	long n = -1;
	int ret;

	do {
		n++;
		ret = event_begin(mirror, mem + n * PAGE, 1);
		ret = ret ?: state_get(mirror, &state);
	} while (!ret && !state.overflow);
	ret = ret ?: event_end(mirror, mem + n * PAGE, 1);
	return ret ?: n;
}

int events_empty(int mirror, const char *mem, long events)
{
	int ret = 0;

	while (!ret && events--)
		ret = event_end(mirror, mem + events * PAGE, 1);
	return ret;
}

static int age(int mirror, __u32 flags, const void *mem, long pages)
{
	struct secmmu_test_event arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (uintptr_t)mem,
		.end = (uintptr_t)mem + pages * PAGE,
	};
	int ret = secmmu_call(mirror, SECMMU_TEST_EVENT, &arg, sizeof(arg));

	return ret ?: (int)arg.young;
}

int age_clear(int mirror, const void *mem, long pages)
{
	return age(mirror, SECMMU_TEST_EVENT_AGE_CLEAR, mem, pages);
}

int age_test(int mirror, const void *mem)
{
	return age(mirror, SECMMU_TEST_EVENT_AGE_TEST, mem, 1);
}

int refresh_policy(int mirror, __u32 policy)
{
	struct secmmu_test_refresh arg = { .size = sizeof(arg), .policy = policy };

	return secmmu_call(mirror, SECMMU_TEST_REFRESH, &arg, sizeof(arg));
}

int state_get(int mirror, struct secmmu_test_state *state)
{
	memset(state, 0, sizeof(*state));
	state->size = sizeof(*state);
	return secmmu_call(mirror, SECMMU_TEST_STATE, state, sizeof(*state));
}

/* Wait until the field at this offset of the state has this value. */
static int wait_for_field(int mirror, size_t offset, __u32 wanted)
{
	long until = now_ms() + GATE_PATIENCE;
	struct secmmu_test_state state;
	int ret;

	do {
		ret = state_get(mirror, &state);
		if (ret || !memcmp((char *)&state + offset, &wanted, sizeof(wanted)))
			return ret;
		sleep_ms(1);
	} while (now_ms() < until);
	return -ETIMEDOUT;
}

int state_wait_waiters(int mirror, unsigned int waiters)
{
	return wait_for_field(mirror, offsetof(struct secmmu_test_state, waiters), waiters);
}

int state_wait_faults(int mirror, unsigned int faults)
{
	return wait_for_field(mirror, offsetof(struct secmmu_test_state, faults), faults);
}

int oracle_mark(int mirror)
{
	struct secmmu_test_oracle arg = { .size = sizeof(arg) };

	return secmmu_call(mirror, SECMMU_TEST_MARK, &arg, sizeof(arg));
}

int oracle_check(int mirror, struct secmmu_test_oracle *result)
{
	int tries = 20, ret;

	/* The kernel itself may have touched a page meanwhile: look again. */
	do {
		memset(result, 0, sizeof(*result));
		result->size = sizeof(*result);
		ret = secmmu_call(mirror, SECMMU_TEST_CHECK, result, sizeof(*result));
		if (ret || !result->unjudged || result->stale || result->too_wide ||
		    result->lost)
			break;
		sleep_ms(20);
	} while (--tries);
	return ret;
}

static int page(int mirror, const void *mem, struct secmmu_test_page *arg)
{
	*arg = (struct secmmu_test_page) {
		.size = sizeof(*arg),
		.address = (uintptr_t)mem,
	};
	return secmmu_call(mirror, SECMMU_TEST_PAGE, arg, sizeof(*arg));
}

int page_refs(int mirror, const void *mem)
{
	struct secmmu_test_page arg;
	int ret = page(mirror, mem, &arg);

	return ret ?: (int)arg.refs;
}

int page_lasting_refs(int mirror, const void *mem)
{
	int tries, refs, least = INT_MAX;

	/* Asking makes the page look used, which may move it once more. */
	for (tries = 0; tries < 4; tries++) {
		refs = page_refs(mirror, mem);
		least = refs < least ? refs : least;
		if (least <= 1 || drain_lists())
			break;
	}
	return least;
}

int page_dirty(int mirror, const void *mem)
{
	struct secmmu_test_page arg;
	int ret = page(mirror, mem, &arg);

	return ret ?: (int)arg.dirty;
}
