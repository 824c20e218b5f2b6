// SPDX-License-Identifier: GPL-2.0
/*
 * Who may use an object, and what is left of it when others go: the mirrored
 * process, its program, parent descriptors.
 */
#include <signal.h>

#include "secmmu_harness.h"

#define PAGES	4
#define BASE	0x60000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

FIXTURE(lifetime)
{
	int dev, mirror, engine;
	char *mem;	/* page i starts with label(i, 1); mapped by slot 0 */
	int sock[2];	/* to and from a child */
};

FIXTURE_SETUP(lifetime)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	REGION_SETUP(PAGES);
	SET_SLOT(0, 0, BASE, 0, PAGES);
	ASSERT_EQ(0, socket_pair(self->sock));
}

FIXTURE_TEARDOWN(lifetime)
{
	close(self->sock[0]);
	close(self->sock[1]);
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

/* What the owner of a mirror does when told to go on, after passing it on. */
enum ending { EXIT, STAY, EXEC };

struct owner {
	int sock;
	enum ending ending;
};

/* A process with a mirror of its own; it sends { mirror, engine }. */
static int own_mirror(void *data)
{
	struct owner *owner = data;
	int dev = secmmu_open();
	int mirror = secmmu_create_mirror(dev, SECMMU_FLUSH_RANGE, 0);
	int engine = secmmu_create_engine(mirror);
	int fds[2] = { mirror, engine };
	char *mem = region_map(PAGES);
	__u64 word = 0;

	CHECK(dev >= 0);
	CHECK(mirror >= 0);
	CHECK(engine >= 0);
	CHECK(mem);
	*word_at(mem, 0) = label(0, 7);
	*word_at(mem, 1) = label(1, 7);
	CHECK(!secmmu_set_slot(mirror, 0, 0, BASE, mem, PAGES * PAGE));
	CHECK(!gpa_get(engine, GPA(0), &word));
	CHECK(word == label(0, 7));
	CHECK(!fds_send(owner->sock, fds, 2));
	/* Killed at any moment: it must leave nothing in the socket. */
	while (owner->ending == STAY)
		pause();
	CHECK(!byte_wait(owner->sock));
	/* What the holder has written. */
	CHECK(*word_at(mem, 1) == label(1, 8));
	return owner->ending == EXEC ? exec_to_wait(owner->sock) : 0;
}

/* Receives the objects of a living owner and uses them. */
static void take_over(TEST_ARGS(lifetime), int *fds)
{
	ASSERT_EQ(0, fds_receive(self->sock[0], fds, 2));
	EXPECT_GPA(label(0, 7), fds[1], GPA(0));
	EXPECT_PUT(fds[1], GPA(1), label(1, 8));
	/* Holding a mirror is no right to configure it. */
	EXPECT_EQ(-EPERM, secmmu_set_slot(fds[0], 1, 0, GPA(100), self->mem, PAGE));
	EXPECT_EQ(-EPERM, secmmu_delete_slot(fds[0], 0));
	EXPECT_EQ(-EPERM, secmmu_create_engine(fds[0]));
}

/* Nothing can be reached through the objects of a process that has gone. */
static void expect_gone(struct __test_metadata *_metadata, const int *fds)
{
	struct secmmu_stats stats;
	int ret;

	/* Page 0 was used before, page 2 was not. */
	EXPECT_GPA_ERROR(ESRCH, fds[1], GPA(0));
	EXPECT_GPA_ERROR(ESRCH, fds[1], GPA(2));
	EXPECT_EQ(-ESRCH, gpa_put(fds[1], GPA(1), 0));
	/* Both are true: the owner has gone, and this is not the owner. */
	ret = secmmu_create_engine(fds[0]);
	EXPECT_TRUE(ret == -EPERM || ret == -ESRCH);
	EXPECT_EQ(0, secmmu_get_stats(fds[0], &stats));
	EXPECT_LE(1, stats.reads);
	close(fds[0]);
	close(fds[1]);
}

SECMMU_TEST_F(lifetime, G1_owner_exits)
{
	struct owner owner = { .sock = self->sock[1], .ending = EXIT };
	pid_t pid = ASSERT_NUMBER(child_start(own_mirror, &owner));
	int fds[2];

	take_over(_metadata, self, fds);
	EXPECT_EQ(0, byte_send(self->sock[0]));
	EXPECT_EQ(0, child_wait(pid));
	expect_gone(_metadata, fds);
}

SECMMU_TEST_F(lifetime, G1_owner_killed)
{
	struct owner owner = { .sock = self->sock[1], .ending = STAY };
	pid_t pid = ASSERT_NUMBER(child_start(own_mirror, &owner));
	int fds[2];

	take_over(_metadata, self, fds);
	EXPECT_GPA(label(1, 8), fds[1], GPA(1));
	EXPECT_EQ(128 + SIGKILL, child_kill(pid));
	expect_gone(_metadata, fds);
}

SECMMU_TEST_F(lifetime, G1_owner_execs)
{
	struct owner owner = { .sock = self->sock[1], .ending = EXEC };
	int fds[2];
	pid_t pid;

	if (access("/proc/self/exe", X_OK))
		SKIP(return, "no /proc to find this program in");
	pid = ASSERT_NUMBER(child_start(own_mirror, &owner));
	take_over(_metadata, self, fds);
	EXPECT_EQ(0, byte_send(self->sock[0]));
	ASSERT_EQ(0, byte_wait(self->sock[0]));
	/* The process lives, with another memory. */
	expect_gone(_metadata, fds);
	EXPECT_EQ(0, byte_send(self->sock[0]));
	EXPECT_EQ(0, child_wait(pid));
}

/* The descriptors are inherited, the right to configure is not. */
static int use_inherited(void *data)
{
	FIXTURE_DATA(lifetime) *self = data;
	struct secmmu_stats stats;
	__u64 word = 0;

	CHECK(secmmu_set_slot(self->mirror, 1, 0, GPA(100), self->mem, PAGE) == -EPERM);
	CHECK(secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, PAGE) == -EPERM);
	CHECK(secmmu_delete_slot(self->mirror, 0) == -EPERM);
	CHECK(secmmu_create_engine(self->mirror) == -EPERM);
	CHECK(!secmmu_get_stats(self->mirror, &stats));

	/* The engine reaches the parent's memory, not this copy of it. */
	*word_at(self->mem, 0) = label(0, 9);
	CHECK(!gpa_get(self->engine, GPA(0), &word));
	CHECK(word == label(0, 1));
	CHECK(!gpa_put(self->engine, GPA(1), label(1, 3)));
	CHECK(*word_at(self->mem, 1) == label(1, 1));
	CHECK(!gpa_get(self->engine, GPA(1), &word));
	CHECK(word == label(1, 3));
	return 0;
}

SECMMU_TEST_F(lifetime, D5_forked_child)
{
	pid_t pid = ASSERT_NUMBER(child_start(use_inherited, self));

	EXPECT_EQ(0, child_wait(pid));
	EXPECT_EQ(label(0, 1), *word_at(self->mem, 0));
	EXPECT_EQ(label(1, 3), *word_at(self->mem, 1));
	/* A child's end is not the parent's. */
	EXPECT_GPA(label(1, 3), self->engine, GPA(1));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_EQ(0, secmmu_set_slot(self->mirror, 1, 0, GPA(100), self->mem, PAGE));
	EXPECT_GPA(label(0, 1), self->engine, GPA(100));
}

/* The child has a mirror of its own from the device it inherited. */
static int mirror_own_copy(void *data)
{
	FIXTURE_DATA(lifetime) *self = data;
	int mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	int engine = secmmu_create_engine(mirror);
	__u64 word = 0;

	CHECK(mirror >= 0);
	CHECK(engine >= 0);
	CHECK(!secmmu_set_slot(mirror, 0, 0, BASE, self->mem, PAGE));
	CHECK(!gpa_put(engine, GPA(0), label(0, 5)));
	CHECK(*word_at(self->mem, 0) == label(0, 5));
	CHECK(!gpa_get(self->engine, GPA(0), &word));
	CHECK(word == label(0, 1));
	return 0;
}

SECMMU_TEST_F(lifetime, D5_child_mirrors_itself)
{
	pid_t pid = ASSERT_NUMBER(child_start(mirror_own_copy, self));

	EXPECT_EQ(0, child_wait(pid));
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
}

/* Every order in which device (0), mirror (1) and engine (2) can be closed. */
static const int orders[][3] = {
	{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
	{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
};

SECMMU_TEST_F(lifetime, G1_close_in_every_order)
{
	size_t i, step;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		int fds[3], fd;

		fds[0] = secmmu_open();
		fds[1] = secmmu_create_mirror(fds[0], SECMMU_FLUSH_RANGE, 0);
		fds[2] = NEW_ENGINE(fds[1]);
		ASSERT_EQ(0, secmmu_set_slot(fds[1], 0, 0, BASE, self->mem, PAGES * PAGE));
		EXPECT_GPA(label(0, 1), fds[2], GPA(0));
		for (step = 0; step < 3; step++) {
			ASSERT_EQ(0, close(fds[orders[i][step]]));
			fds[orders[i][step]] = -1;
			/* The descriptors that are left still work. */
			if (fds[0] >= 0) {
				fd = secmmu_create_mirror(fds[0], SECMMU_FLUSH_EACH, 0);
				EXPECT_LE(0, fd);
				close(fd);
			}
			if (fds[1] >= 0) {
				fd = secmmu_create_engine(fds[1]);
				EXPECT_LE(0, fd);
				EXPECT_GPA(label(1, 1), fd, GPA(1));
				close(fd);
			}
			if (fds[2] >= 0) {
				/* Coherent, too, not only readable. */
				*word_at(self->mem, 3) = label(3, 1);
				EXPECT_GPA(label(3, 1), fds[2], GPA(3));
				ASSERT_EQ(0, madvise(self->mem + 3 * PAGE,
						     PAGE, MADV_DONTNEED));
				EXPECT_GPA(0, fds[2], GPA(3));
			}
		}
	}
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
}

SECMMU_TEST_F(lifetime, G1_duplicated_descriptors)
{
	int engine = dup(self->engine);
	int mirror = dup(self->mirror);

	ASSERT_LE(0, engine);
	ASSERT_LE(0, mirror);
	EXPECT_GPA(label(0, 1), engine, GPA(0));
	close(self->engine);
	self->engine = -1;
	close(self->mirror);
	self->mirror = -1;
	EXPECT_GPA(label(0, 1), engine, GPA(0));
	EXPECT_GPA(label(1, 1), engine, GPA(1));
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, BASE, self->mem + PAGE, PAGE));
	EXPECT_GPA(label(1, 1), engine, GPA(0));
	close(mirror);
	EXPECT_GPA(label(1, 1), engine, GPA(0));
	close(engine);
}

#define ENGINES	64

SECMMU_TEST_F(lifetime, many_engines)
{
	int engines[ENGINES];
	long i;

	for (i = 0; i < ENGINES; i++) {
		engines[i] = NEW_ENGINE(self->mirror);
		EXPECT_GPA(label(i % 3, 1), engines[i], GPA(i % 3));
	}
	/* One event concerns them all. */
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	EXPECT_PUT(engines[0], GPA(1), label(1, 2));
	for (i = 0; i < ENGINES; i++) {
		EXPECT_GPA(0, engines[i], GPA(0));
		EXPECT_GPA(label(1, 2), engines[i], GPA(1));
	}
	for (i = 0; i < ENGINES; i += 2)
		close(engines[i]);
	for (i = 1; i < ENGINES; i += 2) {
		EXPECT_GPA(label(2, 1), engines[i], GPA(2));
		close(engines[i]);
	}
}

#define CYCLES	200

SECMMU_TEST_F_TIMEOUT(lifetime, G1_create_fault_kill, SECMMU_TIMEOUT_LONG)
{
	struct owner owner = { .sock = self->sock[1], .ending = STAY };
	int fds[2], i;

	for (i = 0; i < CYCLES; i++) {
		pid_t pid = ASSERT_NUMBER(child_start(own_mirror, &owner));

		take_over(_metadata, self, fds);
		EXPECT_EQ(128 + SIGKILL, child_kill(pid));
		/* In half of the cycles the objects go with their owner. */
		if (i & 1) {
			expect_gone(_metadata, fds);
		} else {
			close(fds[1]);
			close(fds[0]);
		}
	}
	EXPECT_GPA(label(0, 1), self->engine, GPA(0));
}

TEST_HARNESS_MAIN
