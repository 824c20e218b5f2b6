/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client of /dev/secmmu: one function for each call of <linux/secmmu.h>, where the
 * calls are described. All programs here use it.
 *
 * A function returns a descriptor, zero, or a negative error number.
 */
#ifndef LIB_CLIENT_H
#define LIB_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/secmmu.h>

#define SECMMU_DEVICE	"/dev/secmmu"

/* What out-arguments and buffers hold before a call. */
#define POISON_BYTE	0xa5
#define POISON		0xa5a5a5a5a5a5a5a5ULL

int secmmu_open(void);
int secmmu_create_mirror(int dev, __u32 policy, __u32 batch);
/* A mirror of another process, flushed once for each event. */
int secmmu_create_mirror_of(int dev, pid_t pid);
/* A mirror that brings back what an event of a whole block has dropped. */
int secmmu_create_mirror_refilled(int dev);
int secmmu_create_mirror_tagged(int dev, __u32 tag_bits);
int secmmu_create_engine(int mirror);
int secmmu_create_engine_with(int mirror, __u32 flags);
int secmmu_set_slot(int mirror, __u32 slot, __u32 flags, __u64 gpa,
		    const void *hva, __u64 length);
/* ... with a key, and shown in domains, of which 0 means the first. */
int secmmu_set_slot_in(int mirror, __u32 slot, __u32 flags, __u32 key, __u32 domains,
		       __u64 gpa, const void *hva, __u64 length);
int secmmu_delete_slot(int mirror, __u32 slot);
int secmmu_get_stats(int mirror, struct secmmu_stats *stats);
/* A range begun with this goes on with secmmu_call() and the same structure. */
int secmmu_prefault(int mirror, __u32 flags, __u64 gpa, __u64 length,
		    struct secmmu_prefault *arg);
int secmmu_dirty_log(int mirror, __u32 slot, __u64 first, __u64 pages,
		     const void *bitmap);

/*
 * One ioctl whose argument lies in @len bytes at @arg. -EBADMSG, which the
 * driver never uses, says that a failed call wrote to its argument.
 */
int secmmu_call(int fd, unsigned long cmd, void *arg, size_t len);

/* Transfers: bytes done or an error. */
ssize_t gpa_read(int engine, void *buf, size_t len, __u64 gpa);
ssize_t gpa_write(int engine, const void *buf, size_t len, __u64 gpa);

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

#endif /* LIB_CLIENT_H */
