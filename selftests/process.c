// SPDX-License-Identifier: GPL-2.0
/* Mirrors of another process: what it does to its memory, and how it ends. */
#include <signal.h>
#include <sys/uio.h>

#include "secmmu_harness.h"

#define PAGES	16L
#define BASE	0xd0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* To the child. */
enum order { DISCARD, UNMAP, PROTECT, STORE, LOAD, EXEC, LEAVE };

/* What the child is told to do; it answers with the same. */
struct order_msg {
	enum order what;
	long page;
	__u64 value;
};

FIXTURE(process)
{
	int dev, mirror, engine;
	char *mem;	/* the child's, page i starts with label(i, 1) */
	int sock[2];
	pid_t pid;
};

static int obey(FIXTURE_DATA(process) *self, struct order_msg *msg)
{
	char *at = self->mem + msg->page * PAGE;

	switch (msg->what) {
	case DISCARD:
		return madvise(at, PAGE, MADV_DONTNEED);
	case UNMAP:
		return munmap(at, PAGE);
	case PROTECT:
		return mprotect(at, PAGE, PROT_READ);
	case STORE:
		*word_at(self->mem, msg->page) = msg->value;
		return 0;
	case LOAD:
		msg->value = *word_at(self->mem, msg->page);
		return 0;
	case EXEC:
		return exec_to_wait(self->sock[1]);
	case LEAVE:
		_exit(0);
	}
	return 1;
}

static int serve(void *data)
{
	FIXTURE_DATA(process) *self = data;
	struct order_msg msg;

	pages_label(self->mem, 0, PAGES, 1);
	CHECK(!byte_send(self->sock[1]));
	for (;;) {
		CHECK(read(self->sock[1], &msg, sizeof(msg)) == sizeof(msg));
		CHECK(!obey(self, &msg));
		CHECK(write(self->sock[1], &msg, sizeof(msg)) == sizeof(msg));
	}
}

/* Has the child do something. Its answer, or POISON. */
static __u64 order(FIXTURE_DATA(process) *self, enum order what, long page, __u64 value)
{
	struct order_msg msg = { .what = what, .page = page, .value = value };

	if (write(self->sock[0], &msg, sizeof(msg)) != sizeof(msg))
		return POISON;
	if (what == EXEC)
		return byte_wait(self->sock[0]) ? POISON : 0;
	if (what == LEAVE)
		return child_wait(self->pid) ? POISON : 0;
	if (read(self->sock[0], &msg, sizeof(msg)) != sizeof(msg))
		return POISON;
	return msg.value;
}

/* Starts the child and mirrors it. Zero or an error. */
static int start_child(FIXTURE_DATA(process) *self)
{
	int ret;

	close(self->engine);
	close(self->mirror);
	self->engine = -1;
	self->pid = child_start(serve, self);
	if (self->pid < 0)
		return self->pid;
	ret = byte_wait(self->sock[0]);
	if (ret)
		return ret;
	return child_mirror(self->dev, self->pid, BASE, self->mem, PAGES, &self->mirror,
			    &self->engine);
}

FIXTURE_SETUP(process)
{
	SECMMU_OPEN_OR_SKIP();
	self->mem = ASSERT_MEMORY(region_map(PAGES));
	ASSERT_EQ(0, socket_pair(self->sock));
	ASSERT_EQ(0, start_child(self));
}

FIXTURE_TEARDOWN(process)
{
	kill(self->pid, SIGKILL);
	child_wait(self->pid);
	close(self->sock[0]);
	close(self->sock[1]);
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

SECMMU_TEST_F(process, reads_and_writes)
{
	__u64 word;
	long i;

	for (i = 0; i < PAGES; i++) {
		struct iovec local = { &word, sizeof(word) };
		struct iovec remote = { self->mem + i * PAGE, sizeof(word) };

		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
		ASSERT_EQ(sizeof(word), process_vm_readv(self->pid, &local, 1, &remote, 1, 0));
		EXPECT_EQ(label(i, 2), word);
		word = label(i, 3);
		ASSERT_EQ(sizeof(word), process_vm_writev(self->pid, &local, 1, &remote, 1, 0));
		EXPECT_GPA(label(i, 3), self->engine, GPA(i));
		EXPECT_EQ(label(i, 3), order(self, LOAD, i, 0));
		/* The same address here is other memory. */
		EXPECT_EQ(0, *word_at(self->mem, i));
	}
}

SECMMU_TEST_F(process, events_of_both_processes)
{
	struct secmmu_stats a;
	long i;

	for (i = 0; i < PAGES; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 1));
	GET_STATS(a);
	/* An event at the same address in this process does not reach the mirror. */
	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, order(self, DISCARD, 3, 0));
	EXPECT_EQ(0, order(self, UNMAP, 5, 0));
	EXPECT_EQ(0, order(self, PROTECT, 7, 0));
	EXPECT_EQ(label(8, 2), order(self, STORE, 8, label(8, 2)));
	EXPECT_SINCE(3, a, zapped);
	EXPECT_SINCE(3, a, zap_events);
	EXPECT_SINCE(0, a, unpaired);
	EXPECT_GPA(0, self->engine, GPA(3));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(5));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(7), 0));
	EXPECT_GPA(label(7, 1), self->engine, GPA(7));
	EXPECT_GPA(label(8, 2), self->engine, GPA(8));
	EXPECT_GPA(label(9, 1), self->engine, GPA(9));
}

/* Nothing works any more, and everything that was mapped was dropped. */
static void expect_gone(TEST_ARGS(process))
{
	struct secmmu_prefault range;
	struct secmmu_stats stats;

	EXPECT_GPA_ERROR(ESRCH, self->engine, GPA(0));
	EXPECT_GPA_ERROR(ESRCH, self->engine, GPA(PAGES - 1));
	EXPECT_EQ(-ESRCH, gpa_put(self->engine, GPA(0), 1));
	EXPECT_EQ(-ESRCH, secmmu_prefault(self->mirror, 0, BASE, PAGE, &range));
	GET_STATS(stats);
	EXPECT_EQ(PAGES, (long)stats.zapped);
	EXPECT_EQ(PAGES, (long)stats.fault_pages);
	EXPECT_EQ(0, stats.unpaired);
}

SECMMU_TEST_F(process, G1_its_exit)
{
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	EXPECT_EQ(0, order(self, LEAVE, 0, 0));
	expect_gone(_metadata, self);
	/* No process has this number any more. */
	EXPECT_EQ(-ESRCH, secmmu_create_mirror_of(self->dev, self->pid));
}

SECMMU_TEST_F(process, G1_its_execve)
{
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	EXPECT_EQ(0, order(self, EXEC, 0, 0));
	expect_gone(_metadata, self);
	/* The new program is another memory, and can be mirrored. */
	close(self->mirror);
	self->mirror = secmmu_create_mirror_of(self->dev, self->pid);
	EXPECT_LE(0, self->mirror);
	EXPECT_EQ(0, byte_send(self->sock[0]));
}

/*
 * Processes may use 47 bits of addresses, or, with five levels of page tables,
 * more than guests have.
 */
static __u64 map_all(int mirror)
{
	__u64 length = 1ULL << SECMMU_GPA_BITS;

	if (!secmmu_set_slot(mirror, 0, 0, 0, NULL, length))
		return length;
	length = (1ULL << 47) - PAGE;
	/* The page at the end of it is not the process's. */
	if (secmmu_set_slot(mirror, 0, 0, 0, NULL, length + PAGE) != -EINVAL)
		return 0;
	return secmmu_set_slot(mirror, 0, 0, 0, NULL, length) ? 0 : length;
}

/* The whole user range by one slot, at its own addresses. */
SECMMU_TEST_F(process, whole_user_range)
{
	volatile __u64 here = label(77, 1);
	int mirrors[2], engines[2], i;
	__u64 length = 0;

	mirrors[0] = self->mirror;
	mirrors[1] = secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0);
	ASSERT_EQ(0, secmmu_delete_slot(self->mirror, 0));
	for (i = 0; i < 2; i++) {
		length = map_all(mirrors[i]);
		ASSERT_NE(0, length);
		engines[i] = NEW_ENGINE(mirrors[i]);
	}
	EXPECT_GPA(label(3, 1), engines[0], (uintptr_t)(self->mem + 3 * PAGE));
	EXPECT_GPA(here, engines[1], (uintptr_t)&here);
	EXPECT_PUT(engines[1], (uintptr_t)&here, label(77, 2));
	EXPECT_EQ(label(77, 2), here);
	for (i = 0; i < 2; i++) {
		EXPECT_GPA_ERROR(EFAULT, engines[i], 0);
		EXPECT_GPA_ERROR(EFAULT, engines[i], length - PAGE);
		EXPECT_GPA_ERROR(ENXIO, engines[i], length);
		/* This code, through either. */
		EXPECT_GPA(*(volatile __u64 *)(uintptr_t)serve, engines[i], (uintptr_t)serve);
		close(engines[i]);
	}
	EXPECT_EQ(0, order(self, DISCARD, 3, 0));
	EXPECT_GPA(label(2, 1), self->engine, (uintptr_t)self->mem + 2 * PAGE);
	EXPECT_GPA(0, self->engine, (uintptr_t)self->mem + 3 * PAGE);
	close(mirrors[1]);
}

/* Another process mirrors the child, too. */
static int second_mirror(void *data)
{
	FIXTURE_DATA(process) *self = data;
	int mirror = secmmu_create_mirror_of(self->dev, self->pid);
	int engine = secmmu_create_engine(mirror);
	__u64 word = 0;

	CHECK(engine >= 0);
	CHECK(!secmmu_set_slot(mirror, 0, 0, BASE, self->mem, PAGES * PAGE));
	CHECK(!gpa_get(engine, GPA(1), &word));
	CHECK(word == label(1, 1));
	CHECK(!gpa_put(engine, GPA(1), label(1, 2)));
	CHECK(order(self, DISCARD, 2, 0) == 0);
	CHECK(!gpa_get(engine, GPA(2), &word));
	CHECK(!word);
	/* What the first mirror's owner may do, this one may not. */
	CHECK(secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, PAGE) == -EPERM);
	return 0;
}

SECMMU_TEST_F(process, two_mirrors_two_owners)
{
	EXPECT_GPA(label(1, 1), self->engine, GPA(1));
	EXPECT_GPA(label(2, 1), self->engine, GPA(2));
	EXPECT_EQ(0, child_wait(child_start(second_mirror, self)));
	EXPECT_GPA(label(1, 2), self->engine, GPA(1));
	EXPECT_GPA(0, self->engine, GPA(2));
	EXPECT_EQ(0, order(self, UNMAP, 1, 0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(1));
}

TEST_HARNESS_MAIN
