// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "history.h"

/* Deeds that are told of a page. */
#define TOLD	6

/**
 * history_start - the storm begins
 * @history: zeroes
 */
void history_start(struct history *history)
{
	history->start = clock_ns();
}

static uint64_t now_us(const struct history *history)
{
	return (clock_ns() - history->start) / 1000;
}

/**
 * history_begin - a deed begins
 * @history: the history; any thread may call this at any time
 * @who: the thread; the name must last, as that of the operation
 * @what: the operation
 * @first: number of its first page
 * @count: how many
 *
 * Return: its number, for history_end().
 */
uint64_t history_begin(struct history *history, const char *who, const char *what,
		       uint32_t first, uint32_t count)
{
	uint64_t turn = __atomic_fetch_add(&history->turns, 1, __ATOMIC_RELAXED);
	struct history_deed *to = &history->deeds[turn % HISTORY_DEEDS];

	__atomic_store_n(&to->turn, 0, __ATOMIC_RELAXED);
	/* No reader may take the old turn for that of the new deed. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	to->begin = now_us(history);
	to->end = 0;
	to->first = first;
	to->count = count;
	to->error = 0;
	to->who = who;
	to->what = what;
	__atomic_store_n(&to->turn, turn + 1, __ATOMIC_RELEASE);
	return turn;
}

/**
 * history_end - it has come to its end
 * @history: the history
 * @turn: what history_begin() returned
 * @error: what it returned
 */
void history_end(struct history *history, uint64_t turn, int error)
{
	struct history_deed *deed = &history->deeds[turn % HISTORY_DEEDS];

	/* Others have had as many turns meanwhile as there is room for. */
	if (__atomic_load_n(&deed->turn, __ATOMIC_RELAXED) != turn + 1)
		return;
	deed->error = error;
	__atomic_store_n(&deed->end, now_us(history), __ATOMIC_RELEASE);
}

/* Returns false if the deed is being replaced, or has been. */
static bool take_deed(const struct history *history, uint64_t turn, struct history_deed *deed)
{
	const struct history_deed *from = &history->deeds[turn % HISTORY_DEEDS];

	if (__atomic_load_n(&from->turn, __ATOMIC_ACQUIRE) != turn + 1)
		return false;
	*deed = *from;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&from->turn, __ATOMIC_RELAXED) == turn + 1;
}

static void print_deed(const struct history_deed *deed)
{
	char end[48] = "still under way";

	if (deed->end)
		snprintf(end, sizeof(end), "to %" PRIu64 ".%06" PRIu64 " s",
			 deed->end / 1000000, deed->end % 1000000);
	printf("    %" PRIu64 ".%06" PRIu64 " s %s: %s: %s of %" PRIu32 " pages from %" PRIu32
	       "%s%s\n", deed->begin / 1000000, deed->begin % 1000000, end, deed->who, deed->what,
	       deed->count, deed->first, deed->error ? ": " : "",
	       deed->error ? strerror(-deed->error) : "");
}

/**
 * history_print - tell the last deeds that concerned a page, the last one first
 * @history: the history
 * @page: number of the page
 */
void history_print(const struct history *history, uint32_t page)
{
	uint64_t turns = __atomic_load_n(&history->turns, __ATOMIC_RELAXED);
	uint64_t oldest = turns > HISTORY_DEEDS ? turns - HISTORY_DEEDS : 0;
	struct history_deed deed;
	int told = 0;

	printf("    now %" PRIu64 ".%06" PRIu64 " s; what was done to it lately:\n",
	       now_us(history) / 1000000, now_us(history) % 1000000);
	for (uint64_t turn = turns; turn > oldest && told < TOLD; turn--) {
		if (!take_deed(history, turn - 1, &deed) || page - deed.first >= deed.count)
			continue;
		print_deed(&deed);
		told++;
	}
	if (!told)
		printf("    no operation on it among the last %" PRIu64 "\n", turns - oldest);
}
