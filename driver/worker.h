/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel threads that do jobs; see job.h. */
#ifndef SECMMU_WORKER_H
#define SECMMU_WORKER_H

struct secmmu_job;
struct secmmu_start_job;

int secmmu_worker_start(struct secmmu_job *job, const struct secmmu_start_job *arg);

#endif
