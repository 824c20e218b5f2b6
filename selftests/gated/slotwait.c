// SPDX-License-Identifier: GPL-2.0
/* A change of slots that waits for another one, and never gets its turn. Needs a test build. */
#include <pthread.h>
#include <signal.h>

#include "secmmu_gates.h"
#include "secmmu_group.h"
#include "secmmu_harness.h"

#define PAGES	8L
#define BASE	0x100000000ULL

/* Pages of a log that weighs enough; what else a process costs is far less. */
#define LOG	1024L
#define SLACK	64L

FIXTURE(slotwait)
{
	int dev, mirror, engine;
	struct secmmu_group group;
	int post;		/* a gate for the first change */
	char *mem;
};

FIXTURE_SETUP(slotwait)
{
	memset(&self->group, 0, sizeof(self->group));
	SECMMU_OPEN_OR_SKIP();
	gates_clear(self->dev);
	if (group_enter(&self->group) ||
	    group_read(&self->group, "memory.stat", "\nkernel ") < 0) {
		group_leave(&self->group);
		SECMMU_SKIP("no memory controller that counts");
	}
	self->mem = ASSERT_MEMORY(region_map(PAGES));
}

FIXTURE_TEARDOWN(slotwait)
{
	gates_clear(self->dev);
	region_unmap(self->mem, PAGES);
	close(self->dev);
	group_leave(&self->group);
}

static void *delete_slot(void *mirror)
{
	secmmu_delete_slot(*(int *)mirror, 0);
	return NULL;
}

/* A thread deletes a slot; meanwhile the process asks for one with a large log. */
static int change_twice(void *data)
{
	FIXTURE_DATA(slotwait) *self = data;
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	pthread_t thread;

	CHECK(mirror >= 0);
	CHECK(!secmmu_set_slot(mirror, 0, 0, BASE, self->mem, PAGES * PAGE));
	CHECK(!pthread_create(&thread, NULL, delete_slot, &mirror));
	CHECK(!gate_wait(self->dev, self->post));
	CHECK(!secmmu_set_slot(mirror, 1, SECMMU_SLOT_LOG_DIRTY, 1ULL << 44,
			       (void *)(1UL << 40), 8 * LOG * PAGE * PAGE));
	return 0;
}

/* Pages that the kernel holds for the group. */
static long pages_charged(FIXTURE_DATA(slotwait) *self)
{
	return group_read(&self->group, "memory.stat", "\nkernel ") / PAGE;
}

/* Does that come to be more than @pages, or not more? */
static bool charge_becomes(FIXTURE_DATA(slotwait) *self, bool more, long pages)
{
	long end = now_ms() + 10000 * secmmu_slow();

	while ((pages_charged(self) > pages) != more) {
		if (now_ms() > end)
			return false;
		sleep_ms(100);
	}
	return true;
}

/* It is killed before its turn, and gives back what it has set aside. */
SECMMU_TEST_F(slotwait, G4_killed_before_its_turn)
{
	long before;
	pid_t pid;

	group_settle();
	before = pages_charged(self);
	self->post = GATE_ARM(SLOT_REPLACED, 0);
	pid = ASSERT_NUMBER(child_start(change_twice, self));
	EXPECT_TRUE(charge_becomes(self, true, before + LOG - SLACK));
	EXPECT_EQ(0, kill(pid, SIGKILL));
	/* The other thread cannot die yet. */
	EXPECT_TRUE(charge_becomes(self, false, before + LOG / 2)) {
		TH_LOG("%ld pages more", pages_charged(self) - before);
	}
	GATE_OPEN(self->post);
	EXPECT_EQ(128 + SIGKILL, child_wait(pid));
}

TEST_HARNESS_MAIN
