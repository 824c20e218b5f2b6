// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "util.h"

void *xalloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		die("out of memory");
	return memory;
}

int write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		size -= n;
	}
	return 0;
}

int make_folders(const char *path)
{
	char *copy = format("%s", path);
	int ret;

	for (char *slash = strchr(copy + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);	/* the last one tells */
		*slash = '/';
	}
	ret = mkdir(copy, 0755);
	if (ret && errno == EEXIST)
		ret = 0;
	free(copy);
	return ret;
}

const char *cache_folder(void)
{
	static char *folder;
	const char *value;

	if (folder)
		return folder;
	value = getenv("SECMMU_CACHE");
	if (value && *value)
		return folder = format("%s", value);
	value = getenv("XDG_CACHE_HOME");
	if (value && *value)
		return folder = format("%s/secmmu", value);
	value = getenv("HOME");
	return folder = format("%s/.cache/secmmu", value ? value : "");
}

double seconds(void)
{
	return clock_ns() / 1e9;
}
