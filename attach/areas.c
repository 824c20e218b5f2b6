// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "areas.h"
#include "list.h"
#include "message.h"
#include "target.h"

/* The first line of an area: "start-end mode offset device inode   name". */
static bool parse_header(struct area *area, char *line)
{
	uint64_t inode;
	int name = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64
		   " %n", &area->start, &area->end, area->mode, &inode,
		   &name) != 4 || !name)
		return false;
	area->refuses = area->mode[0] != 'r';
	area->own = area->mode[3] == 'p' && !inode;
	area->name = format("%s", target_make_printable(line + name));
	return true;
}

static bool has_flag(const char *flags, const char *flag)
{
	return strstr(flags, flag);
}

/* The lines behind it: "Key:   value". */
static void parse_detail(struct area *area, const char *line)
{
	static const char *const keys[] = {
		"Rss:", "Swap:", "Shared_Hugetlb:", "Private_Hugetlb:",
	};
	static const char flags[] = "VmFlags:";

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strncmp(line, keys[i], strlen(keys[i])))
			area->populated += 1024 *
				strtoull(line + strlen(keys[i]), NULL, 10);
	if (strncmp(line, flags, strlen(flags)))
		return;
	if (has_flag(line, " io ") || has_flag(line, " pf "))
		area->refuses = true;
	if (has_flag(line, " um ") || has_flag(line, " ui "))
		area->waits = true;
}

/* Keys begin with a capital letter, addresses are in small ones. */
static bool is_header(const char *line)
{
	return (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f');
}

static void parse_smaps(struct areas *areas, FILE *file)
{
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, file) > 0) {
		if (is_header(line)) {
			areas->list = list_grow(areas->list, areas->count,
						sizeof(*areas->list));
			areas->list[areas->count] = (struct area) { 0 };
			if (!parse_header(&areas->list[areas->count++], line))
				die("cannot understand the process's smaps: %s", line);
		} else if (areas->count) {
			parse_detail(&areas->list[areas->count - 1], line);
		}
	}
	free(line);
}

/**
 * areas_read - list the areas of a process
 * @areas: filled in
 * @proc: descriptor of the process's folder in /proc
 *
 * The list of a running process is never quite right; its areas do not overlap.
 *
 * Return: 0, or -ESRCH if the process has no memory any more.
 */
int areas_read(struct areas *areas, int proc)
{
	int fd = openat(proc, "smaps", O_RDONLY | O_CLOEXEC);
	FILE *file;

	for (size_t i = 0; i < areas->count; i++)
		free(areas->list[i].name);
	areas->count = 0;
	if (fd < 0 && (errno == ESRCH || errno == ENOENT))
		return -ESRCH;
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file)
		die("cannot open the process's smaps: %s", strerror(errno));
	parse_smaps(areas, file);
	fclose(file);
	/* Every process has areas, to its end. */
	return areas->count ? 0 : -ESRCH;
}

/**
 * areas_clip - forget what lies outside of a range
 * @areas: the list
 * @start: first address of the range
 * @end: address behind it
 */
void areas_clip(struct areas *areas, uint64_t start, uint64_t end)
{
	size_t kept = 0;

	for (size_t i = 0; i < areas->count; i++) {
		struct area *area = &areas->list[i];

		if (area->end <= start || area->start >= end) {
			free(area->name);
			continue;
		}
		if (area->start < start)
			area->start = start;
		if (area->end > end)
			area->end = end;
		areas->list[kept++] = *area;
	}
	areas->count = kept;
}
