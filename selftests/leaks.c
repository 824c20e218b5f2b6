// SPDX-License-Identifier: GPL-2.0
/*
 * Leaks: after many cycles of making and breaking, the kernel holds no more on
 * behalf of the test than before. The memory controller counts that, in bytes, and other
 * work on the machine does not disturb it; all that the driver allocates is charged to the
 * process that asked for it. (Pages of the process are counted by the hugetlb test.)
 * SECMMU_CYCLES in the environment is how many cycles there are.
 */
#include <signal.h>
#include <sys/socket.h>

#include "secmmu_group.h"
#include "secmmu_harness.h"

#define PAGES	8L
#define BASE	0x160000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define WARM_UP	10
#define CYCLES	100L
#define CYCLES_MAX	10000000L
#define TRIES	3
/* Bytes. Noise is a few pages in all, and hardly more after many cycles. */
#define NOISE	51200
#define NOISE_PER_CYCLE	8
/* Any number of cycles: who asks for many also says how long they may take. */
#define TIMEOUT	86400
/* How often a long test tells where it is. */
#define PROGRESS	500
#define KERNEL_BYTES	"\nkernel "

/* Objects of the same kind in one cycle, so that small ones weigh enough. */
#define REPEAT	16
/* Pages of a slot whose log weighs enough. */
#define MANY_PAGES	(1L << 14)

FIXTURE(leaks)
{
	int dev, mirror, engine;
	char *mem;
	int sock[2];
	long cycles;
	struct secmmu_group group;
};

static long get_cycles(void)
{
	const char *text = getenv("SECMMU_CYCLES");
	char *end;
	long cycles;

	if (!text)
		return CYCLES;
	cycles = strtol(text, &end, 10);
	return end == text || *end || cycles > CYCLES_MAX ? 0 : cycles;
}

/* What is no leak yet, in bytes. */
static long tolerance(const FIXTURE_DATA(leaks) *self)
{
	return NOISE + NOISE_PER_CYCLE * self->cycles;
}

FIXTURE_SETUP(leaks)
{
	int ret;

	memset(&self->group, 0, sizeof(self->group));
	SECMMU_OPEN_OR_SKIP();
	self->cycles = get_cycles();
	ASSERT_LT(0, self->cycles)
		TH_LOG("SECMMU_CYCLES is no number from 1 to %ld", CYCLES_MAX);
	SECMMU_CHANGES_OR_SKIP("makes a control group");
	ret = group_enter(&self->group);
	ret = ret ?: group_read(&self->group, "memory.stat", KERNEL_BYTES) < 0;
	if (ret)
		SECMMU_SKIP("no memory controller that counts: error %d", ret);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->sock));
}

FIXTURE_TEARDOWN(leaks)
{
	region_unmap(self->mem, PAGES);
	close(self->sock[0]);
	close(self->sock[1]);
	group_leave(&self->group);
	SECMMU_TEARDOWN();
}

/* Bytes that the kernel holds on behalf of this process and its children. */
static long count_bytes(FIXTURE_DATA(leaks) *self)
{
	group_settle();
	return group_read(&self->group, "memory.stat", KERNEL_BYTES);
}

/* Uses all there is: slots of all kinds, faults, logs, events, tables. */
static int use_all(int mirror, int engine, char *mem)
{
	struct secmmu_prefault range;
	struct secmmu_stats stats;
	__u64 log, word;
	int i;

	CHECK(mem);
	for (i = 0; i < 4; i++) {
		/* Far apart, so that each has tables of its own. */
		__u64 gpa = (__u64)(i + 1) << 40;

		CHECK(!secmmu_set_slot(mirror, i, SECMMU_SLOT_LOG_DIRTY, gpa,
				       mem, PAGES * PAGE));
		CHECK(!gpa_put(engine, gpa, label(i, 1)));
		CHECK(!gpa_get(engine, gpa + PAGE, &word));
		CHECK(!secmmu_prefault(mirror, 0, gpa, PAGES * PAGE, &range));
		CHECK(!secmmu_dirty_log(mirror, i, 0, PAGES, &log));
		CHECK(log == 1);
	}
	CHECK(!madvise(mem, PAGE, MADV_DONTNEED));
	CHECK(!gpa_get(engine, 1ULL << 40, &word));
	CHECK(!secmmu_delete_slot(mirror, 1));
	CHECK(!secmmu_set_slot(mirror, 2, 0, BASE, mem, PAGE));
	/* One by one they are too small to be missed. */
	for (i = 0; i < REPEAT; i++)
		CHECK(!secmmu_set_slot(mirror, 9, 0, 9ULL << 40, mem, (i + 1) * PAGE));
	for (i = 0; i < REPEAT; i++)
		CHECK(!secmmu_set_slot(mirror, 10 + i, 0, (10ULL + i) << 40, mem, PAGE));
	for (i = 0; i < 2; i++)
		CHECK(!secmmu_set_slot(mirror, 0, SECMMU_SLOT_LOG_DIRTY,
				       1ULL << 40, mem, MANY_PAGES * PAGE));
	CHECK(!gpa_get(engine, BASE, &word));
	CHECK(gpa_get(engine, GPA(PAGES), &word) == -ENXIO);
	CHECK(!secmmu_get_stats(mirror, &stats));
	CHECK(stats.tables > 4);
	return 0;
}

/* A mirror of this process, made, used, and closed. */
static int cycle_here(FIXTURE_DATA(leaks) *self)
{
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	int engine = secmmu_create_engine(mirror);
	int ret = use_all(mirror, engine, self->mem);

	/* The engine keeps the mirror. */
	close(mirror);
	ret = ret ?: gpa_put(engine, BASE, 1);
	close(engine);
	return ret;
}

static int use_and_wait(void *data)
{
	FIXTURE_DATA(leaks) *self = data;
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_EACH, 0);
	int fds[2] = { mirror, secmmu_create_engine(mirror) };

	CHECK(!use_all(mirror, fds[1], self->mem));
	CHECK(!fds_send(self->sock[1], fds, 2));
	return child_sleep(NULL);
}

/* A process that mirrors itself is killed; its objects outlive it, or not. */
static int cycle_killed(FIXTURE_DATA(leaks) *self)
{
	pid_t pid = child_start(use_and_wait, self);
	int fds[2], ret;
	__u64 word;

	ret = pid < 0 ? pid : fds_receive(self->sock[0], fds, 2);
	if (ret)
		return ret;
	if (pid & 1) {
		close(fds[0]);
		close(fds[1]);
	}
	if (child_kill(pid) != 128 + SIGKILL)
		return -EPROTO;
	if (pid & 1)
		return 0;
	ret = gpa_get(fds[1], BASE, &word);
	close(fds[0]);
	close(fds[1]);
	return ret == -ESRCH ? 0 : -EPROTO;
}

/* A mirror of another process, which is killed. */
static int cycle_other(FIXTURE_DATA(leaks) *self)
{
	pid_t pid = child_start(child_sleep, NULL);
	int mirror, engine, ret;

	mirror = secmmu_create_mirror_of(self->dev, pid);
	engine = secmmu_create_engine(mirror);
	ret = secmmu_set_slot(mirror, 0, 0, BASE, self->mem, PAGES * PAGE);
	ret = ret ?: gpa_put(engine, GPA(0), 1);
	ret = ret ?: gpa_put(engine, GPA(PAGES - 1), 1);
	if (pid & 1) {
		close(engine);
		close(mirror);
	}
	child_kill(pid);
	if (!(pid & 1)) {
		close(engine);
		close(mirror);
	}
	return ret;
}

/* The bytes that many cycles have cost. An error, or zero. */
static int try_many(FIXTURE_DATA(leaks) *self,
		    int (*cycle)(FIXTURE_DATA(leaks) *self), long *lost)
{
	long i, before = count_bytes(self);
	int ret = 0;

	for (i = 0; i < self->cycles && !ret; i++) {
		ret = cycle(self);
		if (!((i + 1) % PROGRESS))
			ksft_print_msg("%ld of %ld cycles\n", i + 1, self->cycles);
	}
	/* What is freed in bulk may wait for seconds; what has leaked, for ever. */
	for (i = 0; i < 5; i++) {
		*lost = count_bytes(self) - before;
		if (*lost < tolerance(self))
			break;
	}
	return ret;
}

static int many(FIXTURE_DATA(leaks) *self, int (*cycle)(FIXTURE_DATA(leaks) *self), long *lost)
{
	int i, try, ret = 0;

	for (i = 0; i < WARM_UP && !ret; i++)
		ret = cycle(self);
	for (try = 0; try < TRIES && !ret; try++) {
		ret = try_many(self, cycle, lost);
		if (*lost < tolerance(self))
			break;
	}
	return ret;
}

#define EXPECT_NO_LEAK(cycle)						\
do {									\
	long _lost = 0;							\
									\
	ASSERT_EQ(0, many(self, cycle, &_lost));			\
	ksft_print_msg("%ld bytes more after %ld cycles\n", _lost,	\
		       self->cycles);					\
	EXPECT_LT(_lost, tolerance(self))				\
		TH_LOG("%ld bytes lost in %ld cycles", _lost,		\
		       self->cycles);					\
} while (0)

SECMMU_TEST_F_TIMEOUT(leaks, G1_made_and_closed, TIMEOUT)
{
	EXPECT_NO_LEAK(cycle_here);
}

SECMMU_TEST_F_TIMEOUT(leaks, G1_created_faulted_killed, TIMEOUT)
{
	EXPECT_NO_LEAK(cycle_killed);
}

SECMMU_TEST_F_TIMEOUT(leaks, G1_others_killed, TIMEOUT)
{
	EXPECT_NO_LEAK(cycle_other);
}

TEST_HARNESS_MAIN
