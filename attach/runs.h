/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of pages of a process, as sorted runs. */
#ifndef ATTACH_RUNS_H
#define ATTACH_RUNS_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES	4096ull
/* Pages that runs_count_present() looks at. */
#define RUNS_COUNT	16

/**
 * struct run - pages in a row
 * @start: address of the first one
 * @end: address behind the last one
 */
struct run {
	uint64_t start;
	uint64_t end;
};

/**
 * struct runs - a set of pages
 * @list: its runs, ascending, apart from each other
 * @count: how many
 */
struct runs {
	struct run *list;
	size_t count;
};

void runs_clear(struct runs *runs);
void runs_add(struct runs *runs, uint64_t start, uint64_t end);
int runs_count_present(int pagemap, uint64_t start, unsigned int pages);
int runs_add_present(struct runs *runs, int pagemap, uint64_t start,
		     uint64_t end);
void runs_unite(struct runs *runs, const struct runs *a, const struct runs *b);

#endif /* ATTACH_RUNS_H */
