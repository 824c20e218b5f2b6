// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "flushtable.h"
#include "json.h"
#include "message.h"

/**
 * flushtable_print - print a line of the table
 * @row: the line
 * @header: print the header first
 */
void flushtable_print(const struct flushtable_row *row, bool header)
{
	if (header)
		puts("policy      pages   events  flushes  flushes/event   ns/page");
	printf("%-10s %6" PRIu64 " %8" PRIu64 " %8" PRIu64 " %14" PRIu64
	       " %9" PRIu64 "\n", row->policy, row->pages, row->events,
	       row->flushes, row->flushes / row->events, row->ns_per_page);
	fflush(stdout);
}

/**
 * flushtable_write - write the table for other programs
 * @path: the file
 * @rows: the lines
 * @count: their number
 *
 * Return: 0, or -1 after a message.
 */
int flushtable_write(const char *path, const struct flushtable_row *rows,
		     unsigned int count)
{
	FILE *file = json_open(path, "secmmu-flush-1");

	if (!file)
		return -1;
	fputs("\t\"flush_table\": [", file);
	for (unsigned int i = 0; i < count; i++)
		fprintf(file, "%s\n\t\t{\"policy\": \"%s\", \"pages\": %" PRIu64
			", \"flushes\": %" PRIu64 ", \"ns_per_page\": %" PRIu64
			"}", i ? "," : "", rows[i].policy, rows[i].pages,
			rows[i].flushes / rows[i].events, rows[i].ns_per_page);
	fputs("\n\t]\n", file);
	return json_close(file, path);
}

/**
 * flushtable_read - take the list out of what flushtable_write() wrote
 * @path: the file
 *
 * Return: the JSON list, to be freed, or NULL after a message.
 */
char *flushtable_read(const char *path)
{
	static const char key[] = "\"flush_table\":";
	char text[16384], *from, *to;
	FILE *file = fopen(path, "r");
	size_t size;

	if (!file) {
		say("cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	from = strstr(text, key);
	from = from ? strchr(from, '[') : NULL;
	/* Its rows hold no lists of their own. */
	to = from ? strchr(from, ']') : NULL;
	if (!to) {
		say("%s holds no flush table", path);
		return NULL;
	}
	to[1] = '\0';
	return strdup(from);
}
