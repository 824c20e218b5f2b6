// SPDX-License-Identifier: GPL-2.0
/*
 * The driver goes while the kernel still has to call it back. The file of the driver,
 * from which it is loaded again, is in the environment: SECMMU_MODULE.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define GPA		0x10000000ULL
#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"
/* In which module exit waits for callbacks. */
#define WAITS_IN	"secmmu_chain_exit"

/* Where the kernel's worker for the callbacks is kept from running. */
#define BUSY_CPU	0
#define FREE_CPU	1

#define PRIORITY_HOG		10
#define PRIORITY_SOFTIRQ	15
#define PRIORITY_TEST		20

/* The thread that does RCU's work on that processor. */
#define SOFTIRQ_THREAD		"ksoftirqd/0"

/* Milliseconds: for what must happen. */
#define MUST			(20000 * secmmu_slow())

FIXTURE(unload)
{
	int dev, mirror, engine;
	char *mem;
	const char *module;
	long rt_runtime;
	int sockets[2];
	pid_t child, softirqs;
	pthread_t hog;
	bool hogging;
	sem_t hog_may_run;
	atomic_int hog_ends;
};

FIXTURE_SETUP(unload)
{
	char stack[64];

	self->dev = -1;
	self->child = 0;
	self->softirqs = 0;
	self->hogging = false;
	self->rt_runtime = -ENOENT;
	self->module = getenv("SECMMU_MODULE");
	if (!self->module)
		SKIP(return, "SECMMU_MODULE is not set");
	if (sysconf(_SC_NPROCESSORS_ONLN) <= FREE_CPU)
		SKIP(return, "needs two processors");
	if (text_read("/proc/self/stack", stack, sizeof(stack)))
		SKIP(return, "the kernel does not show its stacks");
	SECMMU_OPEN_OR_SKIP();
	SECMMU_CHANGES_OR_SKIP("unloads the driver, and lets real-time threads keep a processor");
	sem_init(&self->hog_may_run, 0, 0);
	atomic_init(&self->hog_ends, 0);
	self->rt_runtime = number_read(RT_RUNTIME, "");
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->sockets));
}

static int set_policy(pid_t pid, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return sched_setscheduler(pid, policy, &param) ? -errno : 0;
}

static int run_on(int cpu, int policy, int priority)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* In this order: who leaves the hog's processor must be able to. */
	if (sched_setaffinity(0, sizeof(set), &set))
		return -errno;
	return set_policy(0, policy, priority);
}

/* While this runs, nothing that is not of real time does on its processor. */
static void *hog(void *arg)
{
	FIXTURE_DATA(unload) *self = arg;

	if (run_on(BUSY_CPU, SCHED_FIFO, PRIORITY_HOG))
		return NULL;
	sem_wait(&self->hog_may_run);
	while (!atomic_load(&self->hog_ends))
		;
	return NULL;
}

static void end_hog(FIXTURE_DATA(unload) *self)
{
	atomic_store(&self->hog_ends, 1);
	sem_post(&self->hog_may_run);
	if (self->hogging)
		pthread_join(self->hog, NULL);
	self->hogging = false;
}

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;

	if (!ret && syscall(SYS_finit_module, fd, "", 0))
		ret = -errno;
	close(fd);
	return ret;
}

/* In a child: unloads the driver when told so. */
static int unloader(void *arg)
{
	FIXTURE_DATA(unload) *self = arg;

	close(self->dev);
	CHECK(!run_on(FREE_CPU, SCHED_OTHER, 0));
	CHECK(!byte_send(self->sockets[1]));
	CHECK(!byte_wait(self->sockets[1]));
	CHECK(!syscall(SYS_delete_module, "secmmu", O_NONBLOCK));
	return 0;
}

/* Does the child come to wait in the driver's exit, or is it done? */
static bool waits_for_callbacks(FIXTURE_DATA(unload) *self)
{
	char path[32], stack[4096];

	snprintf(path, sizeof(path), "/proc/%d/stack", self->child);
	while (!child_ended(self->child, 1))
		if (!text_read(path, stack, sizeof(stack)) && strstr(stack, WAITS_IN))
			return true;
	return false;
}

FIXTURE_TEARDOWN(unload)
{
	if (self->dev >= 0)
		end_hog(self);
	if (self->child > 0)
		child_wait(self->child);
	if (self->softirqs)
		set_policy(self->softirqs, SCHED_OTHER, 0);
	if (self->rt_runtime != -ENOENT)
		number_write(RT_RUNTIME, self->rt_runtime);
	/* The next test needs it. */
	if (self->dev >= 0) {
		int ret = module_load(self->module);

		EXPECT_TRUE(!ret || ret == -EEXIST);
	}
}

/*
 * The core frees a chain, through the driver, after a grace period, by a worker on the
 * processor of the last close. That worker is not let run: the unload must wait.
 */
SECMMU_TEST_F(unload, G5_free_not_yet_called)
{
	bool waits;

	/* Also what realtime threads leave to others by default. */
	ASSERT_EQ(0, number_write(RT_RUNTIME, -1));
	self->softirqs = task_find(SOFTIRQ_THREAD);
	ASSERT_LT(0, self->softirqs);
	ASSERT_EQ(0, set_policy(self->softirqs, SCHED_FIFO, PRIORITY_SOFTIRQ));
	self->child = ASSERT_NUMBER(child_start(unloader, self));
	ASSERT_EQ(0, byte_wait(self->sockets[0]));
	self->mem = ASSERT_MEMORY(region_map(1));
	self->mirror = NEW_MIRROR();

	ASSERT_EQ(0, run_on(BUSY_CPU, SCHED_FIFO, PRIORITY_TEST));
	ASSERT_EQ(0, pthread_create(&self->hog, NULL, hog, self));
	self->hogging = true;
	close(self->dev);
	/*
	 * The mirror waits for that worker, but not for its last job, which it gives
	 * when it is done; then the processor passes from this thread to the hog.
	 */
	close(self->mirror);
	sem_post(&self->hog_may_run);
	ASSERT_EQ(0, run_on(FREE_CPU, SCHED_OTHER, 0));
	ASSERT_EQ(0, byte_send(self->sockets[0]));
	waits = waits_for_callbacks(self);
	end_hog(self);
	EXPECT_TRUE(waits) {
		TH_LOG("the driver has gone without waiting");
	}
	EXPECT_EQ(0, child_wait(self->child));
	self->child = 0;
}

/* Zero, or an error: an unload that does not wait. */
static int module_unload(void)
{
	return syscall(SYS_delete_module, "secmmu", O_NONBLOCK) ? -errno : 0;
}

/* A job waits for a page. The driver is in use until the engine is closed. */
SECMMU_TEST_F(unload, G5_job_waits)
{
	long end = now_ms() + MUST;
	int uffd = uffd_open(0), ret;

	if (uffd < 0)
		SKIP(return, "no userfaultfd");
	self->mem = ASSERT_MEMORY(region_map(1));
	ASSERT_EQ(0, uffd_register(uffd, self->mem, 1, UFFDIO_REGISTER_MODE_MISSING));
	self->mirror = NEW_MIRROR();
	SET_SLOT(0, 0, GPA, 0, 1);
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	ASSERT_EQ(0, job_start(self->engine, 0, GPA, PAGE, NULL));
	ASSERT_NE(NULL, uffd_wait(uffd, 20000));
	close(self->dev);
	close(self->mirror);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	close(self->engine);
	do {
		ret = module_unload();
		sleep_ms(1);
	} while (ret == -EWOULDBLOCK && now_ms() < end);
	EXPECT_EQ(0, ret);
	close(uffd);
}

/* It has made a domain, which lives as long as its memory, and closes all it has. */
static int domain_maker(void *arg)
{
	FIXTURE_DATA(unload) *self = arg;
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);

	CHECK(mirror >= 0);
	CHECK(!domain_create(mirror, 1));
	close(mirror);
	close(self->dev);
	CHECK(!byte_send(self->sockets[1]));
	return child_sleep(NULL);
}

static int refused_unload(void *unused)
{
	(void)unused;
	CHECK(module_unload() == -EWOULDBLOCK);
	return 0;
}

/* The module is in use as long as the process lives: unloading it does not wait. */
SECMMU_TEST_F(unload, G5_domain_keeps_the_module)
{
	pid_t unload;
	long end;
	int ret;

	self->child = ASSERT_NUMBER(child_start(domain_maker, self));
	ASSERT_EQ(0, byte_wait(self->sockets[0]));
	close(self->dev);
	unload = ASSERT_NUMBER(child_start(refused_unload, NULL));
	EXPECT_TRUE(child_ended(unload, MUST)) {
		TH_LOG("the unload waits for the process");
	}
	kill(self->child, SIGKILL);
	EXPECT_EQ(0, child_wait(unload));
	child_wait(self->child);
	self->child = 0;
	/* What the core frees late keeps it a moment longer. */
	end = now_ms() + MUST;
	do {
		ret = module_unload();
		sleep_ms(1);
	} while (ret == -EWOULDBLOCK && now_ms() < end);
	EXPECT_EQ(0, ret);
}

/* A process makes all domains, most of them twice, and two mirrors share its memory. */
static int make_domains(void *arg)
{
	FIXTURE_DATA(unload) *self = arg;
	int mirror[2], domain, round;

	for (round = 0; round < 2; round++) {
		mirror[round] = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
		CHECK(mirror[round] >= 0);
	}
	for (round = 0; round < 2; round++)
		for (domain = 1; domain < SECMMU_MAX_DOMAINS; domain++)
			CHECK(!domain_create(mirror[domain % 2], domain));
	/* And once more by who takes them over. */
	close(mirror[1]);
	for (domain = 1; domain < SECMMU_MAX_DOMAINS; domain++)
		CHECK(!domain_create(mirror[0], domain));
	return 0;
}

/* In a child: the driver goes, maybe a little later. */
static int unload_patiently(void *arg)
{
	FIXTURE_DATA(unload) *self = arg;
	int ret;

	close(self->dev);
	do {
		ret = module_unload();
	} while ((ret == -EWOULDBLOCK || ret == -EBUSY) && !usleep(1000));
	CHECK(!ret);
	return 0;
}

/* Domains keep what they need until the process ends, and nothing after that. */
SECMMU_TEST_F(unload, G5_domains_made_twice)
{
	ASSERT_EQ(0, child_wait(child_start(make_domains, self)));
	self->child = ASSERT_NUMBER(child_start(unload_patiently, self));
	close(self->dev);
	if (!child_ended(self->child, MUST)) {
		kill(self->child, SIGKILL);
		EXPECT_TRUE(false) {
			TH_LOG("the driver cannot be unloaded");
		}
	}
	EXPECT_EQ(0, child_wait(self->child));
	self->child = 0;
}

TEST_HARNESS_MAIN
