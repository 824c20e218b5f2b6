/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the secmmu tests for what else the kernel has to offer: files of
 * numbers, page tables as the kernel tells them, userfaultfd.
 *
 * Like those of secmmu_test.h they know nothing of the harness, and return a
 * negative error number when they fail.
 */
#ifndef SECMMU_SYS_H
#define SECMMU_SYS_H

#include <stdbool.h>
#include <sys/types.h>

#include <linux/types.h>

/* Linux 6.1; C libraries may be older. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/*
 * A whole small file. Reading ends the text with a zero byte. Only the process's own in
 * /proc are written to where the machine may not be changed: -EPERM.
 */
int text_write(const char *path, const char *text);
int text_read(const char *path, char *buf, size_t size);
/*
 * The number behind the first @key of a file, or with an empty key the one it
 * starts with.
 */
long number_read(const char *path, const char *key);
int number_write(const char *path, long number);

/* A process or kernel thread of that name, or zero. */
pid_t task_find(const char *name);

/* What the kernel says of the page at an address of this process. */
#define PAGE_SOFT_DIRTY	(1ULL << 55)
#define PAGE_SWAPPED	(1ULL << 62)
#define PAGE_PRESENT	(1ULL << 63)
__u64 page_state(const void *addr);
/* How many of the pages from @mem on have one of these bits. */
long pages_with(const char *mem, long pages, __u64 bits);

/* Kilobytes of huge pages in the area that holds @mem; 0 if unknown. */
long huge_kilobytes(const char *mem);

/* Milliseconds, from no particular moment on. */
long now_ms(void);
void sleep_ms(long ms);
/*
 * Has the child ended within @ms milliseconds, times secmmu_slow()? It is not
 * reaped.
 */
bool child_ended(pid_t pid, long ms);

/* Userfaultfd: a descriptor, zero or an error. */
int uffd_open(__u64 features);
/* @mode: UFFDIO_REGISTER_MODE_* */
int uffd_register(int uffd, const void *mem, long pages, __u64 mode);
/*
 * The address of the page that a thread waits for, or NULL after @ms milliseconds,
 * times secmmu_slow().
 */
char *uffd_wait(int uffd, long ms);
/* Fills one page, and wakes those that wait for it. */
int uffd_fill(int uffd, void *page, const void *from);
/* Lets those who wait for a page look again. */
int uffd_wake(int uffd, const void *page);
int uffd_protect(int uffd, const void *mem, long pages, bool protect);

/*
 * Each processor keeps references to pages that are to be moved between the
 * kernel's lists. Discarding memory there makes it work them off; since some 7.x,
 * dropping caches does. References that are left are real. Zero or an error.
 */
int drain_lists(void);

#endif /* SECMMU_SYS_H */
