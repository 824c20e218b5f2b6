// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include "live.h"

/* Moves up so many lines, and clears what is below. */
#define REDRAW	"\033[%dA\033[J"

static int print_rates(const struct totals *now, const struct totals *before)
{
	uint64_t seconds = now->seconds - before->seconds ?: 1;
#define RATE(member)	((now->member - before->member) / seconds)

	printf("%12s %10s %10s %10s %10s %10s %10s\n%12s", "", "guest", "engines", "operations",
	       "events", "zapped", "retries", "a second");
	printf(" %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64
	       "\n", RATE(guest_writes), RATE(engine_reads) + RATE(engine_writes), RATE(discards),
	       RATE(events), RATE(zapped), RATE(retries));
	printf("%12s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10"
	       PRIu64 "\n", "all", now->guest_writes, now->engine_reads + now->engine_writes,
	       now->discards, now->events, now->zapped, now->retries);
	return 3;
#undef RATE
}

/* No line may be longer than a narrow terminal is wide. */
static int draw_view(const struct totals *now, const struct totals *before)
{
	int lines = 3;

	printf("storm: %" PRIu64 " s, seed %" PRIu64 ", %s: %" PRIu64 " violations\n", now->seconds,
	       now->seed, now->subject, now->violations);
	lines += print_rates(now, before);
	printf("%12s within microseconds: half %" PRIu64 ", 99 %% %" PRIu64 ", 99.9 %% %" PRIu64 "\n",
	       "reads", latency_within(&now->latency, 500) / 1000,
	       latency_within(&now->latency, 990) / 1000, latency_within(&now->latency, 999) / 1000);
	printf("%12s", "done");
	mix_print_most(now->mix);
	if (now->causes[0]) {
		printf("\n%12s", "retries");
		report_causes(now);
		lines++;
	}
	putchar('\n');
	return lines;
}

/**
 * live_show - show how far a storm is, once a second
 * @live: all zeroes at first
 * @report: its lock keeps violations from coming in between
 * @totals: the numbers so far
 *
 * On anything but a terminal this is a line.
 */
void live_show(struct live *live, struct report *report, const struct totals *totals)
{
	if (!isatty(STDOUT_FILENO)) {
		report_progress(totals);
		return;
	}
	pthread_mutex_lock(&report->lock);
	if (live->lines && totals->violations == live->before.violations)
		printf(REDRAW, live->lines);
	live->lines = draw_view(totals, &live->before);
	fflush(stdout);
	live->before = *totals;
	pthread_mutex_unlock(&report->lock);
}
