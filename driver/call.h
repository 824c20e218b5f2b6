/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of ioctls, one for each kind of descriptor, and the look-up of a call. */
#ifndef SECMMU_CALL_H
#define SECMMU_CALL_H

#include <linux/bits.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <linux/secmmu.h>

struct file;

/* The argument of a handler: the caller's structure, extended with zeroes. */
union secmmu_argument {
	u32 size;
	struct secmmu_info info;
	struct secmmu_create_mirror create_mirror;
	struct secmmu_set_slot set_slot;
	struct secmmu_create_engine create_engine;
	struct secmmu_stats stats;
	struct secmmu_prefault prefault;
	struct secmmu_get_dirty_log get_dirty_log;
	struct secmmu_set_tag_bits set_tag_bits;
	struct secmmu_key key;
	struct secmmu_rights rights;
	struct secmmu_domain domain;
	struct secmmu_attach attach;
	struct secmmu_detach detach;
	struct secmmu_start_job start_job;
	struct secmmu_wait_job wait_job;
};

/* Copy the structure back. */
#define CALL_ANSWERS	BIT(0)
/* A call of a mirror: refuse anyone but its owner. */
#define CALL_OWNER	BIT(1)

/**
 * struct secmmu_call - one ioctl
 * @cmd: its number
 * @min_size: size of the structure's first version, in bytes
 * @size: size of the structure as the driver knows it
 * @flags: CALL_*
 * @handler: makes the call; gets the descriptor's file
 */
struct secmmu_call {
	unsigned int cmd;
	u32 min_size;
	u32 size;
	u32 flags;
	long (*handler)(struct file *file, union secmmu_argument *arg);
};

/* @last is the last field of the first version. */
#define SECMMU_CALL(number, type, last, handles, call_flags) {		\
	.cmd = number,							\
	.min_size = offsetofend(struct type, last),			\
	.size = sizeof(struct type),					\
	.flags = call_flags,						\
	.handler = handles,						\
}

long secmmu_call(const struct secmmu_call *calls, unsigned int nr,
		 struct file *file, unsigned int cmd, void __user *user);

#endif
