// SPDX-License-Identifier: GPL-2.0
/*
 * The guest is the thing under test, so its archive is read here rather than
 * by a program that would create whatever it says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "util.h"

#define BLOCK	512

/* One header block of a tar archive. */
struct header {
	char name[100];
	char mode[8];
	char owner[16];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char link[100];
	char magic[8];
	char names[64];
	char devices[16];
	char prefix[155];
	char rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

/* Octal digits, perhaps with spaces around them; -1 if there is more. */
static long long octal(const char *field, size_t size)
{
	long long value = 0;
	size_t i = 0;

	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		value = value * 8 + field[i] - '0';
	return i < size && field[i] && field[i] != ' ' ? -1 : value;
}

static bool sum_is_right(const struct header *header)
{
	const unsigned char *bytes = (const void *)header;
	long long sum = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		bool in_sum = i >= offsetof(struct header, sum) &&
			      i < offsetof(struct header, type);

		sum += in_sum ? ' ' : bytes[i];
	}
	return sum == octal(header->sum, sizeof(header->sum));
}

/*
 * Opens the folder that holds the last part of @path, making folders on the
 * way, and points @last to that part. Returns -1 for a path that leads out.
 */
static int open_parent(int top, char *path, char **last)
{
	int at = dup(top), next;
	char *part, *save, *following;

	part = strtok_r(path, "/", &save);
	*last = NULL;
	for (; part && at >= 0; part = following) {
		following = strtok_r(NULL, "/", &save);
		if (!strcmp(part, ".."))
			goto bad;
		if (!strcmp(part, "."))
			continue;
		*last = part;
		if (!following)
			break;
		if (mkdirat(at, part, 0755) && errno != EEXIST)
			goto bad;
		next = openat(at, part, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			goto bad;
		close(at);
		at = next;
	}
	return at;
bad:
	close(at);
	return -1;
}

/* Writes one file or folder; @path is cut up on the way. */
static int unpack_one(int top, char *path, const struct header *header,
		      const char *data, size_t size)
{
	bool folder = header->type == '5';
	mode_t mode = octal(header->mode, sizeof(header->mode)) & 0777;
	char *last;
	int at, fd, ret = 0;

	at = open_parent(top, path, &last);
	if (at < 0)
		return -1;
	if (!last)
		goto out;	/* the top folder itself */
	if (folder) {
		ret = mkdirat(at, last, 0755);
		if (ret && errno == EEXIST)
			ret = 0;
		goto out;
	}
	/* Not O_TRUNC: what is there may be a link, or linked elsewhere. */
	unlinkat(at, last, 0);
	fd = openat(at, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    mode | 0600);
	if (fd < 0) {
		ret = -1;
		goto out;
	}
	ret = write_all(fd, data, size);
	close(fd);
out:
	close(at);
	return ret;
}

/* The name of an entry: from an entry before it if it was a long one. */
static char *entry_name(const struct header *header, char **long_name)
{
	char *name = *long_name;

	*long_name = NULL;
	if (name)
		return name;
	if (!memcmp(header->magic, "ustar\0", 6) && header->prefix[0])
		return format("%.155s/%.100s", header->prefix, header->name);
	return format("%.100s", header->name);
}

/* Unpacks all entries; true when the archive's end mark was met. */
static bool unpack_all(int top, const char *data, size_t size)
{
	static const char zeros[BLOCK];
	char *long_name = NULL;
	size_t at = 0;

	while (size - at >= BLOCK && memcmp(data + at, zeros, BLOCK)) {
		const struct header *header = (const void *)(data + at);
		long long length = octal(header->size, sizeof(header->size));
		const char *content = data + at + BLOCK;
		char *name;

		if (!sum_is_right(header) || length < 0 ||
		    (unsigned long long)length > size - at - BLOCK)
			break;
		at += BLOCK + (length + BLOCK - 1) / BLOCK * BLOCK;
		if (at > size)
			break;
		if (header->type == 'L') {
			free(long_name);
			long_name = format("%.*s", (int)length, content);
			continue;
		}
		name = entry_name(header, &long_name);
		if (header->type != '0' && header->type != '5' && header->type) {
			say("left out of the guest's files, since it is no file: %s",
			    name);
		} else if (unpack_one(top, name, header, content, length)) {
			say("cannot unpack %s from the guest: %s", name,
			    strerror(errno));
			free(name);
			break;
		}
		free(name);
	}
	free(long_name);
	return at <= size && size - at >= BLOCK && !memcmp(data + at, zeros, BLOCK);
}

int files_unpack(const char *archive, const char *folder)
{
	size_t size;
	char *data;
	bool whole;
	int top;

	data = read_file(archive, &size);
	if (!data) {
		say("%s: %s", archive, strerror(errno));
		return -1;
	}
	top = open(folder, O_DIRECTORY | O_CLOEXEC);
	if (top < 0) {
		say("%s: %s", folder, strerror(errno));
		free(data);
		return -1;
	}
	whole = unpack_all(top, data, size);
	if (!whole)
		say("the files from the guest are not complete");
	close(top);
	free(data);
	return whole ? 0 : -1;
}
