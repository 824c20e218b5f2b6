/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Jobs: transfers of an engine that a kernel thread makes, while the caller does
 * something else. The thread borrows the caller's memory for as long as it takes to
 * copy a page, and never while it waits for anything else: who exits does not wait
 * for a job.
 */
#ifndef SECMMU_JOB_H
#define SECMMU_JOB_H

#include <linux/secmmu.h>

struct file;
struct secmmu_engine;
struct secmmu_job;

int secmmu_jobs_init(void);
void secmmu_jobs_exit(void);

struct secmmu_job *secmmu_job_create(struct secmmu_engine *engine);
void secmmu_job_free(struct secmmu_job *job);
int secmmu_job_start(struct secmmu_job *job, struct file *file,
		     const struct secmmu_start_job *arg);
int secmmu_job_wait(struct secmmu_job *job, struct secmmu_wait_job *arg);

#endif
