// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "complaint.h"

#define MAX_PATTERNS	128

struct patterns {
	unsigned int nr;
	char text[MAX_PATTERNS][64];
};

static struct patterns offending, harmless;
static int log_fd = -1;

static bool load_patterns(struct patterns *patterns, const char *path)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	while (patterns->nr < MAX_PATTERNS &&
	       fgets(patterns->text[patterns->nr], sizeof(patterns->text[0]), file)) {
		char *text = patterns->text[patterns->nr];

		text[strcspn(text, "\n")] = '\0';
		if (*text)
			patterns->nr++;
	}
	fclose(file);
	return patterns->nr;
}

static bool matches_pattern(const struct patterns *patterns, const char *line)
{
	for (unsigned int i = 0; i < patterns->nr; i++)
		if (strstr(line, patterns->text[i]))
			return true;
	return false;
}

/**
 * complaint_open - heed what the kernel says from now on
 *
 * Return: whether that is possible here.
 */
bool complaint_open(void)
{
	if (!load_patterns(&offending, "/testvm/complaints") ||
	    !load_patterns(&harmless, "/testvm/harmless"))
		return false;
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return log_fd >= 0 && lseek(log_fd, 0, SEEK_END) >= 0;
}

/**
 * complaint_read - has the kernel complained since the last call?
 * @text: gets the first line that says so
 * @size: of @text
 *
 * Return: whether it has.
 */
bool complaint_read(char *text, size_t size)
{
	bool found = false;
	char record[8192];

	while (log_fd >= 0) {
		ssize_t n = read(log_fd, record, sizeof(record) - 1);
		char *line;

		/* Records that were lost: go on with those that are left. */
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			break;
		record[n] = '\0';
		line = strchr(record, ';');
		if (!line || found || !matches_pattern(&offending, line) ||
		    matches_pattern(&harmless, line))
			continue;
		snprintf(text, size, "%.*s", (int)strcspn(line + 1, "\n"), line + 1);
		found = true;
	}
	return found;
}
