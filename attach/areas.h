/* SPDX-License-Identifier: GPL-2.0 */
/* The areas of a process's memory, as /proc tells them. */
#ifndef ATTACH_AREAS_H
#define ATTACH_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct area - one area
 * @start: its first address
 * @end: the address behind it
 * @gpa: guest address of the first page, of a guest's memory
 * @mode: "rw-p" and the like
 * @name: what is mapped there; printable
 * @populated: bytes that the process has there, roughly; zero is exact
 * @refuses: nobody may read there: no permission, or no ordinary memory
 * @waits: pages that are not there are asked of the process itself (userfaultfd)
 * @own: anonymous and private: only the process itself can change it
 * @read: pages read, by the user of the list; so are the following
 * @refused: pages that could not be read
 * @changing: pages that changed under comparison
 * @stale: pages of which the mirror showed something else
 */
struct area {
	uint64_t start;
	uint64_t end;
	uint64_t gpa;
	char mode[5];
	char *name;
	uint64_t populated;
	bool refuses;
	bool waits;
	bool own;
	uint64_t read;
	uint64_t refused;
	uint64_t changing;
	uint64_t stale;
};

/**
 * struct areas - all areas
 * @list: ascending
 * @count: how many
 */
struct areas {
	struct area *list;
	size_t count;
};

int areas_read(struct areas *areas, int proc);
void areas_clip(struct areas *areas, uint64_t start, uint64_t end);

#endif /* ATTACH_AREAS_H */
