// SPDX-License-Identifier: GPL-2.0
/* A mirror ends while its worker would have to wait for an event. Needs a test build. */
#include <pthread.h>
#include <stdatomic.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"

#define PAGES	(HUGE_SIZE / PAGE)
#define BASE	0x280000000ULL

FIXTURE(refillend)
{
	int dev, mirror, engine;
	int other;		/* a mirror of the same process */
	atomic_bool closed;
	char *area, *mem;
};

FIXTURE_SETUP(refillend)
{
	SECMMU_OPEN_OR_SKIP();
	gates_clear(self->dev);
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_refilled(self->dev));
	self->other = NEW_MIRROR();
	atomic_store(&self->closed, false);
	self->area = ASSERT_MEMORY(region_map(3 * PAGES));
	self->mem = self->area + HUGE_SIZE - (uintptr_t)self->area % HUGE_SIZE;
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(refillend)
{
	gates_clear(self->dev);
	close(self->other);
	region_unmap(self->area, 3 * PAGES);
	close(self->dev);
}

static void *close_mirror(void *arg)
{
	FIXTURE_DATA(refillend) *self = arg;

	close(self->mirror);
	atomic_store(&self->closed, true);
	return NULL;
}

/* The event ends only after the mirror. */
SECMMU_TEST_F(refillend, B11_while_an_event_goes_on)
{
	struct secmmu_prefault arg;
	long end = now_ms() + GATE_PATIENCE;
	pthread_t thread;
	int post;

	ASSERT_EQ(0, secmmu_prefault(self->mirror, 0, BASE, HUGE_SIZE, &arg));
	post = GATE_ARM(FAULT_LOOKED_UP, 0);
	ASSERT_EQ(0, event_begin(self->other, self->mem, PAGES));
	GATE_WAIT(post);
	GATE_OPEN(post);
	ASSERT_EQ(0, pthread_create(&thread, NULL, close_mirror, self));
	while (!atomic_load(&self->closed) && now_ms() < end)
		sleep_ms(1);
	EXPECT_TRUE(atomic_load(&self->closed));
	ASSERT_EQ(0, event_end(self->other, self->mem, PAGES));
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
