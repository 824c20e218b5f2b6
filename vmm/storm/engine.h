/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storm's subject, a secondary MMU (judge/subject.h), and its engines: accessors of guest
 * memory. Whatever the subject cannot do is dealt with here.
 */
#ifndef STORM_ENGINE_H
#define STORM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "judge/subject.h"
#include "memory.h"
#include "prng.h"

/**
 * struct instance - an instance of the subject that shows guest memory
 * @ops: the subject
 * @subject: the instance
 * @memory: guest memory
 * @varied: @ops->vary() was called
 */
struct instance {
	const struct subject_ops *ops;
	void *subject;
	const struct memory *memory;
	bool varied;
};

/**
 * struct engine - an accessor
 * @instance: the subject
 * @accessor: of it
 */
struct engine {
	const struct instance *instance;
	void *accessor;
};

void instance_create(struct instance *instance, const struct subject_ops *ops,
		   const struct memory *memory);
void instance_vary(struct instance *instance, const char *what);
void instance_show(const struct instance *instance);
void instance_check_slots(const struct instance *instance, const struct engine *engine);
void instance_destroy(struct instance *instance);

void engine_open(struct engine *engine, const struct instance *instance);
void engine_close(struct engine *engine);
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length);
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length);
size_t engine_least(const struct engine *engine);
int engine_change(struct engine *engine, struct prng *prng);
bool engine_denies(const struct engine *engine, uint64_t gpa, bool write);

#endif /* STORM_ENGINE_H */
