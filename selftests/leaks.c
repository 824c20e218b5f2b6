// SPDX-License-Identifier: GPL-2.0
/*
 * Leaks: after many cycles of making and breaking, the kernel has as many objects
 * as before. Other users of the machine make that number move, now and then; one
 * object that leaks in each cycle moves it further, and does so every time. (The
 * number of free pages is no measure: it moves by megabytes of its own accord.)
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "secmmu_harness.h"
#include "secmmu_sys.h"

#define PAGES	8L
#define BASE	0x160000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define WARM_UP	10
#define CYCLES	100L
#define TRIES	3
/* Milliseconds until what is freed later is free, too. */
#define SETTLED	4000

FIXTURE(leaks)
{
	int dev, mirror, engine;
	char *mem;
	int sock[2];
};

FIXTURE_SETUP(leaks)
{
	SECMMU_OPEN_OR_SKIP();
	self->mem = region_map(PAGES);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->sock));
}

FIXTURE_TEARDOWN(leaks)
{
	region_unmap(self->mem, PAGES);
	close(self->sock[0]);
	close(self->sock[1]);
	SECMMU_TEARDOWN();
}

/* General caches, and the one of what a mirror pins. */
static long count_objects(void)
{
	char line[256];
	long n, sum = 0;
	FILE *file = fopen("/proc/slabinfo", "r");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "kmalloc-%*s %ld", &n) == 1 ||
		    sscanf(line, "mm_struct %ld", &n) == 1)
			sum += n;
	}
	fclose(file);
	return sum;
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
		CHECK(!gpa_put(engine, gpa, stamp(i, 1)));
		CHECK(!gpa_get(engine, gpa + PAGE, &word));
		CHECK(!secmmu_prefault(mirror, 0, gpa, PAGES * PAGE, &range));
		CHECK(!secmmu_dirty_log(mirror, i, 0, PAGES, &log));
		CHECK(log == 1);
	}
	CHECK(!madvise(mem, PAGE, MADV_DONTNEED));
	CHECK(!gpa_get(engine, 1ULL << 40, &word));
	CHECK(!secmmu_delete_slot(mirror, 1));
	CHECK(!secmmu_set_slot(mirror, 2, 0, BASE, mem, PAGE));
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
	while (pause())
		;
	return 1;
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

static int sleep_on(void *arg)
{
	(void)arg;
	return pause();
}

/* A mirror of another process, which is killed. */
static int cycle_other(FIXTURE_DATA(leaks) *self)
{
	pid_t pid = child_start(sleep_on, NULL);
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

/*
 * The objects that many cycles have cost, when that has settled: less than half
 * of one for each cycle is noise. An error, or zero.
 */
static int try_many(FIXTURE_DATA(leaks) *self,
		    int (*cycle)(FIXTURE_DATA(leaks) *self), long *lost)
{
	long before = count_objects(), end;
	int i, ret = 0;

	for (i = 0; i < CYCLES && !ret; i++)
		ret = cycle(self);
	end = now_ms() + SETTLED;
	do {
		sleep_ms(50);
		*lost = count_objects() - before;
	} while (*lost >= CYCLES / 2 && now_ms() < end);
	return ret;
}

static int many(FIXTURE_DATA(leaks) *self,
		int (*cycle)(FIXTURE_DATA(leaks) *self), long *lost)
{
	int i, try, ret = 0;

	for (i = 0; i < WARM_UP && !ret; i++)
		ret = cycle(self);
	for (try = 0; try < TRIES && !ret; try++) {
		ret = try_many(self, cycle, lost);
		if (*lost < CYCLES / 2)
			break;
	}
	return ret;
}

#define EXPECT_NO_LEAK(cycle)						\
do {									\
	long _lost = 0;							\
									\
	ASSERT_EQ(0, many(self, cycle, &_lost));			\
	EXPECT_LT(_lost, CYCLES / 2)					\
		TH_LOG("%ld objects lost in %ld cycles", _lost, CYCLES); \
} while (0)

SECMMU_TEST_F_TIMEOUT(leaks, G1_made_and_closed, SECMMU_TIMEOUT_LONG)
{
	EXPECT_NO_LEAK(cycle_here);
}

SECMMU_TEST_F_TIMEOUT(leaks, G1_created_faulted_killed, SECMMU_TIMEOUT_LONG)
{
	EXPECT_NO_LEAK(cycle_killed);
}

SECMMU_TEST_F_TIMEOUT(leaks, G1_others_killed, SECMMU_TIMEOUT_LONG)
{
	EXPECT_NO_LEAK(cycle_other);
}

TEST_HARNESS_MAIN
