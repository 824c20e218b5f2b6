/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the secmmu tests add to the kernel's test harness. The harness is not
 * part of this repository: the Makefile finds it in a kernel source tree.
 *
 * A fixture has at least "int dev, mirror, engine;", and its setup starts with
 * SECMMU_SETUP().
 *
 * The harness's assertions are two statements: in a branch or a loop they need
 * braces.
 */
#ifndef SECMMU_HARNESS_H
#define SECMMU_HARNESS_H

#include <setjmp.h>
#include <sys/types.h>

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

/* The engine reads one word, and it is the expected one. */
#define EXPECT_GPA(expected, engine, gpa)				\
do {									\
	__u64 _gpa_word = POISON;					\
									\
	EXPECT_EQ(0, gpa_get(engine, gpa, &_gpa_word));			\
	EXPECT_EQ((__u64)(expected), _gpa_word);			\
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

#endif /* SECMMU_HARNESS_H */
