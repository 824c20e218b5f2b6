// SPDX-License-Identifier: GPL-2.0
/* Transfers of every class of offset and length move the right bytes and no others. */
#include <string.h>
#include "check.h"

/* The transfers lie in these pages, with one around. */
#define FIRST_PAGE	8
#define PAGES		4
#define AREA		(PAGES * PAGE)

static const size_t offsets[] = {
	0, 1, 8, 63, 64, 1000, 1024, PAGE / 2, PAGE - 64, PAGE - 8, PAGE - 1, PAGE, PAGE + 1024,
};

static const size_t lengths[] = {
	1, 7, 8, 64, 100, 1024, PAGE / 2, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 64,
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* Where two images differ, or AREA. */
static size_t first_difference(const char *one, const char *other)
{
	for (size_t i = 0; i < AREA; i++)
		if (one[i] != other[i])
			return i;
	return AREA;
}

static void need_done(const struct trial *trial, ssize_t done, const char *what, size_t offset,
		      size_t length)
{
	if (done < 0)
		convict(trial, VERDICT_WRONG_PERMISSION, "%s of %zu bytes at offset %zu is refused: "
			"%s", what, length, offset, strerror((int)-done));
}

static void check_read(const struct trial *trial, const char *area, size_t offset, size_t length)
{
	char *buffer = trial->buffer;

	memset(buffer, 0xe7, AREA);
	need_done(trial, read_all(trial, gpa_at(trial, area) + offset, buffer, length), "a read",
		  offset, length);
	if (memcmp(buffer, area + offset, length))
		convict(trial, VERDICT_WRONG_DATA, "a read of %zu bytes at offset %zu gets others",
			length, offset);
	for (size_t i = length; i < AREA; i++)
		if (buffer[i] != (char)0xe7)
			convict(trial, VERDICT_WRONG_DATA, "a read of %zu bytes at offset %zu "
				"changes byte %zu of the buffer", length, offset, i);
}

static void check_write(const struct trial *trial, char *area, char *image, size_t offset,
			size_t length, unsigned int round)
{
	size_t wrong;

	for (size_t i = 0; i < length; i++)
		trial->buffer[i] = (char)(i * 7 + round);
	memcpy(image + offset, trial->buffer, length);
	need_done(trial, write_all(trial, gpa_at(trial, area) + offset, trial->buffer, length),
		  "a write", offset, length);
	wrong = first_difference(area, image);
	if (wrong < AREA)
		convict(trial, VERDICT_WRONG_DATA, "a write of %zu bytes at offset %zu: byte %zu is "
			"%#x, not %#x", length, offset, wrong, (unsigned char)area[wrong],
			(unsigned char)image[wrong]);
}

CHECK(geometry_read, .summary = "reads of any offset and length get those bytes",
      .unless = SUBJECT_WHOLE_PAGES)
{
	char *area = page_at(trial, FIRST_PAGE);

	cpu_fill(trial, area, PAGES);
	for (size_t o = 0; o < COUNT(offsets); o++)
		for (size_t l = 0; l < COUNT(lengths); l++)
			check_read(trial, area, offsets[o], lengths[l]);
}

CHECK(geometry_write, .summary = "writes of any offset and length change those bytes",
      .unless = SUBJECT_WHOLE_PAGES)
{
	static char image[AREA];
	char *area = page_at(trial, FIRST_PAGE);
	unsigned int round = 0;

	cpu_fill(trial, area, PAGES);
	memcpy(image, area, AREA);
	for (size_t o = 0; o < COUNT(offsets); o++)
		for (size_t l = 0; l < COUNT(lengths); l++)
			if (lengths[l] >= trial->ops->least_write)
				check_write(trial, area, image, offsets[o], lengths[l], ++round);
}

/* What a subject of whole pages can do: several, each to its own place. */
CHECK(geometry_pages, .summary = "transfers of several pages keep their order")
{
	char *area = page_at(trial, FIRST_PAGE);
	static char image[AREA];

	cpu_fill(trial, area, PAGES);
	check_read(trial, area, 0, PAGE);
	check_read(trial, area, PAGE, 2 * PAGE);
	check_read(trial, area, 0, PAGES * PAGE);
	memcpy(image, area, AREA);
	check_write(trial, area, image, PAGE, 2 * PAGE, 1);
	check_write(trial, area, image, 0, PAGES * PAGE, 2);
}
