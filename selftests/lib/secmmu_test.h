/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the secmmu tests: words, memory, child processes.
 *
 * Nothing here knows the test harness, so that children and threads, which
 * must not use its assertions, can call everything.
 *
 * Every function that can fail returns a negative error number.
 */
#ifndef SECMMU_TEST_H
#define SECMMU_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "client.h"

/*
 * How much slower than usual this machine is: the environment variable
 * SECMMU_TEST_SLOW. Everything that only limits how long a test may wait is
 * multiplied by it.
 */
long secmmu_slow(void);

/* Signed, so that it compares with transfer counts. */
static inline long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

#define PAGE		page_size()

/* One 64-bit word: zero or an error, -EIO for a short transfer. */
int gpa_get(int engine, __u64 gpa, __u64 *value);
int gpa_put(int engine, __u64 gpa, __u64 value);

/* The first word of a page, as the processor sees it. */
static inline volatile __u64 *word_at(void *mem, long page)
{
	return (volatile __u64 *)((char *)mem + page * PAGE);
}

/* A word which names its page and one of the rounds in which it was stored. */
static inline __u64 stamp(__u64 page, __u64 round)
{
	return (page + 1) << 32 | round;
}

/*
 * Words that are stored twice, the second time inverted, so that a reader
 * recognizes half a store and reads again (-EPROTO: it stays half). Zero is
 * memory that nobody has written to.
 */
int pair_get(int engine, __u64 gpa, __u64 *value);
int pair_put(int engine, __u64 gpa, __u64 value);
void pair_store(char *mem, long page, __u64 value);

/*
 * Private anonymous memory between two inaccessible guard pages, never backed
 * by huge pages, so that pages and entries can be counted. NULL on failure.
 */
char *region_map(long pages);
void region_unmap(char *region, long pages);
/* Empties @pages pages from @page on, but keeps the place reserved. */
int region_replace(char *region, long page, long pages, int prot);

/* A file in memory, @pages long, or an error. */
int memfd_new(long pages);

/*
 * Children. @fn runs in a forked child which never returns to the caller, and
 * dies with its parent; zero from @fn is success.
 */
pid_t child_start(int (*fn)(void *arg), void *arg);
/* Zero, the exit status, or 128 plus the number of the signal. */
int child_wait(pid_t pid);
int child_kill(pid_t pid);

/* For children: reports a broken condition and makes @fn fail. */
#define CHECK(cond)							\
do {									\
	if (!(cond)) {							\
		fprintf(stderr, "# %s:%d: in child: %s\n",		\
			__FILE__, __LINE__, #cond);			\
		return 1;						\
	}								\
} while (0)

/* Descriptors and single bytes across a socket pair. Zero or an error. */
int fds_send(int sock, const int *fds, int count);
int fds_receive(int sock, int *fds, int count);
int byte_send(int fd);
int byte_wait(int fd);

#endif /* SECMMU_TEST_H */
