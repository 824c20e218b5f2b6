/* SPDX-License-Identifier: GPL-2.0 */
/* A storm under way: a view that is drawn again each second in a terminal, else a line. */
#ifndef STORM_LIVE_H
#define STORM_LIVE_H

#include "report.h"

/**
 * struct live - what is on the terminal
 * @lines: of the latest view, which the next one replaces; 0 if something is below it
 * @before: the numbers of the latest view
 */
struct live {
	int lines;
	struct totals before;
};

void live_show(struct live *live, struct report *report, const struct totals *totals);

#endif /* STORM_LIVE_H */
