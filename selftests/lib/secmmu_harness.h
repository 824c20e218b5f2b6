/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the secmmu tests add to the kernel's test harness. The harness is not part of
 * this repository: the Makefile finds it in a kernel source tree.
 *
 * A fixture has at least "int dev, mirror, engine;", and its setup starts with
 * SECMMU_SETUP().
 *
 * The harness's assertions are two statements: in a branch or a loop they need braces.
 */
#ifndef SECMMU_HARNESS_H
#define SECMMU_HARNESS_H

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>

/*
 * The harness forks, and after a failed assertion longjmp()s in the child and looks
 * there at the variable "child", which is not volatile: if the compiler has it in a
 * register it is what it was before the fork, and the teardown is skipped. Only the
 * child comes back here. Harnesses without such a variable find the one below.
 */
static pid_t child __attribute__((unused));
#undef setjmp
#define setjmp(env)	(_setjmp(env) ? (child = 0, 1) : 0)

#include "kselftest_harness.h"

#include "inside.h"
#include "secmmu_sys.h"
#include "secmmu_test.h"

/* Seconds, times secmmu_slow(). */
#define SECMMU_TIMEOUT		90
#define SECMMU_TIMEOUT_LONG	400

/* How long a test may take that asks for nothing else. */
static inline long secmmu_limit_ms(void)
{
	return SECMMU_TIMEOUT * 1000L * secmmu_slow();
}

/* The harness only knows limits that are constants. */
static inline void secmmu_scale_limits(void)
{
	struct __fixture_metadata *f;
	struct __test_metadata *t;

	for (f = __fixture_list; f; f = f->next)
		for (t = f->tests; t; t = t->next)
			t->timeout *= secmmu_slow();
}

#undef TEST_HARNESS_MAIN
#define TEST_HARNESS_MAIN						\
	int main(int argc, char **argv)					\
	{								\
		secmmu_scale_limits();					\
		return test_harness_run(argc, argv);			\
	}

/*
 * Older harnesses run a test even if the setup of its fixture skipped it, so
 * each test looks for the device that the setup did not get.
 */
#define SECMMU_TEST_F(fixture, test)					\
	SECMMU_TEST_F_TIMEOUT(fixture, test, SECMMU_TIMEOUT)

#define SECMMU_TEST_F_TIMEOUT(fixture, test, seconds)			\
	static void fixture##_##test##_body(				\
		struct __test_metadata *_metadata,			\
		FIXTURE_DATA(fixture) *self,				\
		const FIXTURE_VARIANT(fixture) *variant);		\
	TEST_F_TIMEOUT(fixture, test, seconds)				\
	{								\
		if (self->dev >= 0)					\
			fixture##_##test##_body(_metadata, self,	\
						variant);		\
	}								\
	static void fixture##_##test##_body(				\
		struct __test_metadata __attribute__((unused)) *_metadata, \
		FIXTURE_DATA(fixture) __attribute__((unused)) *self,	\
		const FIXTURE_VARIANT(fixture)				\
			__attribute__((unused)) *variant)

/*
 * For a setup that has opened the device: the test is skipped, also by harnesses that
 * run one whose setup has skipped it.
 */
#define SECMMU_SKIP(...)						\
do {									\
	close(self->dev);						\
	self->dev = -1;							\
	SKIP(return, __VA_ARGS__);					\
} while (0)

/*
 * For a setup that has opened the device, of tests that change the machine itself
 * (sysctls, swap space, modules): @what they do to it, unless they may not.
 */
#define SECMMU_CHANGES_OR_SKIP(what)					\
do {									\
	if (!inside_or_told())						\
		SECMMU_SKIP(SECMMU_REFUSED(what));			\
} while (0)

#define SECMMU_REFUSED(what)						\
	"refused outside of the test VM, for it " what "; "		\
	INSIDE_VARIABLE "=yes lets it"

/* What every function of a test begins with, so that it can assert: _metadata, self. */
#define TEST_ARGS(fixture)						\
	struct __test_metadata *_metadata, FIXTURE_DATA(fixture) *self
#define VARIANT_ARGS(fixture)						\
	TEST_ARGS(fixture), const FIXTURE_VARIANT(fixture) *variant

/* What a call gives, a descriptor or another number that is no error; memory. */
#define ASSERT_NUMBER(call)						\
({									\
	int _number = (call);						\
									\
	ASSERT_LE(0, _number);						\
	_number;							\
})
#define ASSERT_MEMORY(call)						\
({									\
	char *_memory = (call);						\
									\
	ASSERT_NE(NULL, _memory);					\
	_memory;							\
})

/* Another mirror of the test, with the plainest policy; an engine of a mirror. */
#define NEW_MIRROR()							\
	ASSERT_NUMBER(secmmu_create_mirror(self->dev, SECMMU_FLUSH_RANGE, 0))
#define NEW_ENGINE(mirror)						\
	ASSERT_NUMBER(secmmu_create_engine(mirror))
#define NEW_ENGINE_WITH(mirror, flags)					\
	ASSERT_NUMBER(secmmu_create_engine_with(mirror, flags))

/* A test that is one call of a function which several tests share. */
#define SECMMU_TEST_CALL(fixture, test, function, ...)			\
	SECMMU_TEST_F(fixture, test)					\
	{								\
		function(_metadata, self, ##__VA_ARGS__);		\
	}

/* Opens the device or skips the test; the setup returns. */
#define SECMMU_OPEN_OR_SKIP()						\
do {									\
	self->mirror = -1;						\
	self->engine = -1;						\
	self->dev = secmmu_open();					\
	switch (-self->dev) {						\
	case ENOENT:							\
	case ENODEV:							\
	case ENXIO:							\
		SKIP(return, "%s is absent: driver not loaded",		\
		     SECMMU_DEVICE);					\
	case EACCES:							\
	case EPERM:							\
		SKIP(return, "%s: no permission", SECMMU_DEVICE);	\
	}								\
	ASSERT_LE(0, self->dev);					\
} while (0)

/* The device, a mirror with the given policy, and an engine. */
#define SECMMU_SETUP(policy, batch)					\
do {									\
	SECMMU_OPEN_OR_SKIP();						\
	self->mirror = secmmu_create_mirror(self->dev, policy, batch);	\
	ASSERT_LE(0, self->mirror);					\
	self->engine = secmmu_create_engine(self->mirror);		\
	ASSERT_LE(0, self->engine);					\
} while (0)

#define SECMMU_TEARDOWN()						\
do {									\
	close(self->engine);						\
	close(self->mirror);						\
	close(self->dev);						\
} while (0)

/* Memory whose page i starts with label(i, 1). */
#define REGION_SETUP(pages)						\
do {									\
	self->mem = ASSERT_MEMORY(region_map(pages));			\
	pages_label(self->mem, 0, pages, 1);				\
} while (0)

/* The same of blocks of 2 MiB, each a huge page; the test is skipped where there are none. */
#define BLOCKS_SETUP(blocks)						\
do {									\
	self->mem = ASSERT_MEMORY(blocks_map(blocks, MADV_HUGEPAGE));	\
	pages_label(self->mem, 0, (blocks) * HUGE_SIZE / PAGE, 1);	\
	if (huge_kilobytes(self->mem) != (blocks) * HUGE_SIZE >> 10)	\
		SECMMU_SKIP("no huge pages to be had");			\
} while (0)

/* Slot @id shows @pages pages of this memory from @page on. */
#define SET_SLOT(id, flags, gpa, page, pages)				\
	SET_SLOT_IN(id, flags, 0, 0, gpa, page, pages)
#define SET_SLOT_IN(id, flags, key, domains, gpa, page, pages)		\
do {									\
	ASSERT_EQ(0, secmmu_set_slot_in(self->mirror, id, flags, key,	\
					domains, gpa,			\
					self->mem + (page) * PAGE,	\
					(pages) * PAGE));		\
} while (0)

/* A fixture of these, and of no more than a region with @pages pages. */
#define REGION_FIXTURE(name, pages)					\
FIXTURE(name)								\
{									\
	int dev, mirror, engine;					\
	char *mem;							\
};									\
FIXTURE_TEARDOWN(name)							\
{									\
	region_unmap(self->mem, pages);					\
	SECMMU_TEARDOWN();						\
}

/* The engine reads one word, and it is the expected one. */
#define EXPECT_GPA(expected, engine, gpa)				\
do {									\
	__u64 _gpa_word = POISON;					\
									\
	EXPECT_EQ(0, gpa_get(engine, gpa, &_gpa_word));			\
	EXPECT_EQ((__u64)(expected), _gpa_word);			\
} while (0)

/* The engine reads label(i, @round) in pages from @first on, of those that @gpa begins. */
#define EXPECT_LABELS(round, engine, gpa, first, pages)			\
do {									\
	long _page;							\
									\
	for (_page = first; _page < (first) + (pages); _page++)		\
		EXPECT_GPA(label(_page, round), engine, (gpa) + _page * PAGE); \
} while (0)

/* The engine can read nothing there, and leaves the buffer alone. */
#define EXPECT_GPA_ERROR(error, engine, gpa)				\
do {									\
	__u64 _gpa_word = POISON;					\
									\
	EXPECT_EQ(-(error), gpa_get(engine, gpa, &_gpa_word));		\
	EXPECT_EQ(POISON, _gpa_word);					\
} while (0)

/* A counter of struct secmmu_stats moved by exactly so much. */
#define EXPECT_DELTA(expected, before, after, counter)			\
	EXPECT_EQ((__u64)(expected), (after).counter - (before).counter) \
		TH_LOG("counter " #counter)

/* The engine writes one word. */
#define EXPECT_PUT(engine, gpa, word)					\
do {									\
	EXPECT_EQ(0, gpa_put(engine, gpa, word));			\
} while (0)

/* The dirty log of at most 64 pages of a slot is this word. */
#define EXPECT_DIRTY(expected, mirror, slot, first, pages)		\
do {									\
	__u64 _log = POISON;						\
									\
	EXPECT_EQ(0, secmmu_dirty_log(mirror, slot, first, pages, &_log)); \
	EXPECT_EQ((__u64)(expected), _log);				\
} while (0)

/* The counters of the fixture's mirror; one now; how far one has moved since @before. */
#define GET_STATS(stats)						\
do {									\
	ASSERT_EQ(0, secmmu_get_stats(self->mirror, &(stats)));		\
} while (0)

#define EXPECT_COUNTER_OF(expected, mirror, counter)			\
do {									\
	struct secmmu_stats _now;					\
									\
	ASSERT_EQ(0, secmmu_get_stats(mirror, &_now));			\
	EXPECT_EQ((__u64)(expected), _now.counter)			\
		TH_LOG("counter " #counter);				\
} while (0)

#define EXPECT_COUNTER(expected, counter)				\
	EXPECT_COUNTER_OF(expected, self->mirror, counter)

#define EXPECT_SINCE(expected, before, counter)				\
do {									\
	struct secmmu_stats _now;					\
									\
	GET_STATS(_now);						\
	EXPECT_DELTA(expected, before, _now, counter);			\
} while (0)

/* Since @before, @entries entries were dropped, with @number flushes. */
#define EXPECT_DROPPED(entries, number, before)				\
do {									\
	EXPECT_SINCE(entries, before, zapped);				\
	EXPECT_SINCE(number, before, flushes);				\
} while (0)

#endif /* SECMMU_HARNESS_H */
