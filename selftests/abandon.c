// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs wait for a page of a userfaultfd when their owner is killed or closes the engine.
 * They end although the page never comes, and give back the memory, the mirror and the
 * driver.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define BASE		0x30000000ULL
#define PAGES		4L
#define MANY		300
#define REFCOUNT	"/sys/module/secmmu/refcnt"

/* Of the owner: the page in which its job comes to wait. */
enum wait_in { IN_MIRRORED, IN_TARGET, IN_SOURCE };

FIXTURE(abandon)
{
	int dev, mirror, engine;
	int witness;	/* a file that the owner has mapped */
	int sockets[2];
	int uffd;
	int shared;	/* the owner's engine, if it has given it to us */
	long users;	/* of the driver, before there was an owner */
	pid_t owner;
	enum wait_in wait_in;
	bool share;
	char *mem;	/* of an engine of ours */
};

FIXTURE_SETUP(abandon)
{
	int uffd = uffd_open(0);

	if (uffd < 0)
		SKIP(return, "no userfaultfd");
	close(uffd);
	self->witness = -1;
	self->uffd = -1;
	self->shared = -1;
	self->owner = 0;
	self->share = false;
	SECMMU_OPEN_OR_SKIP();
	self->users = number_read(REFCOUNT, "");
	if (self->users < 0)
		SECMMU_SKIP("the driver is not a module");
	self->witness = ASSERT_NUMBER(memfd_create("secmmu", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	ASSERT_EQ(0, ftruncate(self->witness, PAGE));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->sockets));
}

FIXTURE_TEARDOWN(abandon)
{
	if (self->owner > 0)
		child_kill(self->owner);
	/* Lets go what should have gone before. */
	close(self->uffd);
	close(self->shared);
	close(self->witness);
	SECMMU_TEARDOWN();
}

/* Starts a job that comes to wait, and waits itself; others have the userfaultfd. */
static int own(void *arg)
{
	FIXTURE_DATA(abandon) *self = arg;
	char *mem = region_map(PAGES), *data = region_map(PAGES);
	int mirror, fds[2];

	CHECK(mem && data);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, self->witness, 0) !=
	      MAP_FAILED);
	mirror = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	fds[0] = uffd_open(0);
	fds[1] = secmmu_create_engine_with(mirror, SECMMU_ENGINE_BACKGROUND);
	CHECK(mirror >= 0 && fds[0] >= 0 && fds[1] >= 0);
	CHECK(!uffd_register(fds[0], self->wait_in == IN_MIRRORED ? mem : data, 1,
			     UFFDIO_REGISTER_MODE_MISSING));
	CHECK(!secmmu_set_slot(mirror, 0, 0, BASE, mem, PAGES * PAGE));
	CHECK(!job_start(fds[1], self->wait_in == IN_SOURCE ? SECMMU_JOB_WRITE : 0,
			 BASE, PAGE, data));
	CHECK(!fds_send(self->sockets[1], fds, self->share ? 2 : 1));
	close(fds[0]);
	for (;;)
		pause();
}

/* An owner whose job waits. */
static int start_owner(FIXTURE_DATA(abandon) *self, enum wait_in wait_in, bool share)
{
	int fds[2] = { -1, -1 };

	self->wait_in = wait_in;
	self->share = share;
	self->owner = child_start(own, self);
	CHECK(self->owner > 0);
	CHECK(!fds_receive(self->sockets[0], fds, share ? 2 : 1));
	self->uffd = fds[0];
	self->shared = fds[1];
	CHECK(uffd_wait(self->uffd, 20000));
	return 0;
}

/* The file can be sealed once no memory has it mapped any more. */
static bool memory_is_gone(FIXTURE_DATA(abandon) *self)
{
	return !fcntl(self->witness, F_ADD_SEALS, F_SEAL_WRITE);
}

static bool users_are(long users)
{
	return number_read(REFCOUNT, "") == users;
}

/* Does it become true before the test has to end? */
#define EVENTUALLY(condition)						\
({									\
	long _end = now_ms() + 10000 * secmmu_slow();			\
	bool _is;							\
									\
	while (!(_is = (condition)) && now_ms() < _end)			\
		sleep_ms(1);						\
	_is;								\
})

static void kill_owner(TEST_ARGS(abandon), enum wait_in wait_in)
{
	ASSERT_EQ(0, start_owner(self, wait_in, false));
	EXPECT_FALSE(memory_is_gone(self));
	kill(self->owner, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, child_wait(self->owner));
	self->owner = 0;
	ASSERT_TRUE(EVENTUALLY(memory_is_gone(self)));
	EXPECT_TRUE(EVENTUALLY(users_are(self->users)));
}

SECMMU_TEST_CALL(abandon, G6_owner_killed_mirrored_page, kill_owner, IN_MIRRORED)
SECMMU_TEST_CALL(abandon, G6_owner_killed_target, kill_owner, IN_TARGET)
SECMMU_TEST_CALL(abandon, G6_owner_killed_source, kill_owner, IN_SOURCE)

/* Others may have the engine, and use it for jobs of their own. */
SECMMU_TEST_F(abandon, G6_engine_survives_owner)
{
	int error;

	ASSERT_EQ(0, start_owner(self, IN_MIRRORED, true));
	kill(self->owner, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, child_wait(self->owner));
	self->owner = 0;
	/* If not, waiting for the job would do no good. */
	ASSERT_TRUE(EVENTUALLY(memory_is_gone(self)));
	EXPECT_EQ(0, job_wait(self->shared, &error));
	EXPECT_EQ(ESRCH, error);

	self->mirror = NEW_MIRROR();
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, region_map(PAGES),
				     PAGES * PAGE));
	ASSERT_EQ(0, engine_attach(self->shared, self->mirror, 0));
	ASSERT_EQ(0, job_start(self->shared, 0, BASE, PAGE, NULL));
	EXPECT_EQ(PAGE, job_wait(self->shared, &error));
	EXPECT_EQ(0, error);
	close(self->shared);
	close(self->mirror);
	EXPECT_TRUE(EVENTUALLY(users_are(self->users)));
	self->shared = -1;
	self->mirror = -1;
}

/* An engine of ours. A job comes to wait for the first page, and for no other. */
static void make_engine(TEST_ARGS(abandon))
{
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	self->uffd = uffd_open(0);
	ASSERT_EQ(0, uffd_register(self->uffd, self->mem, 1, UFFDIO_REGISTER_MODE_MISSING));
	self->mirror = NEW_MIRROR();
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, PAGES * PAGE));
}

static int start_to_wait(void *arg)
{
	FIXTURE_DATA(abandon) *self = arg;

	CHECK(!job_start(self->engine, 0, BASE, PAGE, NULL));
	CHECK(uffd_wait(self->uffd, 20000));
	return 0;
}

/* Nobody has given the job up: it has its page at last, and is done. */
static void expect_done(TEST_ARGS(abandon))
{
	int error;

	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem, self->mem + PAGE));
	EXPECT_EQ(PAGE, job_wait(self->engine, &error));
	EXPECT_EQ(0, error);
}

/* Who lives, but has closed the engine, does not want the result either. */
SECMMU_TEST_F(abandon, G6_engine_closed)
{
	make_engine(_metadata, self);
	ASSERT_EQ(0, start_to_wait(self));
	close(self->engine);
	self->engine = -1;
	/* The mirror is left. */
	EXPECT_TRUE(EVENTUALLY(users_are(self->users + 1)));
}

/* Who closes one of two descriptors still wants the result. */
SECMMU_TEST_F(abandon, G6_other_descriptor_closed)
{
	int other;

	make_engine(_metadata, self);
	other = ASSERT_NUMBER(dup(self->engine));
	ASSERT_EQ(0, start_to_wait(self));
	close(other);
	expect_done(_metadata, self);
}

static int do_nothing(void *unused)
{
	(void)unused;
	return 0;
}

/* The end of a process that has the engine, and has not started the job, is no reason. */
SECMMU_TEST_F(abandon, G6_another_ends)
{
	make_engine(_metadata, self);
	ASSERT_EQ(0, start_to_wait(self));
	EXPECT_EQ(0, child_wait(child_start(do_nothing, NULL)));
	expect_done(_metadata, self);
}

/* A second job is its own starter's: it is given up with that one, and not before. */
SECMMU_TEST_F(abandon, G6_second_starter_ends)
{
	int error;

	make_engine(_metadata, self);
	ASSERT_EQ(0, job_start(self->engine, 0, BASE + PAGE, PAGE, NULL));
	EXPECT_EQ(PAGE, job_wait(self->engine, &error));
	EXPECT_EQ(0, child_wait(child_start(start_to_wait, self)));
	ASSERT_TRUE(EVENTUALLY(!task_find("secmmu-job")));
	EXPECT_EQ(0, job_wait(self->engine, &error));
	EXPECT_EQ(ESRCH, error);
}

static void alarmed(int signal)
{
	(void)signal;
}

/* Jobs that wait, however many, keep no other from its end. */
SECMMU_TEST_F(abandon, G6_many_wait)
{
	struct sigaction action = { .sa_handler = alarmed };
	char *mem = ASSERT_MEMORY(region_map(PAGES));
	int engine[MANY], i, error;

	self->uffd = uffd_open(0);
	ASSERT_EQ(0, uffd_register(self->uffd, mem, 1, UFFDIO_REGISTER_MODE_MISSING));
	self->mirror = NEW_MIRROR();
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, mem, PAGES * PAGE));
	for (i = 0; i < MANY; i++) {
		engine[i] =
			NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
		ASSERT_EQ(0, job_start(engine[i], 0, BASE, PAGE, NULL));
	}
	self->engine = NEW_ENGINE_WITH(self->mirror, SECMMU_ENGINE_BACKGROUND);
	ASSERT_EQ(0, job_start(self->engine, 0, BASE + PAGE, PAGE, NULL));
	sigaction(SIGALRM, &action, NULL);
	alarm(20 * secmmu_slow());
	EXPECT_EQ(PAGE, job_wait(self->engine, &error));
	EXPECT_EQ(0, error);
	alarm(0);
	for (i = 0; i < MANY; i++)
		close(engine[i]);
	/* A mirror and an engine are left. */
	EXPECT_TRUE(EVENTUALLY(users_are(self->users + 2)));
}

TEST_HARNESS_MAIN
