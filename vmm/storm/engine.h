/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storm's subject, a secondary MMU (judge/subject.h), and its engines: accessors of guest
 * memory. Whatever the subject cannot do is dealt with here.
 */
#ifndef STORM_ENGINE_H
#define STORM_ENGINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "judge/subject.h"
#include "memory.h"
#include "motion.h"
#include "prng.h"

/**
 * struct instance - an instance of the subject that shows guest memory
 * @ops: the subject
 * @subject: the instance
 * @memory: guest memory
 * @varied: @ops->vary() was called
 * @lock: of whoever changes slots
 * @motion: of each slot
 */
struct instance {
	const struct subject_ops *ops;
	void *subject;
	const struct memory *memory;
	bool varied;
	pthread_mutex_t lock;
	struct motion motion[MEMORY_SLOTS];
};

/**
 * struct engine - an accessor
 * @instance: the subject
 * @accessor: of it
 */
struct engine {
	struct instance *instance;
	void *accessor;
};

/* Instances of a subject that a storm may have. */
#define MAX_MIRRORS	4

void instance_probe(const struct subject_ops *ops);
void instance_create(struct instance *instance, const struct subject_ops *ops,
		   const struct memory *memory);
void instance_vary(struct instance *instance, const char *what);
void instance_show(struct instance *instance);
void instance_check_slots(const struct instance *instance, const struct engine *engine);
void instance_destroy(struct instance *instance);

int instance_set_slot(struct instance *instance, uint32_t id, unsigned int flags);
void instance_slot_begin(struct instance *instance, uint32_t id);
void instance_slot_end(struct instance *instance, uint32_t id);

void engine_open(struct engine *engine, struct instance *instance);
void engine_close(struct engine *engine);
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length);
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length);
bool engine_settled(const struct engine *engine, uint64_t gpa);
int engine_prefault(const struct engine *engine, uint64_t gpa, size_t length, bool write);
size_t engine_least(const struct engine *engine);
int engine_change(struct engine *engine, struct prng *prng);
bool engine_denies(const struct engine *engine, uint64_t gpa, bool write);

#endif /* STORM_ENGINE_H */
