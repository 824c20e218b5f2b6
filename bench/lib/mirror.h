/* SPDX-License-Identifier: GPL-2.0 */
/* Mirrors for benchmarks, of this process. What fails ends the program with a sentence. */
#ifndef BENCH_MIRROR_H
#define BENCH_MIRROR_H

#include "client.h"

/* End the program if a call of the client has failed, else return what it did. */
int mirror_need(int ret, const char *what);
int mirror_device(void);
/* End the program unless the driver is a test build. */
void mirror_need_test_build(int device);
/* @batch: for SECMMU_FLUSH_ARRAY. */
int mirror_create(int device, uint32_t policy, uint32_t batch);
void mirror_slot(int mirror, uint32_t slot, uint64_t gpa, const void *hva,
		 size_t length);
int mirror_engine(int mirror, uint32_t flags);
/* @flags: SECMMU_PREFAULT_WRITE or zero. */
void mirror_prefault(int mirror, uint64_t gpa, size_t length, uint32_t flags);
void mirror_prefault_in(int mirror, uint32_t domain, uint64_t gpa, size_t length,
			uint32_t flags);
/* A job of a background engine, waited for. */
void mirror_touch(int engine, uint64_t gpa, size_t length);
void mirror_stats(int mirror, struct secmmu_stats *stats);

#endif /* BENCH_MIRROR_H */
