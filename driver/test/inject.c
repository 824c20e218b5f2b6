// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/spinlock.h>

#include "inject.h"

/**
 * struct countdown - what is to fail
 * @born: start time of the thread; another thread may get the same address
 * @left: things that it may still ask for, with the one that fails
 * @hit: what has failed
 */
struct countdown {
	u64 born;
	u32 left;
	enum secmmu_test_failure hit;
};

/* Protects the countdown and its owner; nothing nests inside. */
static DEFINE_SPINLOCK(lock);
static struct countdown countdown;

/* The thread that has asked for failures. Other threads take no lock. */
struct task_struct *secmmu_injecting;

static bool is_ours(void)
{
	return secmmu_injecting == current && countdown.born == current->start_time;
}

/**
 * secmmu_inject - decide whether an operation must fail
 * @what: the operation; the calling thread has asked for failures
 *
 * Context: process; any locks.
 * Return: true once, when the countdown has ended.
 */
bool secmmu_inject(enum secmmu_test_failure what)
{
	bool fails = false;

	spin_lock(&lock);
	if (is_ours() && countdown.left) {
		fails = !--countdown.left;
		if (fails)
			countdown.hit = what;
	}
	spin_unlock(&lock);
	return fails;
}

/**
 * secmmu_inject_arm - start or end a countdown of the calling thread
 * @arg: see &struct secmmu_test_fail
 *
 * Context: process.
 * Return: 0, or -ESRCH if there is none to end.
 */
int secmmu_inject_arm(struct secmmu_test_fail *arg)
{
	int ret = 0;

	spin_lock(&lock);
	arg->hit = countdown.hit;
	if (!arg->nth && !is_ours())
		ret = -ESRCH;
	else
		WRITE_ONCE(secmmu_injecting, arg->nth ? current : NULL);
	if (arg->nth)
		countdown = (struct countdown) {
			.born = current->start_time,
			.left = arg->nth,
		};
	spin_unlock(&lock);
	return ret;
}
