// SPDX-License-Identifier: GPL-2.0
#include "hooks.h"
#include "key.h"

/**
 * secmmu_keys_init - start with key 0 and no other
 * @keys: the keys
 */
void secmmu_keys_init(struct secmmu_keys *keys)
{
	spin_lock_init(&keys->lock);
	keys->map = BIT(0);
}

/**
 * secmmu_key_alloc - allocate a key
 * @keys: the keys
 *
 * Context: never sleeps.
 * Return: the key, or -ENOSPC.
 */
int secmmu_key_alloc(struct secmmu_keys *keys)
{
	unsigned long map;
	int key;

	secmmu_gate_spin(KEY_ALLOC, 0);
	spin_lock(&keys->lock);
	map = keys->map;
	key = find_first_zero_bit(&map, SECMMU_MAX_KEYS);
	if (key < SECMMU_MAX_KEYS)
		WRITE_ONCE(keys->map, map | BIT(key));
	spin_unlock(&keys->lock);
	return key < SECMMU_MAX_KEYS ? key : -ENOSPC;
}

/**
 * secmmu_key_free - free a key
 * @keys: the keys
 * @key: its number, as the user gave it
 *
 * Context: never sleeps.
 * Return: 0; -EINVAL if it is not allocated, or key 0.
 */
int secmmu_key_free(struct secmmu_keys *keys, unsigned int key)
{
	int err = -EINVAL;

	spin_lock(&keys->lock);
	if (key && secmmu_key_allocated(keys, key)) {
		WRITE_ONCE(keys->map, keys->map & ~BIT(key));
		err = 0;
	}
	spin_unlock(&keys->lock);
	return err;
}
