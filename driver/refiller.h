/* SPDX-License-Identifier: GPL-2.0 */
/* The worker that brings blocks back; see refill.h. */
#ifndef SECMMU_REFILLER_H
#define SECMMU_REFILLER_H

struct secmmu_mirror;

void secmmu_refiller_start(struct secmmu_mirror *mirror);

#endif
