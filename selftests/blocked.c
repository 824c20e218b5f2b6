// SPDX-License-Identifier: GPL-2.0
/*
 * Faults that get stuck: the page that they need is missing, and its userfaultfd is not
 * served. Meanwhile slots change, other faults go on, and the process may die.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define PAGES	8L
#define BASE	0x130000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* The page that is missing. */
#define STUCK	2L

/* Milliseconds: for what must happen, and for what might. */
#define MUST	30000
#define MIGHT	1000

#define KILLS	20

enum access { READ, WRITE, PREFAULT };

FIXTURE(blocked)
{
	int dev, mirror, engine;
	int uffd;	/* pages from STUCK on are missing, and asked for */
	char *mem;	/* page i starts with label(i, 1) below that */
	char *fill;	/* a page that starts with label(STUCK, 1) */
	char *other;	/* other memory, page i starts with label(i, 2) */
	/* The access that gets stuck. */
	pthread_t thread;
	enum access access;
	int ret;
	__u64 word;
};

FIXTURE_VARIANT(blocked)
{
	enum access access;
};

FIXTURE_VARIANT_ADD(blocked, read) { .access = READ };
FIXTURE_VARIANT_ADD(blocked, write) { .access = WRITE };
FIXTURE_VARIANT_ADD(blocked, prefault) { .access = PREFAULT };

FIXTURE_SETUP(blocked)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->access = variant->access;
	self->mem = region_map(PAGES);
	self->other = region_map(PAGES);
	self->fill = ASSERT_MEMORY(region_map(1));
	ASSERT_NE(NULL, self->other);
	ASSERT_NE(NULL, self->mem);
	*word_at(self->fill, 0) = label(STUCK, 1);
	pages_label(self->other, 0, PAGES, 2);
	pages_label(self->mem, 0, STUCK, 1);
	self->uffd = uffd_open(0);
	ASSERT_LE(0, self->uffd) TH_LOG("userfaultfd: %d", self->uffd);
	ASSERT_EQ(0, uffd_register(self->uffd, self->mem + STUCK * PAGE, PAGES - STUCK,
				   UFFDIO_REGISTER_MODE_MISSING));
	SET_SLOT(0, 0, BASE, 0, PAGES);
}

FIXTURE_TEARDOWN(blocked)
{
	close(self->uffd);
	region_unmap(self->mem, PAGES);
	region_unmap(self->other, PAGES);
	region_unmap(self->fill, 1);
	SECMMU_TEARDOWN();
}

/* The access to the missing page. Zero or an error. */
static int access_stuck(FIXTURE_DATA(blocked) *self)
{
	struct secmmu_prefault range;

	switch (self->access) {
	case READ:
		return gpa_get(self->engine, GPA(STUCK), &self->word);
	case WRITE:
		return gpa_put(self->engine, GPA(STUCK), label(STUCK, 5));
	case PREFAULT:
		return secmmu_prefault(self->mirror, 0, GPA(STUCK), PAGE, &range);
	}
	return -EINVAL;
}

static void *access_thread(void *data)
{
	FIXTURE_DATA(blocked) *self = data;

	self->ret = access_stuck(self);
	return NULL;
}

/* A thread gets stuck; it is when the page was asked for. */
#define GET_STUCK()							\
do {									\
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, access_thread, \
				    self));				\
	ASSERT_EQ(self->mem + STUCK * PAGE, uffd_wait(self->uffd, MUST)); \
} while (0)

/* Without it none of the others means anything. */
SECMMU_TEST_F(blocked, released_by_the_page)
{
	GET_STUCK();
	/* Other pages are to be had. */
	if (self->access == PREFAULT)
		EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	EXPECT_EQ(label(STUCK, self->access == WRITE ? 5 : 1), *word_at(self->mem, STUCK));
	EXPECT_GPA(*word_at(self->mem, STUCK), self->engine, GPA(STUCK));
}

/* Nothing may come in through a slot that is gone. */
SECMMU_TEST_F(blocked, A11_slot_deleted)
{
	GET_STUCK();
	EXPECT_EQ(0, secmmu_delete_slot(self->mirror, 0));
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(-ENXIO, self->ret);
	EXPECT_GPA_ERROR(ENXIO, self->engine, GPA(STUCK));
	/* A write that was refused has not happened. */
	EXPECT_EQ(label(STUCK, 1), *word_at(self->mem, STUCK));
	EXPECT_COUNTER(1, retries_slot);
	EXPECT_COUNTER(0, fault_pages);
}

SECMMU_TEST_F(blocked, A11_slot_moved)
{
	GET_STUCK();
	EXPECT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->other, PAGES * PAGE));
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	if (self->access == READ)
		EXPECT_EQ(label(STUCK, 2), self->word);
	EXPECT_EQ(label(STUCK, self->access == WRITE ? 5 : 2), *word_at(self->other, STUCK));
	EXPECT_GPA(*word_at(self->other, STUCK), self->engine, GPA(STUCK));
	EXPECT_EQ(label(STUCK, 1), *word_at(self->mem, STUCK));
	EXPECT_COUNTER(1, retries_slot);
}

SECMMU_TEST_F(blocked, A11_slot_made_readonly)
{
	GET_STUCK();
	EXPECT_EQ(0, secmmu_set_slot(self->mirror, 0, SECMMU_SLOT_READONLY,
				     BASE, self->mem, PAGES * PAGE));
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(self->access == WRITE ? -EACCES : 0, self->ret);
	EXPECT_EQ(label(STUCK, 1), *word_at(self->mem, STUCK));
	EXPECT_EQ(-EACCES, gpa_put(self->engine, GPA(STUCK), 0));
	EXPECT_GPA(label(STUCK, 1), self->engine, GPA(STUCK));
}

/* Another slot comes and goes: not the fault's affair. */
SECMMU_TEST_F(blocked, A10_other_slot_deleted)
{
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 1, 0, GPA(PAGES),
				     self->other, PAGES * PAGE));
	GET_STUCK();
	EXPECT_EQ(0, secmmu_delete_slot(self->mirror, 1));
	/* Events elsewhere, too. */
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->other, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	EXPECT_COUNTER(0, retries_slot);
	EXPECT_COUNTER(0, retries_event);
}

/*
 * The memory itself goes, and no page will ever come. (The kernel does not wake
 * those who wait for it: they are told to look again.)
 */
SECMMU_TEST_F(blocked, A6_unmapped)
{
	GET_STUCK();
	ASSERT_EQ(0, munmap(self->mem + STUCK * PAGE, PAGE));
	ASSERT_EQ(0, uffd_wake(self->uffd, self->mem + STUCK * PAGE));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(-EFAULT, self->ret);
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(STUCK));
}

SECMMU_TEST_F(blocked, A6_replaced)
{
	GET_STUCK();
	ASSERT_EQ(0, region_replace(self->mem, STUCK, 1, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, uffd_wake(self->uffd, self->mem + STUCK * PAGE));
	pthread_join(self->thread, NULL);
	EXPECT_EQ(0, self->ret);
	if (self->access == READ)
		EXPECT_EQ(0, self->word);
	EXPECT_EQ(self->access == WRITE ? label(STUCK, 5) : 0, *word_at(self->mem, STUCK));
}

/* Children inherit the descriptors; the mirror is still the parent's. */
static int access_child(void *data)
{
	return -access_stuck(data);
}

/* A fatal signal ends the wait on any kernel. */
SECMMU_TEST_F(blocked, G4_killed)
{
	int i;

	for (i = 0; i < KILLS; i++) {
		pid_t pid = ASSERT_NUMBER(child_start(access_child, self));

		ASSERT_EQ(self->mem + STUCK * PAGE, uffd_wait(self->uffd, MUST));
		/* It waits, and does nothing else. */
		EXPECT_FALSE(child_ended(pid, i ? 0 : 100));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(child_ended(pid, MUST));
		EXPECT_EQ(128 + SIGKILL, child_wait(pid));
	}
	/* It has left nothing behind that would be in anybody's way. */
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	EXPECT_EQ(0, access_stuck(self));
}

static void nothing(int signal)
{
	(void)signal;
}

static int access_child_with_handler(void *data)
{
	struct sigaction action = { .sa_handler = nothing };

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	return -access_stuck(data);
}

/*
 * Other signals end it where the kernel's own page fault on behalf of others can
 * be interrupted; elsewhere the wait just goes on, and ends well.
 */
SECMMU_TEST_F(blocked, G4_interrupted)
{
	pid_t pid = ASSERT_NUMBER(child_start(access_child_with_handler, self));

	ASSERT_EQ(self->mem + STUCK * PAGE, uffd_wait(self->uffd, MUST));
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	if (child_ended(pid, MIGHT)) {
		EXPECT_EQ(EINTR, child_wait(pid));
		EXPECT_EQ(0, pages_with(self->mem + STUCK * PAGE, 1, PAGE_PRESENT));
		return;
	}
	TH_LOG("this kernel waits on");
	ASSERT_EQ(0, uffd_fill(self->uffd, self->mem + STUCK * PAGE, self->fill));
	ASSERT_TRUE(child_ended(pid, MUST));
	EXPECT_EQ(0, child_wait(pid));
	EXPECT_EQ(label(STUCK, self->access == WRITE ? 5 : 1), *word_at(self->mem, STUCK));
}

/* The owner: mirrors itself, passes mirror and engine on, waits for its end. */
static int own_memory(void *data)
{
	int sock = *(int *)data;
	char *mem = region_map(PAGES);
	int fds[3];
	int dev = secmmu_open();

	fds[0] = secmmu_create_mirror(dev, SECMMU_FLUSH_RANGE, 0);
	fds[1] = secmmu_create_engine(fds[0]);
	fds[2] = uffd_open(0);
	CHECK(mem && fds[1] >= 0 && fds[2] >= 0);
	CHECK(!uffd_register(fds[2], mem, PAGES, UFFDIO_REGISTER_MODE_MISSING));
	CHECK(!secmmu_set_slot(fds[0], 0, 0, BASE, mem, PAGES * PAGE));
	CHECK(!fds_send(sock, fds, 3));
	return child_sleep(NULL);
}

/* The process dies while a fault waits for one of its pages. */
SECMMU_TEST_F(blocked, A17_owner_killed)
{
	int sock[2], fds[3], i;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	for (i = 0; i < KILLS; i++) {
		pid = ASSERT_NUMBER(child_start(own_memory, &sock[1]));
		close(self->mirror);
		close(self->engine);
		ASSERT_EQ(0, fds_receive(sock[0], fds, 3));
		self->mirror = fds[0];
		self->engine = fds[1];
		ASSERT_EQ(0, pthread_create(&self->thread, NULL, access_thread, self));
		ASSERT_NE(NULL, uffd_wait(fds[2], MUST));
		ASSERT_EQ(128 + SIGKILL, child_kill(pid));
		/* The last descriptor: the page will never come. */
		close(fds[2]);
		pthread_join(self->thread, NULL);
		/* The memory may live as long as the access. */
		EXPECT_TRUE(self->ret == -ESRCH || self->ret == -EFAULT ||
			    self->ret == 0) TH_LOG("error %d", self->ret);
		EXPECT_GPA_ERROR(ESRCH, self->engine, GPA(STUCK));
	}
	close(sock[0]);
	close(sock[1]);
}

TEST_HARNESS_MAIN
