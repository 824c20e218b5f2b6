// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "layout.h"
#include "list.h"
#include "message.h"
#include "runs.h"
#include "target.h"

static bool is_page(uint64_t address)
{
	return !(address % PAGE_BYTES);
}

/* "START-LAST (prio 0, KIND): REGION @OFFSET KVM", of which the last two may be missing. */
static bool parse_place(struct place *place, const char *line, char *kind)
{
	uint64_t last;
	int name = 0;

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " (prio %*d, %15[^)]): %n", &place->gpa,
		   &last, kind, &name) != 3 || !name)
		return false;
	place->length = last + 1 - place->gpa;
	place->hva = 0;
	snprintf(place->region, sizeof(place->region), "%.*s",
		 (int)strcspn(line + name, " \r\n"), line + name);
	target_make_printable(place->region);
	return is_page(place->gpa) && is_page(place->length) && place->length;
}

/* Only what lies between @start and @end. */
static void add_place(struct layout *layout, struct place place, uint64_t start, uint64_t end)
{
	uint64_t behind = place.gpa + place.length;

	if (place.gpa < start)
		place.gpa = start;
	if (behind > end)
		behind = end;
	if (behind <= place.gpa)
		return;
	place.length = behind - place.gpa;
	layout->list = list_grow(layout->list, layout->count, sizeof(*layout->list));
	layout->list[layout->count++] = place;
}

static bool has_ram(const struct layout *layout, const char *region)
{
	for (size_t i = 0; i < layout->count; i++)
		if (!layout->list[i].rom && !strcmp(layout->list[i].region, region))
			return true;
	return false;
}

/* Firmware has regions of its own; what the guest's RAM shadows is its RAM. */
static void drop_firmware(struct layout *layout)
{
	size_t kept = 0;

	for (size_t i = 0; i < layout->count; i++)
		if (!layout->list[i].rom || has_ram(layout, layout->list[i].region))
			layout->list[kept++] = layout->list[i];
	layout->count = kept;
}

/**
 * layout_parse - find out where the guest has RAM
 * @layout: filled in; where it lies in QEMU is not known then
 * @mtree: what the monitor says to "info mtree -f"
 * @start: first guest address of interest
 * @end: address behind the last one
 *
 * Of all views of memory, the one that "memory" has counts. RAM that the firmware has made
 * read-only is still RAM.
 */
void layout_parse(struct layout *layout, const char *mtree, uint64_t start, uint64_t end)
{
	bool ours = false, behind = false;

	layout->count = 0;
	for (const char *line = mtree; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		struct place place = { 0 };
		char kind[16];

		if (!strncmp(line, "FlatView", strlen("FlatView"))) {
			if (behind)
				break;
			ours = false;
		} else if (!strncmp(line + strspn(line, " "), "AS \"memory\"",
				    strlen("AS \"memory\""))) {
			ours = true;
		} else if (ours && parse_place(&place, line, kind)) {
			behind = true;
			place.rom = !strcmp(kind, "rom");
			if (place.rom || !strcmp(kind, "ram"))
				add_place(layout, place, start, end);
		}
	}
	drop_firmware(layout);
}

static const struct place *find_gpa(const struct layout *layout, uint64_t gpa)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->list[i].gpa == gpa)
			return &layout->list[i];
	return NULL;
}

/**
 * layout_differs - compare what guests see
 * @a: a layout
 * @b: another one, wherever it lies
 *
 * Return: whether guest memory is somewhere else in the other one, or of another kind.
 */
bool layout_differs(const struct layout *a, const struct layout *b)
{
	if (a->count != b->count)
		return true;
	for (size_t i = 0; i < a->count; i++) {
		const struct place *one = &a->list[i], *other = find_gpa(b, one->gpa);

		if (!other || one->length != other->length || one->rom != other->rom ||
		    strcmp(one->region, other->region))
			return true;
	}
	return false;
}

/* Where gpa @wanted lies, by what the monitor has said to "gpa2hva" of several; or 0. */
static uint64_t find_hva(const char *said, uint64_t wanted)
{
	static const char title[] = "Host virtual address for ";
	uint64_t gpa, hva;

	while ((said = strstr(said, title))) {
		said += strlen(title);
		if (sscanf(said, "%" SCNx64 " (%*[^)]) is %" SCNx64, &gpa, &hva) == 2 &&
		    gpa == wanted)
			return hva;
	}
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *one = a, *other = b;

	return one->hva < other->hva ? -1 : one->hva > other->hva;
}

/**
 * layout_locate - find out where the guest's memory lies in QEMU
 * @layout: of layout_parse()
 * @said: what the monitor says to "gpa2hva", for first and last page of each place
 *
 * Return: false if a place has no address, or does not lie there in one piece.
 */
bool layout_locate(struct layout *layout, const char *said)
{
	for (size_t i = 0; i < layout->count; i++) {
		struct place *place = &layout->list[i];
		uint64_t last = place->length - PAGE_BYTES;

		place->hva = find_hva(said, place->gpa);
		if (!place->hva || !is_page(place->hva) ||
		    find_hva(said, place->gpa + last) != place->hva + last) {
			say("QEMU does not tell where guest memory 0x%" PRIx64 " (%s) lies",
			    place->gpa, place->region);
			return false;
		}
	}
	qsort(layout->list, layout->count, sizeof(*layout->list), compare_places);
	return true;
}

/**
 * layout_find - find the place that has an address
 * @layout: of layout_locate()
 * @hva: address in QEMU
 *
 * Return: the place, or NULL if the guest has no memory there.
 */
const struct place *layout_find(const struct layout *layout, uint64_t hva)
{
	size_t first = 0, behind = layout->count;

	while (first < behind) {
		size_t middle = (first + behind) / 2;
		const struct place *place = &layout->list[middle];

		if (hva < place->hva)
			behind = middle;
		else if (hva - place->hva >= place->length)
			first = middle + 1;
		else
			return place;
	}
	return NULL;
}

/**
 * layout_covered - check a layout against the areas of the process
 * @layout: of layout_locate()
 * @areas: all that the process has
 *
 * Return: whether it has writable memory wherever guest memory should lie.
 */
bool layout_covered(const struct layout *layout, const struct areas *areas)
{
	size_t next = 0;

	for (size_t i = 0; i < layout->count; i++) {
		uint64_t at = layout->list[i].hva, end = at + layout->list[i].length;

		while (next < areas->count && areas->list[next].end <= at)
			next++;
		for (size_t j = next; at < end; j++) {
			const struct area *area = j < areas->count ? &areas->list[j] : NULL;

			if (!area || area->start > at || strncmp(area->mode, "rw", 2)) {
				say("process has no memory at 0x%" PRIx64 ", where guest memory 0x%"
				    PRIx64 " should lie", at, layout->list[i].gpa);
				return false;
			}
			at = area->end;
		}
	}
	return true;
}

/**
 * layout_cut - only keep the areas that hold guest memory
 * @layout: of layout_locate()
 * @areas: all that the process has; afterwards each lies within one place, and is named
 *	by its guest address
 */
void layout_cut(const struct layout *layout, struct areas *areas)
{
	struct areas cut = { 0 };
	size_t next = 0;
	/* Two ranges of guest memory may be the same memory: once is enough. */
	uint64_t done = 0;

	for (size_t i = 0; i < layout->count; i++) {
		const struct place *place = &layout->list[i];
		uint64_t start = place->hva > done ? place->hva : done;
		uint64_t end = place->hva + place->length;

		while (next < areas->count && areas->list[next].end <= start)
			next++;
		for (size_t j = next; j < areas->count && areas->list[j].start < end; j++) {
			struct area area = areas->list[j];

			area.start = area.start > start ? area.start : start;
			area.end = area.end < end ? area.end : end;
			area.gpa = place->gpa + (area.start - place->hva);
			area.name = format("guest 0x%" PRIx64 " %s%s", area.gpa, place->region,
					   place->rom ? ", read-only" : "");
			cut.list = list_grow(cut.list, cut.count, sizeof(*cut.list));
			cut.list[cut.count++] = area;
		}
		done = end > done ? end : done;
	}
	areas_clip(areas, 0, 0);
	free(areas->list);
	*areas = cut;
}
