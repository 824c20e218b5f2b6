/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the memory of a guest lies in its QEMU: ranges of guest physical addresses that are
 * RAM, by what QEMU's monitor says.
 */
#ifndef ATTACH_LAYOUT_H
#define ATTACH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "areas.h"

/**
 * struct place - a range of guest memory
 * @gpa: its first address
 * @length: bytes
 * @hva: where it lies in QEMU; 0 if that is not known
 * @rom: the guest only reads it
 * @region: what QEMU calls it; printable
 */
struct place {
	uint64_t gpa;
	uint64_t length;
	uint64_t hva;
	bool rom;
	char region[64];
};

/**
 * struct layout - all of them
 * @list: ascending by @hva once layout_locate() has found these, by @gpa until then
 * @count: how many
 */
struct layout {
	struct place *list;
	size_t count;
};

void layout_parse(struct layout *layout, const char *mtree, uint64_t start, uint64_t end);
bool layout_differs(const struct layout *a, const struct layout *b);
bool layout_locate(struct layout *layout, const char *said);
const struct place *layout_find(const struct layout *layout, uint64_t hva);
bool layout_covered(const struct layout *layout, const struct areas *areas);
void layout_cut(const struct layout *layout, struct areas *areas);

#endif /* ATTACH_LAYOUT_H */
