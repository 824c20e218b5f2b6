// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>

#include "held.h"

DEFINE_STATIC_KEY_FALSE(secmmu_holding);

/**
 * secmmu_holder_init - give a mirror the historical policy
 * @holder: zeroed
 * @batch: pages in each array
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int secmmu_holder_init(struct secmmu_holder *holder, unsigned int batch)
{
	struct secmmu_held *held;
	unsigned int i;

	spin_lock_init(&holder->lock);
	holder->on = true;
	static_branch_inc(&secmmu_holding);
	for (i = 0; i < SECMMU_HELD_ARRAYS; i++) {
		held = kvzalloc(struct_size(held, page, batch),
				GFP_KERNEL_ACCOUNT);
		if (!held) {
			secmmu_holder_destroy(holder);
			return -ENOMEM;
		}
		secmmu_held_give(holder, held);
	}
	return 0;
}

/**
 * secmmu_holder_destroy - undo secmmu_holder_init(), if that was called
 * @holder: all its arrays are unused
 *
 * Context: may sleep.
 */
void secmmu_holder_destroy(struct secmmu_holder *holder)
{
	struct secmmu_held *held;

	if (!holder->on)
		return;
	while ((held = secmmu_held_take(holder)))
		kvfree(held);
	holder->on = false;
	static_branch_dec(&secmmu_holding);
}

/**
 * secmmu_held_take - get an empty array
 * @holder: the arrays of the mirror
 *
 * Context: never sleeps.
 * Return: the array, or NULL if all are in use.
 */
struct secmmu_held *secmmu_held_take(struct secmmu_holder *holder)
{
	struct secmmu_held *held;

	spin_lock(&holder->lock);
	held = holder->unused;
	if (held)
		holder->unused = held->next;
	spin_unlock(&holder->lock);
	return held;
}

/**
 * secmmu_held_give - give it back
 * @holder: the arrays of the mirror
 * @held: an empty array
 *
 * Context: never sleeps.
 */
void secmmu_held_give(struct secmmu_holder *holder, struct secmmu_held *held)
{
	spin_lock(&holder->lock);
	held->next = holder->unused;
	holder->unused = held;
	spin_unlock(&holder->lock);
}

/**
 * secmmu_held_add - take over the reference of an spte
 * @held: an array with room
 * @page: the page
 */
void secmmu_held_add(struct secmmu_held *held, struct page *page)
{
	held->page[held->nr++] = page;
}

/**
 * secmmu_held_put - drop all references, after the flush
 * @held: the array
 *
 * Context: never sleeps.
 */
void secmmu_held_put(struct secmmu_held *held)
{
	while (held->nr)
		put_page(held->page[--held->nr]);
}
