/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/naive: an open file is a mirror of the memory of the process that opened it, of one
 * range, its slot.
 */
#ifndef NAIVE_H
#define NAIVE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct naive_slot - what the mirror shows
 * @gpa: page aligned
 * @hva: page aligned
 * @length: page aligned; 0: nothing
 */
struct naive_slot {
	__u64 gpa;
	__u64 hva;
	__u64 length;
};

/**
 * struct naive_copy - a copy of bytes within one page
 * @gpa: where
 * @buffer: in the caller's memory
 * @length: bytes
 * @write: to @gpa, else from it
 * @missed: set to how often the page had to be asked for
 */
struct naive_copy {
	__u64 gpa;
	__u64 buffer;
	__u32 length;
	__u32 write;
	__u32 missed;
	__u32 zero;
};

#define NAIVE_SLOT	_IOW('n', 0, struct naive_slot)
#define NAIVE_COPY	_IOWR('n', 1, struct naive_copy)

#endif /* NAIVE_H */
