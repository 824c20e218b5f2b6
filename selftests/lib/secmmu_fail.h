/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures on demand: the N-th allocation or copy from or to user space of this thread
 * fails. There are two ways:
 *
 * - a test build of the driver, on any kernel: what its own calls ask for fails, be it
 *   theirs or a whole call of the kernel's that would have to allocate;
 * - the kernel, for every caller: its fault injection fails slabs and pages, whatever the
 *   flags of the allocation say. Needs CONFIG_FAULT_INJECTION with FAILSLAB,
 *   FAIL_PAGE_ALLOC, FAULT_INJECTION_USERCOPY and FAULT_INJECTION_DEBUG_FS.
 *
 * Nothing here knows the harness; functions return a negative error number on failure.
 */
#ifndef SECMMU_FAIL_H
#define SECMMU_FAIL_H

#define FAIL_SETTINGS	6

enum fail_by { FAIL_BY_DRIVER, FAIL_BY_KERNEL };

/**
 * struct fail - failures for the thread that called fail_start()
 * @by: who lets things fail
 * @fd: the driver's device, or the thread's countdown in the kernel
 * @copies: kernel: how many copies may still fail, when it was armed
 * @saved: kernel: what the settings were
 */
struct fail {
	enum fail_by by;
	int fd;
	long copies;
	char saved[FAIL_SETTINGS][24];
};

/* What the countdown has hit; as enum secmmu_test_failure. */
enum fail_hit { FAIL_NOTHING, FAIL_ALLOCATION, FAIL_COPY };

/*
 * @dev: the device, which stays open till fail_stop(). -ENOTTY or -ENOENT if driver or
 * kernel cannot do it, -EPERM or -EACCES for those who may not.
 */
int fail_start(struct fail *fail, enum fail_by by, int dev);
/* Also for one that is all zeroes, or did not start. */
void fail_stop(struct fail *fail);

/* From here on the @nth thing fails, once. Do little until fail_disarm(). */
int fail_arm(struct fail *fail, unsigned int nth);
/* One of enum fail_hit. */
int fail_disarm(struct fail *fail);

#endif /* SECMMU_FAIL_H */
