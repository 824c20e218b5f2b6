// SPDX-License-Identifier: GPL-2.0
/* Jobs in the background: a kernel thread works for a process. */
#include <sched.h>
#include <signal.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define PAGES	16L
#define THREAD	"secmmu-job"
#define BASE	0x30000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

FIXTURE(jobs)
{
	int dev, mirror, engine;
	int front;	/* an engine for pread() */
	char *mem, *data;
};

FIXTURE_SETUP(jobs)
{
	SECMMU_OPEN_OR_SKIP();
	self->mirror = ASSERT_NUMBER(secmmu_create_mirror_tagged(self->dev, 6));
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	self->front = NEW_ENGINE(self->mirror);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	self->data = ASSERT_MEMORY(region_map(PAGES));
	pages_label(self->mem, 0, PAGES, 1);
	SET_SLOT(0, 0, GPA(0), 0, PAGES);
}

FIXTURE_TEARDOWN(jobs)
{
	region_unmap(self->mem, PAGES);
	region_unmap(self->data, PAGES);
	close(self->front);
	SECMMU_TEARDOWN();
}

/* A job, from start to end. */
#define EXPECT_JOB(bytes, err, ...)					\
do {									\
	int _error;							\
									\
	ASSERT_EQ(0, job_start(self->engine, ##__VA_ARGS__));		\
	EXPECT_EQ(bytes, job_wait(self->engine, &_error));		\
	EXPECT_EQ(err, _error);						\
} while (0)

SECMMU_TEST_F(jobs, D4_read_and_write)
{
	long i;

	EXPECT_JOB(PAGES * PAGE, 0, 0, tagged(GPA(0), 33, 6), PAGES * PAGE, self->data);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(label(i, 1), *word_at(self->data, i));
	pages_label(self->data, 0, PAGES, 2);
	EXPECT_JOB(3 * PAGE - 8, 0, SECMMU_JOB_WRITE, GPA(2), 3 * PAGE - 8,
		   self->data + 2 * PAGE);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(label(i, i >= 2 && i < 5 ? 2 : 1), *word_at(self->mem, i));
	/* Not aligned, neither here nor there. */
	EXPECT_JOB(PAGE, 0, 0, GPA(1) + 4, PAGE, self->data + 12);
	EXPECT_EQ(0, memcmp(self->data + 12, self->mem + PAGE + 4, PAGE));
}

SECMMU_TEST_F(jobs, touch_faults_in)
{
	struct secmmu_stats a;
	__u64 word;
	long i;

	EXPECT_JOB(8 * PAGE, 0, 0, GPA(0), 8 * PAGE, NULL);
	EXPECT_JOB(8 * PAGE, 0, SECMMU_JOB_WRITE, GPA(8), 8 * PAGE, NULL);
	GET_STATS(a);
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, gpa_get(self->front, GPA(i), &word));
		EXPECT_EQ(label(i, 1), word);
	}
	EXPECT_PUT(self->front, GPA(9), 1);
	EXPECT_SINCE(0, a, faults);
}

SECMMU_TEST_F(jobs, ends_early)
{
	/* No slot; a hole in the memory; a hole in the data. */
	EXPECT_JOB(2 * PAGE, ENXIO, 0, GPA(PAGES - 2), 4 * PAGE, self->data);
	ASSERT_EQ(0, munmap(self->mem + 4 * PAGE, PAGE));
	EXPECT_JOB(4 * PAGE, EFAULT, 0, GPA(0), 8 * PAGE, self->data);
	ASSERT_EQ(0, munmap(self->data + 2 * PAGE, PAGE));
	EXPECT_JOB(2 * PAGE, EFAULT, 0, GPA(8), 4 * PAGE, self->data);
	EXPECT_JOB(2 * PAGE, EFAULT, SECMMU_JOB_WRITE, GPA(8), 4 * PAGE, self->data);
	/* The next one starts anew. */
	EXPECT_JOB(PAGE, 0, 0, GPA(8), PAGE, self->data);
	ASSERT_EQ(0, rights_set(self->engine, SECMMU_KEY_NO_WRITE(0)));
	EXPECT_JOB(0, EACCES, SECMMU_JOB_WRITE, GPA(8), PAGE, self->data);
	ASSERT_EQ(0, engine_detach(self->engine));
	EXPECT_JOB(0, ENXIO, 0, GPA(8), PAGE, self->data);
}

SECMMU_TEST_F(jobs, G2_arguments)
{
	int error;
	__u64 word;

	EXPECT_EQ(-EINVAL, job_start(self->engine, 0, GPA(0), 0, self->data));
	EXPECT_EQ(-EINVAL, job_start(self->engine, 2, GPA(0), PAGE, self->data));
	EXPECT_EQ(-EINVAL, job_start(self->engine, 0, 1ULL << 63, PAGE, self->data));
	EXPECT_EQ(-EINVAL, job_start(self->engine, 0, 8, INT64_MAX, self->data));
	EXPECT_EQ(-EINVAL, job_start(self->front, 0, GPA(0), PAGE, self->data));
	EXPECT_EQ(-EINVAL, job_wait(self->front, &error));
	EXPECT_EQ(-EINVAL, gpa_get(self->engine, GPA(0), &word));
	EXPECT_EQ(-EINVAL, gpa_put(self->engine, GPA(0), 1));
	/* No job yet. */
	EXPECT_EQ(0, job_wait(self->engine, &error));
	EXPECT_EQ(0, error);
}

/* Are the threads of all jobs gone? The one of a job that is done may need a moment. */
static bool threads_are_gone(void)
{
	long end = now_ms() + 10000 * secmmu_slow();

	while (task_find(THREAD)) {
		if (now_ms() > end)
			return false;
		sleep_ms(10);
	}
	return true;
}

/* The kernel thread runs where its starter may run: here, on the last processor. */
SECMMU_TEST_F(jobs, G7_processors)
{
	int uffd = uffd_open(0), error, cpu = CPU_SETSIZE - 1;
	cpu_set_t all, one, of_thread;
	pid_t thread;

	if (uffd < 0)
		SECMMU_SKIP("no userfaultfd");
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	if (CPU_COUNT(&all) < 2)
		SECMMU_SKIP("one processor only");
	while (!CPU_ISSET(cpu, &all))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ASSERT_TRUE(threads_are_gone());
	ASSERT_EQ(0, uffd_register(uffd, self->data, 1, UFFDIO_REGISTER_MODE_MISSING));

	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, job_start(self->engine, 0, GPA(0), PAGE, self->data));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
	/* It waits for us. */
	ASSERT_TRUE(uffd_wait(uffd, 10000));
	thread = task_find(THREAD);
	ASSERT_LT(0, thread);
	ASSERT_EQ(0, sched_getaffinity(thread, sizeof(of_thread), &of_thread));
	EXPECT_TRUE(CPU_EQUAL(&one, &of_thread));

	close(uffd);
	EXPECT_EQ(PAGE, job_wait(self->engine, &error));
	EXPECT_EQ(0, error);
}

/* Starts a job that cannot go on, and leaves it alone. */
static int start_stuck(void *arg)
{
	char *mem = region_map(PAGES);
	int dev = *(int *)arg, mirror, engine, uffd = uffd_open(0);

	mirror = secmmu_create_mirror(dev, SECMMU_FLUSH_RANGE, 0);
	CHECK(mirror >= 0 && mem && uffd >= 0);
	CHECK(!uffd_register(uffd, mem, PAGES, UFFDIO_REGISTER_MODE_MISSING));
	CHECK(!secmmu_set_slot(mirror, 0, 0, GPA(0), mem, PAGES * PAGE));
	engine = secmmu_create_engine_with(mirror, SECMMU_ENGINE_BACKGROUND);
	CHECK(engine >= 0);
	CHECK(!job_start(engine, 0, GPA(0), PAGE, NULL));
	CHECK(uffd_wait(uffd, 10000));
	/* The engine goes before what would let its job go on. */
	close(engine);
	return 0;
}

/* An exiting process does not wait for its job, and the job does not wait for ever. */
SECMMU_TEST_F(jobs, G1_left_behind)
{
	pid_t pid = ASSERT_NUMBER(child_start(start_stuck, &self->dev));

	EXPECT_TRUE(child_ended(pid, 20000));
	EXPECT_EQ(0, child_wait(pid));
}

static int start_and_exit(void *arg)
{
	FIXTURE_DATA(jobs) *self = arg;
	char *mem = region_map(2048);
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	int engine = secmmu_create_engine_with(mirror, SECMMU_ENGINE_BACKGROUND);

	CHECK(mirror >= 0 && engine >= 0 && mem);
	CHECK(!secmmu_set_slot(mirror, 0, 0, GPA(0), mem, 2048 * PAGE));
	CHECK(!job_start(engine, SECMMU_JOB_WRITE, GPA(0), 2048 * PAGE, mem));
	return 0;
}

/* The memory goes while the job copies. */
SECMMU_TEST_F(jobs, G1_exit_while_running)
{
	int i;

	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, child_wait(child_start(start_and_exit, self)));
}

TEST_HARNESS_MAIN
