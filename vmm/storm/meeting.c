// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include "meeting.h"

/**
 * meeting_call - an operation begins: those who wait may come
 * @meeting: the meeting
 * @page: number of a page of the operation
 *
 * Return: true if somebody comes.
 */
bool meeting_call(struct meeting *meeting, uint32_t page)
{
	__atomic_store_n(&meeting->page, page, __ATOMIC_RELAXED);
	__atomic_add_fetch(&meeting->turn, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&meeting->waiting, __ATOMIC_SEQ_CST) &&
	       syscall(SYS_futex, &meeting->turn, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0) > 0;
}

/**
 * meeting_await - wait until an operation begins
 * @meeting: the meeting
 * @us: microseconds, below a second; not longer
 * @page: set to a page of the operation
 *
 * Return: false if none has begun.
 */
bool meeting_await(struct meeting *meeting, uint32_t us, uint32_t *page)
{
	uint32_t turn = __atomic_load_n(&meeting->turn, __ATOMIC_SEQ_CST);
	const struct timespec timeout = { .tv_nsec = us * 1000l };

	__atomic_add_fetch(&meeting->waiting, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &meeting->turn, FUTEX_WAIT_PRIVATE, turn, &timeout, NULL, 0);
	__atomic_sub_fetch(&meeting->waiting, 1, __ATOMIC_SEQ_CST);
	*page = __atomic_load_n(&meeting->page, __ATOMIC_RELAXED);
	return __atomic_load_n(&meeting->turn, __ATOMIC_SEQ_CST) != turn;
}
