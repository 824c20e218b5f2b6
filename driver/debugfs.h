/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_DEBUGFS_H
#define SECMMU_DEBUGFS_H

#include "mirror.h"

void secmmu_debugfs_init(void);
void secmmu_debugfs_exit(void);
void secmmu_debugfs_add(struct secmmu_mirror *mirror);

#endif
