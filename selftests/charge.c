// SPDX-License-Identifier: GPL-2.0
/*
 * Who pays: what the driver allocates on behalf of a process is charged to the memory
 * control group of that process, also when a kernel thread asks for it.
 */
#include "secmmu_group.h"
#include "secmmu_harness.h"

/* One page in each block of memory that a table is for. */
#define TABLES	1024L
#define LENGTH	(TABLES * HUGE_SIZE)
#define BASE	0x100000000ULL

/* Tables above, and what the kernel gives back meanwhile. */
#define SLACK	64L

FIXTURE(charge)
{
	int dev, mirror, engine;
	struct secmmu_group group;
	char *mem;
};

FIXTURE_SETUP(charge)
{
	long i;
	int ret;

	SECMMU_OPEN_OR_SKIP();
	ret = group_enter(&self->group);
	if (ret) {
		group_leave(&self->group);
		SECMMU_SKIP("no memory control group: %s", strerror(-ret));
	}
	if (group_read(&self->group, "memory.stat", "\nkernel ") < 0) {
		group_leave(&self->group);
		SECMMU_SKIP("the kernel does not say what it holds for a group");
	}
	self->mirror = NEW_MIRROR();
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	self->mem = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, madvise(self->mem, LENGTH, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, LENGTH));
	/* The CPU's own tables are in place before anything is counted. */
	for (i = 0; i < TABLES; i++)
		(void)*(volatile char *)(self->mem + i * HUGE_SIZE);
}

FIXTURE_TEARDOWN(charge)
{
	munmap(self->mem, LENGTH);
	SECMMU_TEARDOWN();
	group_leave(&self->group);
}

static long pages_charged(FIXTURE_DATA(charge) *self)
{
	return group_read(&self->group, "memory.stat", "\nkernel ") / PAGE;
}

static long pages_charged_in_the_end(FIXTURE_DATA(charge) *self)
{
	group_settle();
	return pages_charged(self);
}

/*
 * Pages charged since @before, as soon as they are @wanted pages, else after a time limit.
 */
static long wait_charged(FIXTURE_DATA(charge) *self, long before, long wanted)
{
	long end = now_ms() + 10000 * secmmu_slow(), charged;

	do {
		charged = pages_charged(self) - before;
		if (charged >= wanted)
			break;
		sleep_ms(100);
	} while (now_ms() < end);
	return charged;
}

#define EXPECT_CHARGED(before, a)					\
do {									\
	struct secmmu_stats _b;						\
	long _tables, _charged;						\
									\
	GET_STATS(_b);							\
	_tables = _b.tables - (a).tables;				\
	EXPECT_LE(TABLES, _tables);					\
	_charged = wait_charged(self, before, _tables - SLACK);		\
	EXPECT_LE(_tables - SLACK, _charged)				\
		TH_LOG("%ld tables, %ld pages charged", _tables, _charged); \
} while (0)

SECMMU_TEST_F(charge, G7_prefault)
{
	long before = pages_charged_in_the_end(self), i;
	struct secmmu_prefault range;
	struct secmmu_stats a;

	GET_STATS(a);
	for (i = 0; i < TABLES; i++) {
		ASSERT_EQ(0, secmmu_prefault(self->mirror, 0, BASE + i * HUGE_SIZE,
					     PAGE, &range));
	}
	EXPECT_CHARGED(before, a);
}

/* The kernel thread has no group, its work has. */
SECMMU_TEST_F(charge, G7_jobs)
{
	long before = pages_charged_in_the_end(self), i;
	struct secmmu_stats a;
	int error;

	GET_STATS(a);
	for (i = 0; i < TABLES; i++) {
		ASSERT_EQ(0, job_start(self->engine, 0, BASE + i * HUGE_SIZE, PAGE, NULL));
		ASSERT_EQ(PAGE, job_wait(self->engine, &error));
	}
	EXPECT_CHARGED(before, a);
}

/* A log is charged when it is asked for, and given back with its slot. */
SECMMU_TEST_F(charge, G7_slot)
{
	const __u64 bits = 8 * TABLES * PAGE;
	long before = pages_charged_in_the_end(self), charged;

	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 1, SECMMU_SLOT_LOG_DIRTY, 1ULL << 44,
				     (void *)(1UL << 40), bits * PAGE));
	charged = wait_charged(self, before, TABLES - SLACK);
	EXPECT_LE(TABLES - SLACK, charged);
	EXPECT_EQ(0, secmmu_delete_slot(self->mirror, 1));
}

TEST_HARNESS_MAIN
