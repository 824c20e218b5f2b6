/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Calls of /dev/secmmu_bench: functions that the kernel offers to every driver, without
 * secmmu, for benchmarks to compare with. Not a stable interface.
 */
#ifndef SECMMU_BENCH_H
#define SECMMU_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SECMMU_BENCH_IOC_TYPE	0xB6

/* Return at once: this is the cost of the way into the kernel and out. */
#define SECMMU_BENCH_NOTHING	_IO(SECMMU_BENCH_IOC_TYPE, 0x00)

/*
 * Register a notifier whose start and end do nothing on the caller's memory, with
 * mmu_notifier_register(), or unregister it; closing the descriptor unregisters it too.
 * A descriptor has one notifier: -EBUSY and -ENXIO. Sets the time that the kernel's
 * function took, in nanoseconds.
 */
#define SECMMU_BENCH_REGISTER	_IOR(SECMMU_BENCH_IOC_TYPE, 0x01, __u64)
#define SECMMU_BENCH_UNREGISTER	_IOR(SECMMU_BENCH_IOC_TYPE, 0x02, __u64)

/**
 * struct secmmu_bench_gup - SECMMU_BENCH_GUP: look pages up and put them
 * @address: first address in the caller's memory, page aligned
 * @pages: how many
 * @batch: pages for each call of get_user_pages_remote(), each under mmap_lock
 *	taken anew; 1 .. SECMMU_BENCH_MAX_BATCH
 * @write: for writing, if not zero
 */
struct secmmu_bench_gup {
	__u64 address;
	__u64 pages;
	__u32 batch;
	__u32 write;
};

#define SECMMU_BENCH_MAX_BATCH	64

#define SECMMU_BENCH_GUP \
	_IOW(SECMMU_BENCH_IOC_TYPE, 0x03, struct secmmu_bench_gup)

#endif /* SECMMU_BENCH_H */
