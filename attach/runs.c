// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "list.h"
#include "message.h"
#include "runs.h"

/* /proc/N/pagemap has one word for each page. */
#define PAGEMAP_PRESENT	(1ull << 63)
#define PAGEMAP_WORDS	8192

/**
 * runs_clear - make a set empty
 * @runs: the set
 */
void runs_clear(struct runs *runs)
{
	runs->count = 0;
}

/**
 * runs_add - add pages that are not below those of the last run
 * @runs: the set
 * @start: address of the first page
 * @end: address behind the last one
 */
void runs_add(struct runs *runs, uint64_t start, uint64_t end)
{
	struct run *last = runs->count ? &runs->list[runs->count - 1] : NULL;

	if (last && start <= last->end) {
		if (end > last->end)
			last->end = end;
		return;
	}
	runs->list = list_grow(runs->list, runs->count, sizeof(*runs->list));
	runs->list[runs->count++] = (struct run) { start, end };
}

/* Words of a page map: their number, or -ESRCH. */
static ssize_t read_words(int pagemap, uint64_t start, uint64_t *words, size_t count)
{
	ssize_t got = pread(pagemap, words, count * sizeof(*words),
			    (off_t)(start / PAGE_BYTES * sizeof(*words)));

	/* At its end, too: the process is ending. */
	if (!got || (got < 0 && errno == ESRCH))
		return -ESRCH;
	if (got < 0)
		die("cannot read the process's pagemap: %s", strerror(errno));
	return got / (ssize_t)sizeof(*words);
}

/**
 * runs_count_present - count the pages that a process has in memory, up to a gap
 * @pagemap: descriptor of the process's pagemap
 * @start: address of the first page
 * @pages: how many to look at, at most RUNS_COUNT
 *
 * Return: their number, or -ESRCH as runs_add_present().
 */
int runs_count_present(int pagemap, uint64_t start, unsigned int pages)
{
	uint64_t words[RUNS_COUNT];
	ssize_t got = read_words(pagemap, start, words, pages);
	int count = 0;

	if (got < 0)
		return (int)got;
	while (count < got && words[count] & PAGEMAP_PRESENT)
		count++;
	return count;
}

/**
 * runs_add_present - add those pages of a range that the process has in memory
 * @runs: the set; nothing in it lies behind @start
 * @pagemap: descriptor of the process's pagemap
 * @start: address of the first page
 * @end: address behind the last one
 *
 * Return: 0, or -ESRCH if the process has no memory any more.
 */
int runs_add_present(struct runs *runs, int pagemap, uint64_t start,
		     uint64_t end)
{
	static uint64_t words[PAGEMAP_WORDS];

	while (start < end) {
		uint64_t want = (end - start) / PAGE_BYTES;
		ssize_t got;

		if (want > PAGEMAP_WORDS)
			want = PAGEMAP_WORDS;
		got = read_words(pagemap, start, words, want);
		if (got < 0)
			return (int)got;
		for (ssize_t i = 0; i < got; i++, start += PAGE_BYTES)
			if (words[i] & PAGEMAP_PRESENT)
				runs_add(runs, start, start + PAGE_BYTES);
	}
	return 0;
}

/**
 * runs_unite - what is in one set or another
 * @runs: filled in
 * @a: one set
 * @b: the other one
 */
void runs_unite(struct runs *runs, const struct runs *a, const struct runs *b)
{
	size_t i = 0, j = 0;

	runs_clear(runs);
	while (i < a->count || j < b->count) {
		const struct run *next;

		if (j == b->count || (i < a->count &&
				      a->list[i].start <= b->list[j].start))
			next = &a->list[i++];
		else
			next = &b->list[j++];
		runs_add(runs, next->start, next->end);
	}
}
