// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a file on a disk: what engines write is in the file when its page has
 * been written back and evicted, whenever the writeback comes. The file is the end of
 * /dev/ram0 (module brd). Needs a test build.
 */
#include <fcntl.h>
#include <pthread.h>

#include "secmmu_gates.h"
#include "secmmu_harness.h"
#include "secmmu_outsider.h"

#define DISK	"/dev/ram0"
#define PAGES	4L
#define BASE	0x180000000ULL
#define GPA(page)	(BASE + (page) * PAGE)
#define STAND_STILL	300

FIXTURE(writeback)
{
	int dev, mirror, engine;
	int disk;
	off_t start;	/* of the pages, on the disk */
	char *mem;
	struct outsider outsider;
	pthread_t thread;
};

FIXTURE_SETUP(writeback)
{
	self->disk = -1;
	self->mem = MAP_FAILED;
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	if (!cpus_enough())
		SECMMU_SKIP("less than %d processors", OUTSIDER_CPUS);
	SECMMU_CHANGES_OR_SKIP("overwrites the end of " DISK);
	self->disk = open(DISK, O_RDWR | O_CLOEXEC);
	if (self->disk < 0)
		SECMMU_SKIP("no " DISK);
	self->start = lseek(self->disk, 0, SEEK_END) - PAGES * PAGE;
	ASSERT_LE(0, self->start);
	self->mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->disk, self->start);
	ASSERT_NE(MAP_FAILED, self->mem);
	pages_label(self->mem, 0, PAGES, 1);
	ASSERT_EQ(0, fsync(self->disk));
	SET_SLOT(0, 0, BASE, 0, PAGES);
	ASSERT_EQ(0, outsider_start(&self->outsider));
}

FIXTURE_TEARDOWN(writeback)
{
	gates_clear(self->dev);
	outsider_stop(&self->outsider);
	if (self->mem != MAP_FAILED)
		munmap(self->mem, PAGES * PAGE);
	close(self->disk);
	SECMMU_TEARDOWN();
}

static void *sync_disk(void *data)
{
	FIXTURE_DATA(writeback) *self = data;

	/* It will spin: not where the test runs. */
	if (cpus_aside() || fsync(self->disk))
		return (void *)(long)-errno;
	return NULL;
}

static void start_sync(TEST_ARGS(writeback))
{
	ASSERT_EQ(0, pthread_create(&self->thread, NULL, sync_disk, self));
}

static void finish_sync(TEST_ARGS(writeback))
{
	void *ret;

	ASSERT_EQ(0, pthread_join(self->thread, &ret));
	ASSERT_EQ(NULL, ret);
}

/* Evicts what is taken for clean; what is not gets written back, in the end too. */
static int evict(FIXTURE_DATA(writeback) *self)
{
	long until = now_ms() + GATE_PATIENCE;
	unsigned char in_core;

	if (madvise(self->mem, PAGES * PAGE, MADV_DONTNEED))
		return -errno;
	do {
		if (posix_fadvise(self->disk, self->start, PAGES * PAGE,
				  POSIX_FADV_DONTNEED) ||
		    mincore(self->mem, PAGE, &in_core))
			return -EIO;
		if (!(in_core & 1))
			return 0;
		sleep_ms(1);
	} while (now_ms() < until);
	return -EBUSY;
}

/* This is what the disk has. */
static void expect_kept(TEST_ARGS(writeback), __u64 word)
{
	ASSERT_EQ(0, evict(self));
	EXPECT_EQ(word, *word_at(self->mem, 0));
	EXPECT_GPA(word, self->engine, GPA(0));
}

SECMMU_TEST_F(writeback, C2_write_after_writeback)
{
	struct secmmu_stats a;
	int i;

	for (i = 2; i < 5; i++) {
		GET_STATS(a);
		EXPECT_PUT(self->engine, GPA(0), label(0, i));
		/* Takes the right to write away, or it would go unnoticed. */
		ASSERT_EQ(0, fsync(self->disk));
		EXPECT_SINCE(1, a, zapped);
		EXPECT_PUT(self->engine, GPA(0), ~label(0, i));
		expect_kept(_metadata, self, ~label(0, i));
	}
}

/* The entry is installed with the page clean: a writeback came after GUP. */
SECMMU_TEST_F(writeback, C2_writeback_after_gup)
{
	const __u64 word = label(0, 2);
	struct secmmu_stats a;
	int post;

	GET_STATS(a);
	post = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_FAULT_GOT, self->outsider.pid, 0));
	outsider_write(&self->outsider, self->engine, GPA(0), 1, &word);
	GATE_WAIT(post);
	ASSERT_EQ(0, fsync(self->disk));
	GATE_OPEN(post);
	ASSERT_EQ(0, outsider_answer(&self->outsider, NULL));
	EXPECT_SINCE(1, a, retries_event);
	expect_kept(_metadata, self, word);
}

/* What a window writes is written back, for the writeback waits for it. */
SECMMU_TEST_F(writeback, C2_writeback_under_a_write)
{
	const __u64 word = label(0, 3);
	bool early;
	int window, end;

	EXPECT_PUT(self->engine, GPA(0), label(0, 2));
	ASSERT_EQ(0, cpus_spread(NULL));
	window = ASSERT_NUMBER(gate_arm(self->dev, SECMMU_GATE_WINDOW_TRANSLATED,
					self->outsider.pid, GPA(0)));
	outsider_write(&self->outsider, self->engine, GPA(0), 1, &word);
	GATE_WAIT(window);
	end = GATE_ARM(END, self->mem);
	start_sync(_metadata, self);
	early = !gate_wait_ms(self->dev, end, STAND_STILL);
	EXPECT_FALSE(early);
	if (early) {
		/* See what comes of it. */
		GATE_OPEN(end);
		finish_sync(_metadata, self);
	}
	EXPECT_EQ(0, gate_open(self->dev, window));
	EXPECT_EQ(0, outsider_answer(&self->outsider, NULL));
	if (!early) {
		GATE_WAIT(end);
		GATE_OPEN(end);
		finish_sync(_metadata, self);
	}
	expect_kept(_metadata, self, word);
}

TEST_HARNESS_MAIN
