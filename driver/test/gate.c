// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "gate.h"

/* Tests on slow kernels need long times. */
#define TIMEOUT_MS_MAX	3600000
#define POLL_US		200

/**
 * struct post - one gate, armed for one thread
 * @armed: in use
 * @gate: which gate
 * @tid: the thread to hold, or zero for any
 * @address: the address that the passage must be about, or zero for any
 * @skip: number of matching passages to let pass first
 * @timeout_ms: time after which the gate opens by itself
 * @held: the thread that is or was held, or zero
 * @open: the thread may go
 * @expired: the time was up before the gate was opened
 * @left: the thread has gone
 */
struct post {
	bool armed;
	enum secmmu_gate gate;
	pid_t tid;
	u64 address;
	u32 skip;
	u32 timeout_ms;
	pid_t held;
	bool open;
	bool expired;
	bool left;
};

/* Protects the posts; taken wherever a gate may be, with interrupts off. */
static DEFINE_RAW_SPINLOCK(lock);
static struct post posts[SECMMU_TEST_POSTS];

/* Number of armed posts: a hint that there may be something to look for. */
unsigned int secmmu_gates_armed;

static bool post_matches(const struct post *post, enum secmmu_gate gate, u64 address)
{
	return post->armed && !post->held && !post->open &&
	       post->gate == gate &&
	       (!post->tid || post->tid == current->pid) &&
	       (!post->address || !address ||
		post->address >> PAGE_SHIFT == address >> PAGE_SHIFT);
}

static struct post *enter_gate(enum secmmu_gate gate, u64 address)
{
	struct post *found = NULL;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < SECMMU_TEST_POSTS && !found; i++) {
		if (!post_matches(&posts[i], gate, address))
			continue;
		if (posts[i].skip) {
			posts[i].skip--;
			continue;
		}
		found = &posts[i];
		WRITE_ONCE(found->held, current->pid);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return found;
}

/**
 * secmmu_gate_pass - hold this thread here if a test has armed the gate
 * @gate: the gate
 * @address: what the passage is about, or zero
 * @may_sleep: wait asleep
 *
 * Context: anywhere; time-limited.
 */
void secmmu_gate_pass(enum secmmu_gate gate, u64 address, bool may_sleep)
{
	struct post *post = enter_gate(gate, address);
	u64 until;

	if (!post)
		return;
	until = ktime_get_mono_fast_ns() +
		(u64)post->timeout_ms * NSEC_PER_MSEC;
	while (!READ_ONCE(post->open)) {
		if (ktime_get_mono_fast_ns() > until) {
			WRITE_ONCE(post->expired, true);
			break;
		}
		if (may_sleep)
			usleep_range(POLL_US, 2 * POLL_US);
		else
			cpu_relax();
	}
	/* The last look at the post; pairs with the acquire in secmmu_gate_open(). */
	smp_store_release(&post->left, true);
}

/**
 * secmmu_gate_arm - hold the next thread that comes by
 * @arg: see &struct secmmu_test_gate
 *
 * Context: process.
 * Return: 0, -EINVAL or -ENOSPC.
 */
int secmmu_gate_arm(struct secmmu_test_gate *arg)
{
	unsigned long flags;
	int i;

	if (arg->gate >= SECMMU_NR_GATES || !arg->timeout_ms ||
	    arg->timeout_ms > TIMEOUT_MS_MAX)
		return -EINVAL;
	raw_spin_lock_irqsave(&lock, flags);
	for (i = 0; i < SECMMU_TEST_POSTS && posts[i].armed; i++)
		;
	if (i < SECMMU_TEST_POSTS) {
		posts[i] = (struct post) {
			.armed = true,
			.gate = arg->gate,
			.tid = arg->tid,
			.address = arg->address,
			.skip = arg->skip,
			.timeout_ms = arg->timeout_ms,
		};
		WRITE_ONCE(secmmu_gates_armed, secmmu_gates_armed + 1);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	arg->post = i;
	return i < SECMMU_TEST_POSTS ? 0 : -ENOSPC;
}

static bool is_armed(const struct post *post)
{
	unsigned long flags;
	bool armed;

	raw_spin_lock_irqsave(&lock, flags);
	armed = post->armed;
	raw_spin_unlock_irqrestore(&lock, flags);
	return armed;
}

/**
 * secmmu_gate_wait - wait until a thread is held
 * @arg: see &struct secmmu_test_gate
 *
 * Context: process; sleeps.
 * Return: 0, -EINVAL, -ETIMEDOUT or -EINTR.
 */
int secmmu_gate_wait(struct secmmu_test_gate *arg)
{
	u64 until = ktime_get_ns() + (u64)arg->timeout_ms * NSEC_PER_MSEC;
	struct post *post = &posts[min_t(u32, arg->post, SECMMU_TEST_POSTS - 1)];
	pid_t held;

	if (arg->post >= SECMMU_TEST_POSTS || !is_armed(post))
		return -EINVAL;
	while (!(held = READ_ONCE(post->held))) {
		if (ktime_get_ns() > until)
			return -ETIMEDOUT;
		if (signal_pending(current))
			return -EINTR;
		usleep_range(POLL_US, 2 * POLL_US);
	}
	arg->tid = held;
	return 0;
}

/**
 * secmmu_gate_open - let the thread go, and do not hold another
 * @arg: see &struct secmmu_test_gate
 *
 * Context: process; sleeps.
 * Return: 0, -EINVAL, or -ETIME if the thread had gone by itself.
 */
int secmmu_gate_open(const struct secmmu_test_gate *arg)
{
	struct post *post = &posts[min_t(u32, arg->post, SECMMU_TEST_POSTS - 1)];
	unsigned long flags;
	bool held, expired;

	if (arg->post >= SECMMU_TEST_POSTS || !is_armed(post))
		return -EINVAL;
	raw_spin_lock_irqsave(&lock, flags);
	WRITE_ONCE(post->open, true);
	held = post->held;
	raw_spin_unlock_irqrestore(&lock, flags);

	/* Its last look; pairs with the release in secmmu_gate_pass(). */
	while (held && !smp_load_acquire(&post->left))
		usleep_range(POLL_US, 2 * POLL_US);
	expired = post->expired;
	raw_spin_lock_irqsave(&lock, flags);
	post->armed = false;
	WRITE_ONCE(secmmu_gates_armed, secmmu_gates_armed - 1);
	raw_spin_unlock_irqrestore(&lock, flags);
	return expired ? -ETIME : 0;
}
