// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "complaints.h"
#include "console.h"
#include "guest.h"
#include "races.h"
#include "util.h"

/* Further offending lines are in the log. */
#define SHOW_LINES	12

int console_copy(int from, int to)
{
	char buffer[1 << 16];
	ssize_t n;

	for (;;) {
		n = read(from, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		if (write_all(to, buffer, n))
			return -1;
	}
}

bool console_token(const char *path, int *status)
{
	char *text = read_file(path, NULL);
	int number, end = 0;
	bool found = false;

	if (!text)
		return false;
	if (sscanf(text, TOKEN_PREFIX "exit %d%n", &number, &end) == 1)
		*status = number;
	else if (sscanf(text, TOKEN_PREFIX "signal %d%n", &number, &end) == 1)
		*status = 128 + number;
	found = end && !strcmp(text + end, "\n") && number >= 0 && number < 256;
	if (!strcmp(text, TOKEN_PREFIX "timeout\n")) {
		*status = -1;
		found = true;
	}
	free(text);
	return found;
}

static bool contains_any(const char *line, const char * const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(line, list[i]))
			return true;
	return false;
}

static void show(const char *prefix, const char *line, int *count)
{
	if ((*count)++ < SHOW_LINES)
		say("%s%.400s", prefix, line);
}

/* The line that offends: this one, or the title of the report that it ends. */
static const char *offence(struct races *races, const char *line)
{
	switch (races_line(races, line)) {
	case RACE_OFFENDS:
		return races->title;
	case RACE_LINE:
		return NULL;
	default:
		return contains_any(line, complaints, ARRAY_SIZE(complaints)) &&
		       !contains_any(line, harmless, ARRAY_SIZE(harmless)) ?
		       line : NULL;
	}
}

int console_scan(const char *path, const char *prefix)
{
	struct races races = { 0 };
	FILE *log = fopen(path, "re");
	const char *bad;
	size_t room = 0;
	char *line = NULL;
	int count = 0;
	ssize_t n;

	if (!log)
		return -1;
	while ((n = getline(&line, &room, log)) > 0) {
		/* A guest may send NULs, which would hide the rest of a line. */
		for (ssize_t i = 0; i < n; i++)
			if (!line[i])
				line[i] = ' ';
		line[strcspn(line, "\r\n")] = '\0';
		bad = offence(&races, line);
		if (bad)
			show(prefix, bad, &count);
	}
	if (races_end(&races))
		show(prefix, races.title, &count);
	if (count > SHOW_LINES)
		say("%s%d more such lines", prefix, count - SHOW_LINES);
	races_tell_others(&races, prefix);
	free(line);
	fclose(log);
	return count;
}

static void write_list(FILE *file, const char * const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s\n", list[i]);
}

char *console_patterns(bool bad)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		die("out of memory");
	if (bad)
		write_list(file, complaints, ARRAY_SIZE(complaints));
	else
		write_list(file, harmless, ARRAY_SIZE(harmless));
	if (fclose(file))
		die("out of memory");
	return text;
}

bool console_stale_code(const char *path)
{
	FILE *log = fopen(path, "re");
	struct races races = { 0 };
	bool found = false;
	size_t room = 0;
	char *line = NULL;

	while (log && !found && getline(&line, &room, log) > 0) {
		found = strstr(line, "int3: 0000 [#1]");
		if (!found && offence(&races, line))
			break;
	}
	free(line);
	if (log)
		fclose(log);
	return found;
}

bool console_out_of_memory(const char *path)
{
	FILE *log = fopen(path, "re");
	bool found = false;
	size_t room = 0;
	char *line = NULL;

	while (log && !found && getline(&line, &room, log) > 0)
		found = strstr(line, "Initramfs unpacking failed") ||
			strstr(line, "deadlocked on memory");
	free(line);
	if (log)
		fclose(log);
	return found;
}
