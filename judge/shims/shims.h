/* SPDX-License-Identifier: GPL-2.0 */
/* What user space calls the shims with, by ioctl() on an open file: /dev/judge_NAME. */
#ifndef JUDGE_SHIMS_H
#define JUDGE_SHIMS_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct judge_slot - memory that the device is shown
 * @address: where the device has it; page aligned
 * @hva: where the caller has it; page aligned
 * @length: bytes, whole pages; 0 takes the slot away
 */
struct judge_slot {
	__u64 address;
	__u64 hva;
	__u64 length;
};

/**
 * struct judge_transfer - a copy that the device makes
 * @address: as the device knows it
 * @buffer: of the caller
 * @length: bytes; the device may copy less
 * @misses: out: how often the device had no translation that would do
 *
 * The ioctl returns the number of bytes that were copied, or -1 with errno: EFAULT where the
 * process has no memory, EPERM where it may not write, ENXIO where there is no slot, ESRCH if
 * the process is gone.
 */
struct judge_transfer {
	__u64 address;
	__u64 buffer;
	__u64 length;
	__u64 misses;
};

#define JUDGE_SLOT	_IOW('J', 0, struct judge_slot)
#define JUDGE_READ	_IOWR('J', 1, struct judge_transfer)
#define JUDGE_WRITE	_IOWR('J', 2, struct judge_transfer)
/* How many bytes of the slot the device could reach now: asked of the IOMMU's own table. */
#define JUDGE_MAPPED	_IOR('J', 3, __u64)

#endif /* JUDGE_SHIMS_H */
