// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "basics.h"
#include "histogram.h"

#define ENTRIES	8192

int tracing_write(const char *file, const char *text)
{
	int fd = open(format(TRACING "%s", file), O_WRONLY | O_APPEND | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static const char *path_of(const char *event, const char *file)
{
	return format("events/%s/%s", event, file);
}

static void set_trigger(const char *event, const char *off, const char *keys)
{
	int ret = tracing_write(path_of(event, "trigger"),
				format("%shist:keys=%s:size=%u", off, keys, ENTRIES));

	if (ret)
		die("no histogram of %s: %s", event, strerror(-ret));
}

bool histogram_is_possible(const char *event)
{
	return !access(format(TRACING "%s", path_of(event, "hist")), R_OK);
}

void histogram_begin(const char *event, const char *keys)
{
	set_trigger(event, "", keys);
}

FILE *histogram_open(const char *event)
{
	return fopen(format(TRACING "%s", path_of(event, "hist")), "re");
}

void histogram_end(const char *event, const char *keys)
{
	set_trigger(event, "!", keys);
}

unsigned long long histogram_hits(const char *line)
{
	const char *count = strstr(line, "} hitcount:");
	unsigned long long hits = 0;

	if (sscanf(line, " Dropped: %llu", &hits) == 1 && hits)
		die("a histogram has lost %llu events", hits);
	if (!count || sscanf(count, "} hitcount: %llu", &hits) != 1)
		return 0;
	return hits;
}
