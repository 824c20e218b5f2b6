// SPDX-License-Identifier: GPL-2.0
/* What a third party does to a mirrored process: to its memory, to its life. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "secmmu_harness.h"

#define BASE	0xe0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define PAGES	(HUGE_SIZE / PAGE)

#define READERS	2
#define KILLS	100
#define REAPS	50

/* Newer than some C libraries. */
#ifndef SYS_process_mrelease
#define SYS_process_mrelease	448
#endif

FIXTURE(thirdparty)
{
	int dev, mirror, engine;
	char *mem;	/* aligned; page i starts with label(i, 1) */
	pid_t pid;	/* sleeps, and has a copy of this memory */
};

/* A new child, mirrored. Zero or an error. */
static int start_child(FIXTURE_DATA(thirdparty) *self)
{
	self->pid = child_start(child_sleep, NULL);
	if (self->pid < 0)
		return self->pid;
	return child_mirror(self->dev, self->pid, BASE, self->mem, PAGES, &self->mirror,
			    &self->engine);
}

static void end_child(FIXTURE_DATA(thirdparty) *self)
{
	close(self->engine);
	close(self->mirror);
	self->engine = -1;
	self->mirror = -1;
	if (self->pid > 0)
		child_kill(self->pid);
	self->pid = 0;
}

FIXTURE_SETUP(thirdparty)
{
	SECMMU_OPEN_OR_SKIP();
	self->mem = ASSERT_MEMORY(blocks_map(1, MADV_NOHUGEPAGE));
	pages_label(self->mem, 0, PAGES, 1);
	ASSERT_EQ(0, start_child(self));
}

FIXTURE_TEARDOWN(thirdparty)
{
	end_child(self);
	blocks_unmap(self->mem, 1);
	close(self->dev);
}

/* The child's pages are still shared with this process: a write copies. */
SECMMU_TEST_F(thirdparty, A13_write_elsewhere)
{
	struct secmmu_stats a;
	long i;

	EXPECT_LABELS(1, self->engine, GPA(0), 0, 16);
	GET_STATS(a);
	for (i = 0; i < 16; i += 2) {
		__u64 word = label(i, 2);
		struct iovec local = { &word, sizeof(word) };
		struct iovec remote = { self->mem + i * PAGE, sizeof(word) };

		ASSERT_EQ(sizeof(word), process_vm_writev(self->pid, &local, 1, &remote, 1, 0));
	}
	EXPECT_SINCE(8, a, zapped);
	EXPECT_SINCE(0, a, unpaired);
	for (i = 0; i < 16; i++)
		EXPECT_GPA(label(i, i % 2 ? 1 : 2), self->engine, GPA(i));
	/* Its parent's copy has nothing to do with it. */
	*word_at(self->mem, 1) = label(1, 3);
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
}

/* Small pages become a huge one: all of them move. */
SECMMU_TEST_F(thirdparty, A13_collapse)
{
	struct iovec iov = { self->mem, HUGE_SIZE };
	struct secmmu_stats a;
	int pidfd;
	long i;

	/* The pages are there; only now may they become a huge one. */
	end_child(self);
	madvise(self->mem, HUGE_SIZE, MADV_HUGEPAGE);
	ASSERT_EQ(0, start_child(self));
	pidfd = ASSERT_NUMBER(syscall(SYS_pidfd_open, self->pid, 0));
	/* Write, so that the child has copies of its own. */
	for (i = 0; i < PAGES; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
	GET_STATS(a);
	if (syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_COLLAPSE, 0) != HUGE_SIZE) {
		EXPECT_EQ(EINVAL, errno);
		close(pidfd);
		SKIP(return, "no MADV_COLLAPSE of another process");
	}
	EXPECT_SINCE(PAGES, a, zapped);
	EXPECT_SINCE(0, a, unpaired);
	EXPECT_LABELS(2, self->engine, GPA(0), 0, PAGES);
	EXPECT_PUT(self->engine, GPA(9), label(9, 3));
	EXPECT_GPA(label(9, 3), self->engine, GPA(9));
	close(pidfd);
}

struct reader {
	pthread_t thread;
	int engine;
	__u64 round;
	atomic_ulong *reads;
	/* Results. */
	int error;
	__u64 found;
	long page;
};

/* Reads and writes until the process is gone. */
static void *use_until_gone(void *data)
{
	struct reader *reader = data;
	long page = 0;
	int ret = 0;

	while (!ret) {
		page = (page + 7) % PAGES;
		ret = gpa_get(reader->engine, GPA(page), &reader->found);
		if (!ret && reader->found != label(page, reader->round))
			ret = -EILSEQ;
		if (!ret)
			ret = gpa_put(reader->engine, GPA(page), reader->found);
		atomic_fetch_add(reader->reads, 1);
	}
	reader->page = page;
	reader->error = ret;
	return NULL;
}

SECMMU_TEST_F_TIMEOUT(thirdparty, G1_killed_under_faults, SECMMU_TIMEOUT_LONG)
{
	struct reader readers[READERS];
	atomic_ulong reads;
	int i, cycle;
	long page;

	for (cycle = 2; cycle < 2 + KILLS; cycle++) {
		end_child(self);
		for (page = 0; page < PAGES; page++)
			*word_at(self->mem, page) = label(page, cycle);
		ASSERT_EQ(0, start_child(self));
		atomic_store(&reads, 0);
		for (i = 0; i < READERS; i++) {
			readers[i] = (struct reader) {
				.engine = secmmu_create_engine(self->mirror),
				.round = cycle,
				.reads = &reads,
			};
			ASSERT_LE(0, readers[i].engine);
			ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
						    use_until_gone, &readers[i]));
		}
		/* While they are busy faulting, not when all is mapped. */
		while (atomic_load(&reads) < (unsigned long)cycle)
			sched_yield();
		ASSERT_EQ(128 + SIGKILL, child_kill(self->pid));
		self->pid = 0;
		for (i = 0; i < READERS; i++) {
			pthread_join(readers[i].thread, NULL);
			EXPECT_TRUE(readers[i].error == -ESRCH || readers[i].error == -EFAULT)
				TH_LOG("cycle %d: error %d, page %ld: %#llx", cycle,
				       readers[i].error, readers[i].page, readers[i].found);
			EXPECT_GPA_ERROR(ESRCH, readers[i].engine, GPA(i));
			close(readers[i].engine);
		}
	}
}

/* Kills the child, but stops it before it gives its memory up. */
static int kill_and_hold(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEEXIT) ||
	    kill(pid, SIGKILL) || waitpid(pid, &status, __WALL) != pid)
		return -errno;
	return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8) ? 0 : -EPROTO;
}

/*
 * The memory of a dying process is reaped by another one, which must not wait
 * for anything: the events are not blockable.
 */
SECMMU_TEST_F_TIMEOUT(thirdparty, A12_mrelease, SECMMU_TIMEOUT_LONG)
{
	struct secmmu_prefault range;
	struct secmmu_stats a;
	int cycle, pidfd, ret;

	for (cycle = 0; cycle < REAPS; cycle++) {
		if (cycle) {
			end_child(self);
			ASSERT_EQ(0, start_child(self));
		}
		/* Half of the pages are the child's own, half shared. */
		ASSERT_EQ(0, secmmu_prefault(self->mirror, SECMMU_PREFAULT_WRITE, BASE,
					     PAGES / 2 * PAGE, &range));
		ASSERT_EQ(0, range.length);
		ASSERT_EQ(0, secmmu_prefault(self->mirror, 0, BASE, PAGES * PAGE, &range));
		ASSERT_EQ(0, range.length);
		EXPECT_GPA(label(1, 1), self->engine, GPA(1));
		pidfd = ASSERT_NUMBER(syscall(SYS_pidfd_open, self->pid, 0));
		ASSERT_EQ(0, kill_and_hold(self->pid));
		GET_STATS(a);
		/* Alive as far as the mirror is concerned. */
		EXPECT_GPA(label(2, 1), self->engine, GPA(2));
		ret = syscall(SYS_process_mrelease, pidfd, 0) ? -errno : 0;
		close(pidfd);
		if (ret == -ENOSYS)
			SKIP(return, "no process_mrelease(2)");
		ASSERT_EQ(0, ret);
		EXPECT_SINCE(PAGES, a, zapped);
		EXPECT_SINCE(0, a, unpaired);
		/* Reaped memory is not to be filled with zeroes again. */
		EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(2));
		EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(3), 1));
		ASSERT_EQ(0, ptrace(PTRACE_CONT, self->pid, 0, 0));
		EXPECT_EQ(128 + SIGKILL, child_wait(self->pid));
		self->pid = 0;
		EXPECT_GPA_ERROR(ESRCH, self->engine, GPA(2));
	}
}

TEST_HARNESS_MAIN
