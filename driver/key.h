/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Protection keys: sptes carry the number of a key, and engines have a register that
 * denies access or writing for some keys. Every translation reads the register, so a
 * change of it flushes nothing and affects no other engine.
 */
#ifndef SECMMU_KEY_H
#define SECMMU_KEY_H

#include <linux/spinlock.h>

#include "limits.h"

/**
 * struct secmmu_keys - which keys of a mirror are allocated
 * @lock: serialises writers of @map
 * @map: one bit for each key; one store changes it from one valid state to the next,
 *	for readers without the lock
 */
struct secmmu_keys {
	spinlock_t lock;
	unsigned long map;
};

void secmmu_keys_init(struct secmmu_keys *keys);
int secmmu_key_alloc(struct secmmu_keys *keys);
int secmmu_key_free(struct secmmu_keys *keys, unsigned int key);

/* Is the key allocated, or was it just now? */
static inline bool secmmu_key_allocated(const struct secmmu_keys *keys,
					unsigned int key)
{
	return key < SECMMU_MAX_KEYS && READ_ONCE(keys->map) & BIT(key);
}

/* Does a register of rights deny the access? */
static inline bool secmmu_key_denies(u32 rights, unsigned int key, bool write)
{
	u32 no_access = SECMMU_KEY_NO_ACCESS(key);

	/* Most often nothing is denied. */
	return rights &&
	       rights & (write ? no_access | SECMMU_KEY_NO_WRITE(key) : no_access);
}

#endif
