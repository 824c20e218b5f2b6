/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where operations meet: a discarder that has a pause may end it when another one begins, and
 * come to the same page. What two events do to each other is seldom seen otherwise.
 */
#ifndef STORM_MEETING_H
#define STORM_MEETING_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct meeting - the latest operation that others may come to
 * @turn: how many there have been; threads wait for it to change
 * @waiting: so many threads do
 * @page: a page of it
 */
struct meeting {
	uint32_t turn;
	uint32_t waiting;
	uint32_t page;
};

bool meeting_call(struct meeting *meeting, uint32_t page);
bool meeting_await(struct meeting *meeting, uint32_t us, uint32_t *page);

#endif /* STORM_MEETING_H */
