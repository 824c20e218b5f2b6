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

#define HUGE_SIZE	(2L << 20)

/* How many flushes the policy of a mirror takes to drop @entries at once. */
static inline __u64 flushes_for(__u32 policy, __u32 batch, __u64 entries)
{
	switch (policy) {
	case SECMMU_FLUSH_ARRAY:
		return (entries + batch - 1) / batch;
	case SECMMU_FLUSH_EACH:
		return entries;
	default:
		return entries ? 1 : 0;
	}
}

/* One 64-bit word: zero or an error, -EIO for a short transfer. */
int gpa_get(int engine, __u64 gpa, __u64 *value);
int gpa_put(int engine, __u64 gpa, __u64 value);

/* The first word of a page, as the processor sees it. */
static inline volatile __u64 *word_at(void *mem, long page)
{
	return (volatile __u64 *)((char *)mem + page * PAGE);
}

/* A word that names its page and the round in which it was stored. */
static inline __u64 label(__u64 page, __u64 round)
{
	return (page + 1) << 32 | round;
}

/* Stores label(i, @round) in pages from @first on. */
void pages_label(void *mem, long first, long pages, __u64 round);

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
 * by huge pages, so that pages and entries can be counted. It starts at a boundary of 2 MiB,
 * so that it lies in as few blocks as it can. NULL on failure.
 */
char *region_map(long pages);
/* The same, inaccessible as a whole. */
char *region_reserve(long pages);
void region_unmap(char *region, long pages);
/* Empties @pages pages from @page on, but keeps the place reserved. */
int region_replace(char *region, long page, long pages, int prot);

/* The same of whole blocks of 2 MiB, with @advice for madvise(2). */
char *blocks_map(long blocks, int advice);
void blocks_unmap(char *mem, long blocks);

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
/* Mirrors a child, with an engine; slot 0 at @gpa shows @pages from @mem on. */
int child_mirror(int dev, pid_t pid, __u64 gpa, const void *mem, long pages, int *mirror,
		 int *engine);
/* For child_start(): sleeps until it is killed. */
int child_sleep(void *unused);

/* For children: reports a broken condition and makes @fn fail. */
#define CHECK(cond)							\
do {									\
	if (!(cond)) {							\
		fprintf(stderr, "# %s:%d: in child: %s\n",		\
			__FILE__, __LINE__, #cond);			\
		return 1;						\
	}								\
} while (0)

/*
 * For children: executes this program again, which says on @sock that it runs, and waits
 * there until it is told to go or the other end is closed.
 */
int exec_to_wait(int sock);

/* To and from a child; a child that has failed says nothing, and the wait is limited. */
int socket_pair(int sock[2]);
/* Descriptors and single bytes across a socket pair. Zero or an error. */
int fds_send(int sock, const int *fds, int count);
int fds_receive(int sock, int *fds, int count);
int byte_send(int fd);
int byte_wait(int fd);

#endif /* SECMMU_TEST_H */
