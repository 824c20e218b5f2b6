/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SECMMU_IOCTL_H
#define SECMMU_IOCTL_H

int secmmu_device_register(void);
void secmmu_device_unregister(void);

#endif
