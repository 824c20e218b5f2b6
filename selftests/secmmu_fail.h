/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand: the kernel's fault injection lets the N-th thing fail that this
 * thread asks of it, allocations of slabs and pages and copies from and to user
 * space, whatever the flags of the allocation say. Needs CONFIG_FAULT_INJECTION with
 * FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_USERCOPY and FAULT_INJECTION_DEBUG_FS.
 *
 * Nothing here knows the harness; functions return a negative error number on failure.
 */
#ifndef SECMMU_FAIL_H
#define SECMMU_FAIL_H

#define FAIL_SETTINGS	6

/**
 * struct fail - fault injection for the thread that called fail_start()
 * @fd: the thread's countdown
 * @copies: how many copies may still fail, when it was armed
 * @saved: what the settings were
 */
struct fail {
	int fd;
	long copies;
	char saved[FAIL_SETTINGS][24];
};

/* What the countdown has hit. */
enum fail_hit { FAIL_NOTHING, FAIL_ALLOCATION, FAIL_COPY };

/* -ENOENT if the kernel cannot do it, -EACCES for those who may not. */
int fail_start(struct fail *fail);
void fail_stop(struct fail *fail);

/* From here on the @nth thing fails, once. Do little until fail_disarm(). */
int fail_arm(struct fail *fail, unsigned int nth);
/* One of enum fail_hit. */
int fail_disarm(struct fail *fail);

#endif /* SECMMU_FAIL_H */
