// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include "message.h"
#include "own_mirror.h"
#include "proof.h"

/* Between two tries, in microseconds: a busy process may be quiet later. */
#define PAUSE_US	500

/**
 * struct bracket - two looks at the process around one at its mirror
 * @events: what the mirror's memory has had, before and after
 * @has: whether the process has the page, before and after
 * @shows: whether the mirror shows it
 * @spare: mirrors that were made to take mmap_lock, or -1
 */
struct bracket {
	uint64_t events[2];
	int has[2];
	int shows;
	int spare[2];
};

static uint64_t count_events(const struct compare *compare)
{
	struct secmmu_stats stats;

	mirror_stats(compare->mirror, &stats);
	return stats.events;
}

/* Waits until every change that was under way is over. A descriptor or an errno. */
static int wait_for_changes(const struct compare *compare)
{
	pid_t pid = compare->witness.pid;
	int fd = secmmu_create_mirror_of(compare->device, pid);

	if (fd < 0 && fd != -ESRCH && fd != -EINTR)
		die("cannot make another mirror of process %d: %s", pid, strerror(-fd));
	return fd;
}

/* One end of the bracket. Its last step leaves no change under way. */
static int look_at_process(const struct compare *compare, uint64_t page,
			   struct bracket *bracket, int end)
{
	bracket->has[end] = witness_has(&compare->witness, page);
	if (bracket->has[end] < 0)
		return bracket->has[end];
	bracket->spare[end] = wait_for_changes(compare);
	return bracket->spare[end] < 0 ? bracket->spare[end] : 0;
}

/* The steps of the header, in their order. Zero or an errno. */
static int take_bracket(const struct compare *compare, uint64_t page,
			struct bracket *bracket)
{
	int err;

	*bracket = (struct bracket) { .spare = { -1, -1 } };
	bracket->events[0] = count_events(compare);
	bracket->shows = compare_mirror_shows(compare, page);
	if (bracket->shows < 0)
		return bracket->shows;
	err = look_at_process(compare, page, bracket, 0);
	if (err)
		return err;
	bracket->shows = compare_mirror_shows(compare, page);
	if (bracket->shows < 0)
		return bracket->shows;
	err = look_at_process(compare, page, bracket, 1);
	bracket->events[1] = count_events(compare);
	return err;
}

/* Closing a mirror may take long, so it is done outside of the bracket. */
static void close_spares(const struct bracket *bracket)
{
	for (int end = 0; end < 2; end++)
		if (bracket->spare[end] >= 0)
			close(bracket->spare[end]);
}

/**
 * proof_of_access - judge a mirror that shows what the process has not, or refuses
 *	what it has
 * @compare: mirror and process
 * @page: address of the page
 * @proved: set if the mirror is wrong
 *
 * Return: 0, or -ESRCH or -EINTR.
 */
int proof_of_access(const struct compare *compare, uint64_t page, bool *proved)
{
	struct bracket bracket;

	*proved = false;
	for (int i = 0; i < PROOF_TRIES; i++) {
		int err = take_bracket(compare, page, &bracket);

		close_spares(&bracket);
		if (err)
			return err;
		if (bracket.has[0] == bracket.has[1]) {
			if (bracket.shows == bracket.has[0])
				return 0;
			*proved = bracket.events[0] == bracket.events[1];
			if (*proved)
				return 0;
		}
		usleep(PAUSE_US);
	}
	return 0;
}
