/* SPDX-License-Identifier: GPL-2.0 */
/* The client's calls for mirrors of this process. A call that fails ends the program. */
#ifndef LIB_OWN_MIRROR_H
#define LIB_OWN_MIRROR_H

#include "client.h"

/* End the program if a call of the client has failed, else return its result. */
int mirror_need(int ret, const char *what);
/* Opens /dev/secmmu, of a driver that has the same interface. */
int mirror_device(void);
/* End the program unless the driver is a test build. */
void mirror_need_test_build(int device);
/* A mirror that flushes once for each event. */
int mirror_create(int device);
void mirror_slot(int mirror, uint32_t slot, uint64_t gpa, const void *hva,
		 size_t length);
/* Delete a slot and set it again: it has nothing mapped then. */
void mirror_renew_slot(int mirror, uint32_t slot, uint64_t gpa, const void *hva,
		       size_t length);
int mirror_engine(int mirror, uint32_t flags);
/* @flags: SECMMU_PREFAULT_WRITE or zero. */
void mirror_prefault(int mirror, uint32_t domain, uint64_t gpa, size_t length,
		     uint32_t flags);
void mirror_read_word(int engine, uint64_t gpa);
/* Run a job of a background engine, and wait for it; or one after the other. */
void mirror_touch(int engine, uint64_t gpa, size_t length);
void mirror_begin_touch(int engine, uint64_t gpa, size_t length);
void mirror_end_touch(int engine, size_t length);
void mirror_stats(int mirror, struct secmmu_stats *stats);

#endif /* LIB_OWN_MIRROR_H */
