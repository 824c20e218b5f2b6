/* SPDX-License-Identifier: GPL-2.0 */
/* What all views of a page have of it, told with a violation. */
#ifndef STORM_VIEWS_H
#define STORM_VIEWS_H

#include <stdint.h>
#include "engine.h"
#include "history.h"
#include "judge.h"

/**
 * struct views - who can be asked
 * @judge: knows the state that host and guest share
 * @engines: of its own: the view of each instance of the subject
 * @nr_engines: how many
 * @history: what was done to pages
 */
struct views {
	const struct judge *judge;
	struct engine engines[MAX_MIRRORS];
	uint32_t nr_engines;
	struct history history;
};

void views_print(void *views, uint32_t page);

#endif /* STORM_VIEWS_H */
