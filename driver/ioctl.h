/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_IOCTL_H
#define SECMMU_IOCTL_H

#include <linux/types.h>

struct file;
struct secmmu_mirror;

int secmmu_device_register(void);
void secmmu_device_unregister(void);

struct secmmu_mirror *secmmu_mirror_from_file(struct file *file);
struct secmmu_mirror *secmmu_mirror_from_fd(int fd);
int secmmu_engine_open(struct secmmu_mirror *mirror, u32 flags);

#endif
