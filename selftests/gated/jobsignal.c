// SPDX-License-Identifier: GPL-2.0
/*
 * A job is given up while its thread begins, and takes no signal yet. The thread would come
 * to wait for a page of a userfaultfd, which nobody fills. Needs a test build.
 */
#include <pthread.h>

#include <linux/userfaultfd.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define BASE		0x30000000ULL
#define REFCOUNT	"/sys/module/secmmu/refcnt"
#define THREAD		"secmmu-job"

FIXTURE(jobsignal)
{
	int dev, mirror, engine;
	int uffd;
	char *mem;
	long users;	/* of the driver, without the engine */
};

FIXTURE_SETUP(jobsignal)
{
	self->mem = NULL;
	self->uffd = uffd_open(0);
	if (self->uffd < 0)
		SKIP(return, "no userfaultfd");
	SECMMU_OPEN_OR_SKIP();
	gates_clear(self->dev);
	self->mem = ASSERT_MEMORY(region_map(1));
	ASSERT_EQ(0, uffd_register(self->uffd, self->mem, 1, UFFDIO_REGISTER_MODE_MISSING));
	self->mirror = NEW_MIRROR();
	SET_SLOT(0, 0, BASE, 0, 1);
	self->users = number_read(REFCOUNT, "");
	if (self->users < 0)
		SECMMU_SKIP("the driver is not a module");
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
}

FIXTURE_TEARDOWN(jobsignal)
{
	gates_clear(self->dev);
	/* Lets go what should have gone before. */
	close(self->uffd);
	region_unmap(self->mem, 1);
	SECMMU_TEARDOWN();
}

/* A job whose thread is held where it begins; the post. */
static int hold_thread(TEST_ARGS(jobsignal))
{
	int post = GATE_ARM(JOB_STARTED, 0);

	ASSERT_EQ(0, job_start(self->engine, 0, BASE, PAGE, NULL));
	GATE_WAIT(post);
	return post;
}

/* The thread ends, and does not come to wait for the page. */
static void expect_thread_ends(TEST_ARGS(jobsignal))
{
	char *waits = NULL;

	while (task_find(THREAD) && !waits)
		waits = uffd_wait(self->uffd, 10);
	EXPECT_EQ(NULL, waits);
}

static void expect_engine_gone(TEST_ARGS(jobsignal))
{
	long end = now_ms() + GATE_PATIENCE;

	while (number_read(REFCOUNT, "") != self->users && now_ms() < end)
		sleep_ms(1);
	EXPECT_EQ(self->users, number_read(REFCOUNT, ""));
}

/* The signal is lost, the mark is not. */
SECMMU_TEST_F(jobsignal, G6_before_the_signal_is_allowed)
{
	int started = hold_thread(_metadata, self);

	close(self->engine);
	self->engine = -1;
	GATE_OPEN(started);
	expect_thread_ends(_metadata, self);
	expect_engine_gone(_metadata, self);
}

static void *close_engine(void *data)
{
	FIXTURE_DATA(jobsignal) *self = data;

	close(self->engine);
	return NULL;
}

/* The thread begins to take signals when half is done: not the half that can be lost. */
SECMMU_TEST_F(jobsignal, G6_half_given_up)
{
	int started = hold_thread(_metadata, self);
	int half = GATE_ARM(JOB_ABANDONED, 0);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, close_engine, self));
	GATE_WAIT(half);
	GATE_OPEN(started);
	expect_thread_ends(_metadata, self);
	GATE_OPEN(half);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	self->engine = -1;
	expect_engine_gone(_metadata, self);
}

TEST_HARNESS_MAIN
