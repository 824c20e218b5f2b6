// SPDX-License-Identifier: GPL-2.0
/*
 * test_hmm takes an exclusive end for an inclusive one: an invalidation drops one page more
 * than the range has. Nothing is wrong with the data; the mirror faults once too often.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "dmirror.h"
#include "found.h"
#include "message.h"

#define PAGES	3

int main(int argc, char **argv)
{
	unsigned int before, middle, behind;
	char buffer[PAGE], *memory;
	int dmirror;

	begin(argc, argv, "hmm-range",
	      "Discards the second of three pages, and counts how often the mirror must fault "
	      "to read each of them again.");
	memory = map_private(PAGES * PAGE);
	memset(memory, 'A', PAGES * PAGE);
	dmirror = dmirror_open();
	for (int i = 0; i < PAGES; i++)
		dmirror_read(dmirror, memory + i * PAGE, buffer);
	for (int i = 0; i < PAGES; i++)
		if (dmirror_read(dmirror, memory + i * PAGE, buffer))
			die("the mirror does not keep page %d, without any invalidation", i);

	if (madvise(memory + PAGE, PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED: %s", strerror(errno));
	before = dmirror_read(dmirror, memory, buffer);
	behind = dmirror_read(dmirror, memory + 2 * PAGE, buffer);
	middle = dmirror_read(dmirror, memory + PAGE, buffer);
	if (!middle || before)
		die("%u faults for the discarded page, %u for the page before it", middle, before);
	conclude(behind, "page 1 was discarded; faults to read pages 0, 1, 2 again: %u, %u, %u",
		 before, middle, behind);
}
