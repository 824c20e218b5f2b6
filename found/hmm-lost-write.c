// SPDX-License-Identifier: GPL-2.0
/*
 * hmm_range_fault() is content with an entry that is writable and clean. A mirror that
 * writes through it, and does not mark the page dirty, loses what it wrote to reclaim.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "dmirror.h"
#include "found.h"
#include "message.h"
#include "swap.h"

/* Makes the process's entry of a page writable and clean; the page keeps a byte. */
struct way {
	const char *name;
	char *(*make_clean)(void);
};

static char *free_lazily(void)
{
	char *page = map_private(PAGE);

	memset(page, 'A', PAGE);
	if (madvise(page, PAGE, MADV_FREE))
		die("MADV_FREE: %s", strerror(errno));
	return page;
}

static char *read_memfd(void)
{
	char *page = map_memfd(PAGE);

	if (*(volatile char *)page)
		die("a new memfd is not zero");
	return page;
}

static const struct way ways[] = {
	{ "MADV_FREE", free_lazily },
	{ "memfd", read_memfd },
};

/* Does it stay what the process writes? */
static void need_control(const struct way *way)
{
	char *page = way->make_clean();

	memset(page, 'B', PAGE);
	reclaim_page(page);
	if (*(volatile char *)page != 'B')
		die("%s: even what the process wrote is lost", way->name);
}

static bool loses_write(const struct way *way, int dmirror)
{
	char *page = way->make_clean(), buffer[PAGE];

	memset(buffer, 'B', PAGE);
	dmirror_write(dmirror, page, buffer);
	if (*(volatile char *)page != 'B')
		die("%s: the process does not see what the mirror wrote", way->name);
	reclaim_page(page);
	return *(volatile char *)page != 'B';
}

int main(int argc, char **argv)
{
	bool lost[2];
	int dmirror;

	begin(argc, argv, "hmm-lost-write",
	      "Writes to a page through the mirror while the process has it writable and clean, "
	      "sees that the process has what was written, has the page reclaimed, and looks "
	      "again.");
	swap_begin();
	dmirror = dmirror_open();
	for (int i = 0; i < 2; i++) {
		need_control(&ways[i]);
		lost[i] = loses_write(&ways[i], dmirror);
	}
	conclude(lost[0] || lost[1],
		 "the process has seen the write; after reclaim it is %s (MADV_FREE), %s (memfd)",
		 lost[0] ? "lost" : "there", lost[1] ? "lost" : "there");
}
