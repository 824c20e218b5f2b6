// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contents.h"
#include "message.h"

/* What a shell says, too. */
#define PROGRAM_NOT_FOUND	127

/* Reads to the end of the file or pipe. */
static char *read_fd(int fd, size_t *size)
{
	size_t used = 0, room = 1 << 16;
	char *data = malloc(room + 1);

	if (!data)
		die("out of memory");
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
		_exit(PROGRAM_NOT_FOUND);
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
