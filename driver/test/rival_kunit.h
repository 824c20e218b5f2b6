/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A rival: a thread that needs a spinlock which the test holds. It runs on another CPU, so
 * that the test can spin meanwhile, and see what the rival has done without the lock.
 */
#ifndef SECMMU_TEST_RIVAL_KUNIT_H
#define SECMMU_TEST_RIVAL_KUNIT_H

#include <kunit/test.h>
#include <linux/completion.h>

/**
 * struct secmmu_rival - a thread that needs a lock
 * @work: what it does
 * @context: with what
 * @thread: the thread
 * @begun: it runs
 * @done: it has done its work
 */
struct secmmu_rival {
	void (*work)(void *context);
	void *context;
	struct task_struct *thread;
	struct completion begun;
	struct completion done;
};

void secmmu_rival_create(struct kunit *test, struct secmmu_rival *rival);
bool secmmu_rival_waits(struct secmmu_rival *rival);
void secmmu_rival_await(struct secmmu_rival *rival);
void secmmu_rival_destroy(struct secmmu_rival *rival);

#endif
