// SPDX-License-Identifier: GPL-2.0
/*
 * A call is stuck in user memory: a userfaultfd without a server holds the bitmap of
 * GET_DIRTY_LOG. No other call on the mirror waits for it.
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define PAGES	64L
#define BASE	0x40000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* Milliseconds: for what must happen. */
#define MUST	(20000 * secmmu_slow())

#define DEBUGFS	"/sys/kernel/debug/secmmu"

FIXTURE(usermem)
{
	int dev, mirror, engine;
	int other_mirror, other_engine;
	int uffd;
	char *mem, *bitmap, *zero;
	pthread_t thread;
	int ret;
};

static void *ask_for_log(void *arg)
{
	FIXTURE_DATA(usermem) *self = arg;

	self->ret = secmmu_dirty_log(self->mirror, 0, 0, PAGES, (__u64 *)self->bitmap);
	return NULL;
}

FIXTURE_SETUP(usermem)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->other_mirror = NEW_MIRROR();
	self->other_engine = NEW_ENGINE(self->other_mirror);
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	self->bitmap = ASSERT_MEMORY(region_map(1));
	self->zero = ASSERT_MEMORY(region_map(1));
	*word_at(self->zero, 0) = 0;
	SET_SLOT(0, SECMMU_SLOT_LOG_DIRTY, BASE, 0, PAGES);
	EXPECT_PUT(self->engine, GPA(7), 1);
	self->uffd = ASSERT_NUMBER(uffd_open(0));
	ASSERT_EQ(0, uffd_register(self->uffd, self->bitmap, 1, UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, ask_for_log, self));
	ASSERT_EQ(self->bitmap, uffd_wait(self->uffd, MUST));
}

FIXTURE_TEARDOWN(usermem)
{
	uffd_fill(self->uffd, self->bitmap, self->zero);
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	EXPECT_EQ(1ULL << 7, *word_at(self->bitmap, 0));
	close(self->uffd);
	region_unmap(self->mem, PAGES);
	region_unmap(self->bitmap, 1);
	region_unmap(self->zero, 1);
	close(self->other_engine);
	close(self->other_mirror);
	SECMMU_TEARDOWN();
}

struct caller {
	FIXTURE_DATA(usermem) *self;
	int (*fn)(FIXTURE_DATA(usermem) *self);
	int ret;
};

static void *call(void *arg)
{
	struct caller *caller = arg;

	caller->ret = caller->fn(caller->self);
	return NULL;
}

/* A thread makes the call, for one that hangs cannot be killed in a broken driver. */
static void expect_call(TEST_ARGS(usermem), int (*fn)(FIXTURE_DATA(usermem) *self))
{
	struct caller caller = { .self = self, .fn = fn, .ret = -EINPROGRESS };
	struct timespec limit;
	pthread_t thread;
	int err;

	ASSERT_EQ(0, pthread_create(&thread, NULL, call, &caller));
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += MUST / 1000;
	err = pthread_timedjoin_np(thread, NULL, &limit);
	EXPECT_EQ(0, err);
	if (err) {
		uffd_fill(self->uffd, self->bitmap, self->zero);
		pthread_join(thread, NULL);
	}
	EXPECT_LE(0, caller.ret);
}

static int add_slot(FIXTURE_DATA(usermem) *self)
{
	return secmmu_set_slot(self->mirror, 1, 0, GPA(1000), self->mem, PAGE);
}

static int log_another_slot(FIXTURE_DATA(usermem) *self)
{
	__u64 log;

	return secmmu_set_slot(self->mirror, 2, SECMMU_SLOT_LOG_DIRTY, GPA(2000),
			       self->mem, PAGE) ?:
	       secmmu_dirty_log(self->mirror, 2, 0, 1, &log);
}

static int create_engine(FIXTURE_DATA(usermem) *self)
{
	int engine = secmmu_create_engine(self->mirror);

	return engine < 0 ? engine : close(engine);
}

static int create_domain(FIXTURE_DATA(usermem) *self)
{
	return domain_create(self->mirror, 1);
}

static int attach(FIXTURE_DATA(usermem) *self)
{
	return engine_attach(self->other_engine, self->mirror, 0);
}

static int set_tag_bits(FIXTURE_DATA(usermem) *self)
{
	/* Frozen by the engine; whether it is has to be looked up. */
	return tag_bits_set(self->mirror, 6) == -EBUSY ? 0 : -EPROTO;
}

static int use_engine(FIXTURE_DATA(usermem) *self)
{
	return gpa_put(self->engine, GPA(9), 1);
}

static int show_slots(FIXTURE_DATA(usermem) *self)
{
	char path[512], text[16384];
	struct dirent *entry;
	DIR *dir = opendir(DEBUGFS);
	int shown = 0;

	(void)self;
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), DEBUGFS "/%s/slots", entry->d_name);
		shown += !text_read(path, text, sizeof(text));
	}
	if (dir)
		closedir(dir);
	return dir && !shown ? -ENOENT : 0;
}

#define USERMEM_TEST(fn)						\
SECMMU_TEST_F(usermem, G8_##fn)						\
{									\
	expect_call(_metadata, self, fn);				\
}

USERMEM_TEST(add_slot)
USERMEM_TEST(log_another_slot)
USERMEM_TEST(create_engine)
USERMEM_TEST(create_domain)
USERMEM_TEST(attach)
USERMEM_TEST(set_tag_bits)
USERMEM_TEST(use_engine)
USERMEM_TEST(show_slots)

/* The slot whose log is stuck goes; what was taken cannot be given back any more. */
static int replace_slot(FIXTURE_DATA(usermem) *self)
{
	return secmmu_set_slot(self->mirror, 0, SECMMU_SLOT_LOG_DIRTY, BASE, self->mem,
			       PAGES / 2 * PAGE) ?:
	       secmmu_delete_slot(self->mirror, 0);
}

USERMEM_TEST(replace_slot)

TEST_HARNESS_MAIN
