// SPDX-License-Identifier: GPL-2.0
/*
 * Long work gives the processor to others: events and release, over much that is mapped.
 * Another thread wants the same processor all the time, so the scheduler takes it away
 * whenever it is asked for; the kernel counts how often.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "secmmu_harness.h"

#define CPU		1
#define BLOCK		HUGE_SIZE
#define BASE		0x100000000ULL

/* Slots over the same 2 MiB, and domains that show each: a million entries. */
#define SLOTS		512L
#define DOMAINS		4L

/*
 * A call that never yields comes to one switch, on the way back to user space, and the
 * end of a process to a few. One that does comes to a hundred here.
 */
#define SWITCHES	10L

FIXTURE(yield)
{
	int dev, mirror, engine;
	char *mem;
	pthread_t rival;
	bool has_rival;
	atomic_bool runs, ends;
};

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *rival(void *arg)
{
	FIXTURE_DATA(yield) *self = arg;

	stay_on(CPU);
	atomic_store(&self->runs, true);
	while (!atomic_load(&self->ends))
		;
	return NULL;
}

FIXTURE_SETUP(yield)
{
	self->has_rival = false;
	self->mem = NULL;
	if (sysconf(_SC_NPROCESSORS_ONLN) <= CPU)
		SKIP(return, "needs two processors");
	atomic_init(&self->runs, false);
	atomic_init(&self->ends, false);
	/* A flush for each entry: work enough on any machine. */
	SECMMU_SETUP(SECMMU_FLUSH_EACH, 0);
}

FIXTURE_TEARDOWN(yield)
{
	atomic_store(&self->ends, true);
	if (self->has_rival)
		pthread_join(self->rival, NULL);
	SECMMU_TEARDOWN();
}

/* Map a block through all slots in all domains. */
static int map_all(FIXTURE_DATA(yield) *self)
{
	long i;
	int err;

	self->mem = aligned_alloc(BLOCK, BLOCK);
	if (!self->mem)
		return -ENOMEM;
	madvise(self->mem, BLOCK, MADV_NOHUGEPAGE);
	memset(self->mem, 1, BLOCK);
	for (i = 1; i < DOMAINS; i++) {
		err = domain_create(self->mirror, i);
		if (err)
			return err;
	}
	for (i = 0; i < SLOTS; i++) {
		err = secmmu_set_slot_in(self->mirror, i, 0, 0, (1 << DOMAINS) - 1,
					 BASE + i * BLOCK, self->mem, BLOCK);
		if (err)
			return err;
	}
	for (i = 0; i < DOMAINS * SLOTS; i++) {
		struct secmmu_prefault arg = {
			.size = sizeof(arg), .gpa = BASE + i / DOMAINS * BLOCK,
			.length = BLOCK, .domain = i % DOMAINS,
		};

		while (arg.length) {
			err = secmmu_call(self->mirror, SECMMU_PREFAULT, &arg, sizeof(arg));
			if (err)
				return err;
		}
	}
	return 0;
}

static long switches_of(const char *task)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%s/status", task);
	return number_read(path, "\nnonvoluntary_ctxt_switches:");
}

static long switches(void)
{
	char task[64];

	snprintf(task, sizeof(task), "self/task/%ld", syscall(SYS_gettid));
	return switches_of(task);
}

/* From here on another thread wants the processor. */
static void start_rival(TEST_ARGS(yield))
{
	ASSERT_EQ(0, pthread_create(&self->rival, NULL, rival, self));
	self->has_rival = true;
	while (!atomic_load(&self->runs))
		sched_yield();
}

SECMMU_TEST_F_TIMEOUT(yield, B9_event, 120)
{
	struct secmmu_stats a;
	long before;

	ASSERT_EQ(0, map_all(self));
	GET_STATS(a);
	start_rival(_metadata, self);
	stay_on(CPU);
	before = switches();
	ASSERT_EQ(0, madvise(self->mem, BLOCK, MADV_DONTNEED));
	EXPECT_LE(before + SWITCHES, switches());
	EXPECT_COUNTER(a.zapped + SLOTS * DOMAINS * (BLOCK / PAGE), zapped);
}

static int mapped_process(void *arg)
{
	FIXTURE_DATA(yield) *self = arg;

	self->mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_EACH, 0);
	CHECK(self->mirror >= 0);
	CHECK(!map_all(self));
	stay_on(CPU);
	CHECK(!fds_send(self->engine, &self->mirror, 1));
	return child_sleep(NULL);
}

/* The process is killed; its mirror outlives it. The zombie still knows its count. */
SECMMU_TEST_F_TIMEOUT(yield, B9_release, 120)
{
	int sockets[2], mirror;
	char task[32];
	siginfo_t info;
	long before;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	close(self->engine);
	self->engine = sockets[1];
	child = ASSERT_NUMBER(child_start(mapped_process, self));
	ASSERT_EQ(0, fds_receive(sockets[0], &mirror, 1));
	close(sockets[0]);
	snprintf(task, sizeof(task), "%d", child);
	start_rival(_metadata, self);
	before = switches_of(task);
	kill(child, SIGKILL);
	ASSERT_EQ(0, waitid(P_PID, child, &info, WEXITED | WNOWAIT));
	EXPECT_LE(before + SWITCHES, switches_of(task));
	child_wait(child);
	close(mirror);
}

TEST_HARNESS_MAIN
