// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "guest.h"
#include "util.h"

void *xalloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		die("out of memory");
	return memory;
}

/* Reads to the end of the file or pipe. */
static char *read_fd(int fd, size_t *size)
{
	size_t used = 0, room = 1 << 16;
	char *data = xalloc(room + 1);

	for (;;) {
		ssize_t n = read(fd, data + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(data);
			return NULL;
		}
		if (!n)
			break;
		used += n;
		if (used == room) {
			room *= 2;
			data = realloc(data, room + 1);
			if (!data)
				die("out of memory");
		}
	}
	data[used] = '\0';
	if (size)
		*size = used;
	return data;
}

char *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
	char *data;

	if (fd < 0)
		return NULL;
	data = read_fd(fd, size);
	saved = errno;
	close(fd);
	errno = saved;
	return data;
}

char *read_program(char *const argv[], size_t *size)
{
	int pipes[2], status;
	char *data;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return NULL;
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(STATUS_NOT_FOUND);
	}
	close(pipes[1]);
	data = pid < 0 ? NULL : read_fd(pipes[0], size);
	close(pipes[0]);
	if (pid < 0)
		return NULL;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status) {
		free(data);
		return NULL;
	}
	return data;
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
