/* SPDX-License-Identifier: GPL-2.0 */
/* The client side of /dev/secmmu: a mirror and its engines. */
#ifndef VMM_MIRROR_H
#define VMM_MIRROR_H

#include <stdint.h>
#include <sys/types.h>
#include <linux/secmmu_test.h>
#include "client.h"
#include "memory.h"

/**
 * struct mirror - a mirror of this process or another one
 * @device: descriptor of /dev/secmmu
 * @fd: the mirror, or -1
 */
struct mirror {
	int device;
	int fd;
};

/**
 * struct engine - an access agent
 * @fd: the engine, or /proc/self/mem
 * @memory: NULL with a mirror; else what translates gpas in its place
 * @tag: put on every gpa
 */
struct engine {
	int fd;
	const struct memory *memory;
	uint64_t tag;
};

int mirror_open(struct mirror *mirror);
int mirror_create(struct mirror *mirror, uint32_t policy, uint32_t batch);
int mirror_create_of(struct mirror *mirror, pid_t pid);
uint64_t mirror_set_identity(const struct mirror *mirror);
int mirror_set_slot(const struct mirror *mirror, uint32_t slot, uint32_t flags,
		    uint64_t gpa, const void *hva, uint64_t length);
int mirror_add_memory(const struct mirror *mirror,
		      const struct memory *memory);
int mirror_stats(const struct mirror *mirror, struct secmmu_stats *stats);
int mirror_check_slots(const struct engine *engine,
		       const struct memory *memory);
int mirror_judge(const struct mirror *mirror, struct secmmu_test_oracle *result);
void mirror_close(struct mirror *mirror);

int engine_create(struct engine *engine, const struct mirror *mirror,
		  uint32_t flags);
int engine_create_unmirrored(struct engine *engine,
			     const struct memory *memory);
void engine_close(struct engine *engine);
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length);
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length);

#endif /* VMM_MIRROR_H */
