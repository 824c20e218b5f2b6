/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Engines of the storm: what the mirror shows them, and how they change between
 * transfers the tags that they use, their domain and their rights.
 */
#ifndef STORM_ENGINE_H
#define STORM_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "memory.h"
#include "prng.h"

/* Each arena slot has one of these, and each domain shows some of them. */
#define FEATURE_KEYS	4
#define FEATURE_DOMAINS	4

/**
 * struct features - what engines meet besides memory
 * @tags: addresses carry tags
 * @domains: slots are shown by domains, engines move between those
 * @keys: slots have keys, engines change their rights
 * @key: the keys, by their index
 */
struct features {
	bool tags;
	bool domains;
	bool keys;
	uint32_t key[FEATURE_KEYS];
};

/**
 * struct engine - an access agent
 * @fd: the engine, or /proc/self/mem
 * @mirror: its mirror, or -1
 * @memory: translates gpas where there is no mirror
 * @features: of the mirror
 * @tag: put on every gpa
 * @rights: its register
 */
struct engine {
	int fd;
	int mirror;
	const struct memory *memory;
	const struct features *features;
	uint64_t tag;
	uint32_t rights;
};

void features_show(struct features *features, int mirror, const struct memory *memory);
void engine_open(struct engine *engine, int mirror, const struct memory *memory,
		 const struct features *features);
ssize_t engine_read(const struct engine *engine, uint64_t gpa, void *buffer,
		    size_t length);
ssize_t engine_write(const struct engine *engine, uint64_t gpa,
		     const void *buffer, size_t length);
void engine_check_slots(const struct engine *engine);
int engine_change(struct engine *engine, struct prng *prng);
bool engine_denies(const struct engine *engine, uint32_t slot, bool write);

#endif /* STORM_ENGINE_H */
