// SPDX-License-Identifier: GPL-2.0
/* What is done to the guest's own slots, KVM's, while it runs. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "acts.h"
#include "operation.h"
#include "vm.h"

#define BITMAP_WORDS	(MEMORY_MAX / GUEST_PAGE_SIZE / 64)

/* The guest writes for this long under a log. */
#define LOG_US		2000

/* Of whoever changes a slot. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool any_bit(const uint64_t *bitmap, size_t words)
{
	for (size_t i = 0; i < words; i++)
		if (bitmap[i])
			return true;
	return false;
}

/**
 * act_log_guest - KVM logs what the guest writes, for a while
 *
 * Huge pages are split, and everything is write-protected. (A slot that is not there, or
 * may not be written, makes every access an exit, which a guest without devices dies of.)
 */
ACT(log_guest)
{
	static __thread uint64_t bitmap[BITMAP_WORDS];
	const struct memory *memory = scene->agent->judge->memory;
	uint32_t slot = memory_slot_of(memory, scene->first);
	const struct vm *vm = scene->agent->vm;
	int error;

	pthread_mutex_lock(&lock);
	error = vm_set_slot(vm, slot, true);
	if (!error) {
		usleep(LOG_US);
		error = vm_dirty_log(vm, slot, bitmap) ?: vm_set_slot(vm, slot, false);
	}
	pthread_mutex_unlock(&lock);
	scene->reached = !error &&
			 any_bit(bitmap, memory->slots[slot].length / GUEST_PAGE_SIZE / 64);
	return error;
}
