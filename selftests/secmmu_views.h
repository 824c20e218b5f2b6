/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Helpers of the secmmu tests: the calls that concern tags, domains, keys, and where an
 * engine is at work. As those of secmmu_test.h, they know nothing of the harness and
 * return a negative error number when they fail.
 */
#ifndef SECMMU_VIEWS_H
#define SECMMU_VIEWS_H

#include "secmmu_test.h"

int secmmu_create_mirror_tagged(int dev, __u32 tag_bits);
int secmmu_create_engine_with(int mirror, __u32 flags);
int secmmu_set_slot_in(int mirror, __u32 slot, __u32 flags, __u32 key, __u32 domains,
		       __u64 gpa, const void *hva, __u64 length);

int tag_bits_set(int mirror, __u32 bits);
/* A gpa that carries a tag, of which only bits 62 and below count. */
static inline __u64 tagged(__u64 gpa, __u64 tag, unsigned int bits)
{
	return gpa | (tag & ((1ULL << bits) - 1)) << (63 - bits);
}

/* The key, or an error. */
int key_alloc(int mirror);
int key_free(int mirror, __u32 key);
int rights_set(int engine, __u32 rights);
int rights_get(int engine, __u32 *rights);

int domain_create(int mirror, __u32 domain);
int domain_enter(int engine, __u32 domain);

int engine_attach(int engine, int mirror, __u32 domain);
int engine_detach(int engine);

/* @data: NULL: only touch. */
int job_start(int engine, __u32 flags, __u64 gpa, __u64 length, const void *data);
/* Bytes done; *@error: what ended it, as a positive number. */
long long job_wait(int engine, int *error);

#endif /* SECMMU_VIEWS_H */
