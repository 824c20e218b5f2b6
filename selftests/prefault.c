// SPDX-License-Identifier: GPL-2.0
/* Mapping before use: prefault, and what a read maps around itself. */
#include <signal.h>
#include <sys/time.h>

#include <linux/userfaultfd.h>

#include "secmmu_harness.h"

#define PAGES	100L
#define BASE	0xc0000000ULL
#define GPA(page)	(BASE + (page) * PAGE)

/* What the driver documents. */
#define AROUND	16L

/* Enough pages that a timer goes off before all of them are mapped. */
#define MANY	(1L << 18)

FIXTURE(prefault)
{
	int dev, mirror, engine;
	int around;	/* an engine that maps around its reads */
	char *mem;	/* page i starts with label(i, 1); slots 0 and 1 */
};

FIXTURE_SETUP(prefault)
{
	struct secmmu_create_engine arg = {
		.size = sizeof(arg),
		.flags = SECMMU_ENGINE_FAULT_AROUND,
	};

	SECMMU_SETUP(SECMMU_FLUSH_RANGE, 0);
	self->around = ASSERT_NUMBER(secmmu_call(self->mirror, SECMMU_CREATE_ENGINE, &arg,
						 sizeof(arg)));
	REGION_SETUP(PAGES);
	/* Two slots that follow each other. */
	SET_SLOT(0, 0, BASE, 0, 60);
	SET_SLOT(1, 0, GPA(60), 60, PAGES - 60);
}

FIXTURE_TEARDOWN(prefault)
{
	close(self->around);
	region_unmap(self->mem, PAGES);
	SECMMU_TEARDOWN();
}

/* Prefaults [@first, @end) and stops at @stop. */
#define EXPECT_PREFAULT(flags, first, end, stop)			\
do {									\
	struct secmmu_prefault _range;					\
									\
	EXPECT_EQ(0, secmmu_prefault(self->mirror, flags, GPA(first),	\
				     ((end) - (first)) * PAGE, &_range)); \
	EXPECT_EQ(GPA(stop), _range.gpa);				\
	EXPECT_EQ((__u64)(((end) - (stop)) * PAGE), _range.length);	\
} while (0)

/* Fails, with nothing done; secmmu_call() sees to that. */
#define EXPECT_PREFAULT_ERROR(error, flags, gpa, length)		\
do {									\
	struct secmmu_prefault _range;					\
									\
	EXPECT_EQ(-(error), secmmu_prefault(self->mirror, flags, gpa,	\
					    length, &_range));		\
} while (0)

SECMMU_TEST_F(prefault, whole_range)
{
	struct secmmu_stats a, b;

	GET_STATS(a);
	EXPECT_PREFAULT(0, 0, PAGES, PAGES);
	GET_STATS(b);
	EXPECT_DELTA(PAGES, a, b, fault_pages);
	EXPECT_DELTA(0, a, b, reads);
	EXPECT_DELTA(0, a, b, retries);
	EXPECT_LABELS(1, self->engine, GPA(0), 0, PAGES);
	EXPECT_SINCE(0, b, faults);
	/* It is no promise: what the process discards is gone. */
	ASSERT_EQ(0, madvise(self->mem + 5 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_GPA(0, self->engine, GPA(5));
	EXPECT_GPA(label(6, 1), self->engine, GPA(6));
}

struct copy_arg {
	char *mem;
	int fd;
};

static int keep_copy(void *data)
{
	struct copy_arg *arg = data;
	long i;

	CHECK(!byte_wait(arg->fd));
	for (i = 0; i < PAGES; i++)
		CHECK(*word_at(arg->mem, i) == label(i, 1));
	return 0;
}

/* Pages shared with a child: copied once, by the prefault. */
SECMMU_TEST_F(prefault, C3_write_breaks_cow)
{
	struct copy_arg arg = { .mem = self->mem };
	struct secmmu_stats a, b;
	int pipefd[2];
	pid_t pid;
	long i;

	ASSERT_EQ(0, pipe(pipefd));
	arg.fd = pipefd[0];
	pid = ASSERT_NUMBER(child_start(keep_copy, &arg));
	GET_STATS(a);
	EXPECT_PREFAULT(SECMMU_PREFAULT_WRITE, 0, PAGES, PAGES);
	GET_STATS(b);
	/* Each copy is an event of its own, and may repeat a round. */
	EXPECT_LE(PAGES, (long)(b.fault_pages - a.fault_pages));
	EXPECT_GE(PAGES + 1, (long)(b.retries - a.retries));
	for (i = 0; i < PAGES; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 2));
	EXPECT_SINCE(0, b, faults);
	EXPECT_SINCE(0, b, retries);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(label(i, 2), *word_at(self->mem, i));
	EXPECT_EQ(0, byte_send(pipefd[1]));
	EXPECT_EQ(0, child_wait(pid));
	close(pipefd[0]);
	close(pipefd[1]);
}

/* Mapped for reading first, so that each entry has to be upgraded. */
SECMMU_TEST_F(prefault, C3_read_then_write)
{
	struct secmmu_stats a;
	long i;

	ASSERT_EQ(0, madvise(self->mem, PAGES * PAGE, MADV_DONTNEED));
	EXPECT_PREFAULT(0, 0, PAGES, PAGES);
	EXPECT_PREFAULT(SECMMU_PREFAULT_WRITE, 0, PAGES, PAGES);
	/* A later prefault for reading takes nothing away. */
	EXPECT_PREFAULT(0, 0, PAGES, PAGES);
	GET_STATS(a);
	for (i = 0; i < PAGES; i++)
		EXPECT_PUT(self->engine, GPA(i), label(i, 3));
	EXPECT_SINCE(0, a, faults);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(label(i, 3), *word_at(self->mem, i));
}

SECMMU_TEST_F(prefault, stops_at_a_hole)
{
	static const long holes[] = { 1, 31, 32, 33, 59, 61, PAGES - 2 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		long hole = holes[i];

		ASSERT_EQ(0, munmap(self->mem + hole * PAGE, PAGE));
		EXPECT_PREFAULT(0, 0, PAGES, hole);
		EXPECT_PREFAULT(SECMMU_PREFAULT_WRITE, 0, PAGES, hole);
		EXPECT_PREFAULT_ERROR(EFAULT, 0, GPA(hole), (PAGES - hole) * PAGE);
		EXPECT_PREFAULT(0, hole + 1, PAGES, PAGES);
		ASSERT_EQ(0, region_replace(self->mem, hole, 1, PROT_READ | PROT_WRITE));
	}
	/* May be read, but not written. */
	ASSERT_EQ(0, mprotect(self->mem + 40 * PAGE, PAGE, PROT_READ));
	EXPECT_PREFAULT(0, 0, PAGES, PAGES);
	EXPECT_PREFAULT(SECMMU_PREFAULT_WRITE, 0, PAGES, 40);
	EXPECT_PREFAULT_ERROR(EFAULT, SECMMU_PREFAULT_WRITE, GPA(40), PAGE);
}

SECMMU_TEST_F(prefault, gaps_and_permissions)
{
	EXPECT_PREFAULT(0, 90, PAGES + 5, PAGES);
	EXPECT_PREFAULT_ERROR(ENXIO, 0, GPA(PAGES), PAGE);
	EXPECT_PREFAULT_ERROR(ENXIO, 0, BASE - PAGE, 2 * PAGE);
	ASSERT_EQ(0, secmmu_delete_slot(self->mirror, 0));
	EXPECT_PREFAULT_ERROR(ENXIO, 0, GPA(59), 2 * PAGE);
	SET_SLOT(0, SECMMU_SLOT_READONLY, BASE, 0, 60);
	EXPECT_PREFAULT(0, 0, PAGES, PAGES);
	EXPECT_PREFAULT_ERROR(EACCES, SECMMU_PREFAULT_WRITE, BASE, PAGES * PAGE);
	/* From a slot that may be written into one that may not. */
	SET_SLOT(2, SECMMU_SLOT_READONLY, GPA(PAGES), 0, 5);
	EXPECT_PREFAULT(SECMMU_PREFAULT_WRITE, 60, PAGES + 5, PAGES);
	EXPECT_PREFAULT_ERROR(EACCES, SECMMU_PREFAULT_WRITE, GPA(PAGES), 5 * PAGE);
	EXPECT_PREFAULT(0, 60, PAGES + 5, PAGES + 5);
}

SECMMU_TEST_F(prefault, G2_arguments)
{
	const __u64 end = 1ULL << SECMMU_GPA_BITS;
	__u32 flag;

	for (flag = 1; flag; flag <<= 1) {
		if (flag != SECMMU_PREFAULT_WRITE)
			EXPECT_PREFAULT_ERROR(EINVAL, flag, BASE, PAGE);
	}
	EXPECT_PREFAULT_ERROR(EINVAL, 0, BASE, 0);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, BASE + 1, PAGE);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, BASE + PAGE / 2, PAGE);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, BASE, 1);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, BASE, PAGE + 8);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, end, PAGE);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, end - PAGE, 2 * PAGE);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, -PAGE, PAGE);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, -PAGE, 2 * PAGE);
	EXPECT_PREFAULT_ERROR(EINVAL, 0, BASE, -PAGE);
	EXPECT_PREFAULT_ERROR(ENXIO, 0, end - PAGE, PAGE);
	EXPECT_PREFAULT(0, 0, 1, 1);
}

static void nothing(int signal)
{
	(void)signal;
}

SECMMU_TEST_F(prefault, G4_interrupted)
{
	const struct itimerval each_ms = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = {};
	struct sigaction action = { .sa_handler = nothing };
	char *many = ASSERT_MEMORY(region_map(MANY));
	struct secmmu_prefault range;
	__u64 next = GPA(PAGES), length = MANY * PAGE;
	long calls = 0;
	int ret;

	ASSERT_EQ(0, secmmu_set_slot(self->mirror, 2, 0, GPA(PAGES), many, MANY * PAGE));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &each_ms, NULL));
	do {
		ret = secmmu_prefault(self->mirror, 0, next, length, &range);
		/* A slow machine may not get through one round in a tick. */
		if (ret == -EINTR)
			continue;
		if (ret || range.gpa <= next || range.gpa - next != length - range.length)
			break;
		next = range.gpa;
		length = range.length;
		calls++;
	} while (length && calls < 20);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_EQ(0, ret);
	EXPECT_LT(1, calls);
	/* Undisturbed, it comes to the end. */
	if (length) {
		EXPECT_EQ(0, secmmu_prefault(self->mirror, 0, next, length, &range));
		EXPECT_EQ(0, range.length);
	}
	region_unmap(many, MANY);
}

SECMMU_TEST_F(prefault, around_a_read)
{
	struct secmmu_stats a, b, c;
	long i;

	GET_STATS(a);
	EXPECT_GPA(label(20, 1), self->around, GPA(20));
	GET_STATS(b);
	EXPECT_DELTA(1, a, b, faults);
	EXPECT_DELTA(AROUND, a, b, fault_pages);
	for (i = 20; i < 20 + AROUND; i++)
		EXPECT_GPA(label(i, 1), self->engine, GPA(i));
	GET_STATS(c);
	EXPECT_DELTA(0, b, c, faults);
	/* Not before, not behind, and not beyond the slot. */
	EXPECT_GPA(label(19, 1), self->engine, GPA(19));
	EXPECT_GPA(label(36, 1), self->engine, GPA(20 + AROUND));
	GET_STATS(a);
	EXPECT_DELTA(2, c, a, faults);
	EXPECT_DELTA(2, c, a, fault_pages);
	EXPECT_GPA(label(58, 1), self->around, GPA(58));
	GET_STATS(b);
	EXPECT_DELTA(2, a, b, fault_pages);
	/* An engine without the flag, or a write, maps what it needs. */
	EXPECT_GPA(label(70, 1), self->engine, GPA(70));
	EXPECT_PUT(self->around, GPA(40), label(40, 2));
	EXPECT_SINCE(2, b, fault_pages);
	/* What it maps is followed as if it had been asked for. */
	*word_at(self->mem, 25) = label(25, 2);
	ASSERT_EQ(0, madvise(self->mem + 26 * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_GPA(label(25, 2), self->engine, GPA(25));
	EXPECT_GPA(0, self->engine, GPA(26));
}

/* Neighbours that are absent stay absent, and no userfaultfd is asked for them. */
SECMMU_TEST_F(prefault, around_creates_nothing)
{
	struct secmmu_stats a;
	int uffd;

	ASSERT_EQ(0, madvise(self->mem + 3 * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->mem + 22 * PAGE, 20 * PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, mprotect(self->mem + 62 * PAGE, PAGE, PROT_NONE));
	ASSERT_EQ(0, munmap(self->mem + 82 * PAGE, PAGE));
	uffd = uffd_open(0);
	ASSERT_LE(0, uffd) TH_LOG("userfaultfd: %d", uffd);
	ASSERT_EQ(0, uffd_register(uffd, self->mem + 20 * PAGE, 20,
				   UFFDIO_REGISTER_MODE_MISSING));
	GET_STATS(a);
	EXPECT_GPA(label(0, 1), self->around, GPA(0));
	EXPECT_GPA(label(20, 1), self->around, GPA(20));
	EXPECT_GPA(label(60, 1), self->around, GPA(60));
	EXPECT_GPA(label(80, 1), self->around, GPA(80));
	EXPECT_SINCE(4, a, faults);
	EXPECT_SINCE(3 + 2 + 2 + 2, a, fault_pages);
	EXPECT_EQ(0, page_state(self->mem + 3 * PAGE) & PAGE_PRESENT);
	EXPECT_EQ(0, pages_with(self->mem + 22 * PAGE, 20, PAGE_PRESENT));
	EXPECT_EQ(NULL, uffd_wait(uffd, 0));
	EXPECT_GPA_ERROR(EFAULT, self->around, GPA(62));
	EXPECT_GPA_ERROR(EFAULT, self->around, GPA(82));
	close(uffd);
}

TEST_HARNESS_MAIN
