// SPDX-License-Identifier: GPL-2.0
/*
 * Reserved huge pages. They are counted one by one, so it shows at once if the
 * mirror keeps one.
 */
#include <signal.h>

#include "secmmu_harness.h"

#define BASE	0x120000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

#define RESERVED	"/proc/sys/vm/nr_hugepages"
#define HUGE_PAGES	2L
/* Room for copies. */
#define WANTED	(2 * HUGE_PAGES)

FIXTURE(hugetlb)
{
	int dev, mirror, engine;
	long before;	/* pages reserved, to be restored; or -1 */
	long per_huge;	/* small pages in a huge one */
	long size;	/* of the memory, in bytes */
	char *mem;	/* HUGE_PAGES of them, mapped by slot 0 */
};

static long free_huge_pages(void)
{
	return number_read("/proc/meminfo", "HugePages_Free:");
}

FIXTURE_SETUP(hugetlb)
{
	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->mem = MAP_FAILED;
	self->before = -1;
	SECMMU_CHANGES_OR_SKIP("reserves huge pages");
	self->before = number_read(RESERVED, "");
	if (self->before >= 0)
		number_write(RESERVED, self->before + WANTED);
	if (self->before < 0 || number_read(RESERVED, "") < self->before + WANTED)
		SECMMU_SKIP("no reserved huge pages to be had");
	self->size = number_read("/proc/meminfo", "Hugepagesize:") * 1024;
	self->per_huge = self->size / PAGE;
	self->size *= HUGE_PAGES;
	self->mem = mmap(NULL, self->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	pages_label(self->mem, 0, self->size / PAGE, 1);
	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 0, 0, BASE, self->mem, self->size));
}

FIXTURE_TEARDOWN(hugetlb)
{
	if (self->mem != MAP_FAILED)
		munmap(self->mem, self->size);
	if (self->before >= 0)
		number_write(RESERVED, self->before);
	SECMMU_TEARDOWN();
}

SECMMU_TEST_F(hugetlb, reads_and_writes)
{
	struct secmmu_prefault range;
	struct secmmu_stats a;
	long pages = HUGE_PAGES * self->per_huge;
	long i;

	for (i = 0; i < pages; i += 37) {
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
		EXPECT_EQ(label(i, 2), *word_at(self->mem, i));
	}
	EXPECT_EQ(0, secmmu_prefault(self->mirror, SECMMU_PREFAULT_WRITE, BASE,
				     self->size, &range));
	EXPECT_EQ(0, range.length);
	GET_STATS(a);
	for (i = 0; i < pages; i++)
		EXPECT_GPA(label(i, i % 37 ? 1 : 2), self->engine, GPA(i));
	EXPECT_SINCE(0, a, faults);
}

SECMMU_TEST_F(hugetlb, discard_and_unmap)
{
	long i, n = self->per_huge;
	long before = free_huge_pages();
	struct secmmu_stats a, b;

	for (i = 0; i < HUGE_PAGES * n; i++)
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	GET_STATS(a);
	ASSERT_EQ(0, munmap(self->mem, n * PAGE));
	GET_STATS(b);

	EXPECT_EQ(HUGE_PAGES, a.large);
	EXPECT_DELTA(1, a, b, zapped);
	/* The page is free at once. */
	EXPECT_EQ(before + 1, free_huge_pages());
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(0));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(n - 1));
	for (i = n; i < HUGE_PAGES * n; i++)
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));

	ASSERT_EQ(0, mprotect(self->mem + n * PAGE, n * PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, gpa_put(self->engine, GPA(n + 3), 0));
	EXPECT_GPA(label(n + 3, 1), self->engine, GPA(n + 3));
	ASSERT_EQ(0, munmap(self->mem + n * PAGE, n * PAGE));
	EXPECT_GPA_ERROR(EFAULT, self->engine, GPA(n + 3));
	EXPECT_EQ(before + 2, free_huge_pages());
	self->mem = MAP_FAILED;
}

struct child {
	char *mem;
	int fd;
};

static int keep_copy(void *data)
{
	struct child *child = data;

	CHECK(!byte_wait(child->fd));
	CHECK(*word_at(child->mem, 0) == label(0, 1));
	CHECK(*word_at(child->mem, 7) == label(7, 1));
	return 0;
}

SECMMU_TEST_F(hugetlb, C3_fork)
{
	struct child child = { .mem = self->mem };
	int pipefd[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(pipefd));
	child.fd = pipefd[0];
	EXPECT_PUT(self->engine, GPA(0), label(0, 1));
	pid = ASSERT_NUMBER(child_start(keep_copy, &child));
	EXPECT_PUT(self->engine, GPA(0), label(0, 2));
	EXPECT_PUT(self->engine, GPA(7), label(7, 2));
	EXPECT_EQ(label(0, 2), *word_at(self->mem, 0));
	EXPECT_EQ(label(7, 2), *word_at(self->mem, 7));
	EXPECT_GPA(label(8, 1), self->engine, GPA(8));
	EXPECT_EQ(0, byte_send(pipefd[1]));
	EXPECT_EQ(0, child_wait(pid));
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Touches a huge page of its own and waits to be killed. */
static int own_page(void *data)
{
	struct child *child = data;
	char *mem = mmap(child->mem, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0);

	CHECK(mem == child->mem);
	*word_at(mem, 5) = label(5, 5);
	CHECK(!byte_send(child->fd));
	return child_sleep(NULL);
}

/* What a dead process had is free, although the mirror still exists. */
SECMMU_TEST_F(hugetlb, G1_nothing_kept_alive)
{
	long before, i, n = self->per_huge;
	struct child child;
	int pipefd[2], mirror, engine;
	pid_t pid;

	/* Reserve the address only: the child must not inherit pages. */
	ASSERT_EQ(0, munmap(self->mem, self->size));
	child.mem = mmap(NULL, self->size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	self->mem = child.mem;
	ASSERT_NE(MAP_FAILED, child.mem);
	before = free_huge_pages();
	ASSERT_EQ(0, pipe(pipefd));
	child.fd = pipefd[1];
	pid = ASSERT_NUMBER(child_start(own_page, &child));
	ASSERT_EQ(0, byte_wait(pipefd[0]));
	EXPECT_EQ(before - 1, free_huge_pages());
	mirror = secmmu_create_mirror_of(self->dev, pid);
	engine = NEW_ENGINE(mirror);
	ASSERT_EQ(0, secmmu_set_slot(mirror, 0, 0, BASE, child.mem, n * PAGE));
	for (i = 0; i < n; i++)
		EXPECT_GPA(i == 5 ? label(5, 5) : 0, engine, GPA(i));
	EXPECT_EQ(128 + SIGKILL, child_kill(pid));
	EXPECT_EQ(before, free_huge_pages());
	EXPECT_GPA_ERROR(ESRCH, engine, GPA(5));
	close(engine);
	close(mirror);
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST_HARNESS_MAIN
