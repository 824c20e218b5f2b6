// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own archive format: per entry a header of hexadecimal numbers,
 * the name, the content, each padded to four bytes ("newc" cpio). It is left
 * uncompressed: reading it from memory is faster than unpacking it under
 * emulation.
 */
#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs.h"
#include "util.h"

#define BUFFER_SIZE	(1 << 20)

struct initramfs {
	FILE *file;
	const char *path;
	unsigned int inode;
	size_t size;
	char buffer[BUFFER_SIZE];
};

static void put(struct initramfs *fs, const void *data, size_t size)
{
	static const char zeros[4];
	size_t padding = -(fs->size + size) % 4;

	if (fwrite(data, 1, size, fs->file) != size ||
	    fwrite(zeros, 1, padding, fs->file) != padding)
		die("cannot write %s: %s", fs->path, strerror(errno));
	fs->size += size + padding;
}

/*
 * @path is absolute, but the archive's names are relative to the root. All times are zero:
 * the same files make the same archive.
 */
static void put_entry(struct initramfs *fs, const char *path, unsigned int mode,
		      const void *data, size_t size)
{
	char *entry;
	size_t name;

	while (*path == '/')
		path++;
	if (size > 0xffffffff)
		die("%s is too large for an initramfs", path);
	name = strlen(path) + 1;
	/* Magic, inode, mode, owner, group, links, mtime, size, 4 devices, name. */
	entry = format("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s",
		       ++fs->inode, mode, 0, 0, 1, 0, (unsigned int)size,
		       0, 0, 0, 0, (unsigned int)name, 0, path);
	put(fs, entry, strlen(entry) + 1);
	put(fs, data, size);
	free(entry);
}

struct initramfs *initramfs_open(const char *path)
{
	struct initramfs *fs = xalloc(sizeof(*fs));

	fs->path = path;
	fs->file = fopen(path, "we");
	if (!fs->file)
		die("cannot write %s: %s", path, strerror(errno));
	setvbuf(fs->file, fs->buffer, _IOFBF, sizeof(fs->buffer));
	return fs;
}

void initramfs_folder(struct initramfs *fs, const char *path)
{
	put_entry(fs, path, S_IFDIR | 0755, "", 0);
}

void initramfs_data(struct initramfs *fs, const char *path, unsigned int mode,
		    const void *data, size_t size)
{
	put_entry(fs, path, S_IFREG | mode, data, size);
}

void initramfs_file(struct initramfs *fs, const char *path, unsigned int mode,
		    const char *host)
{
	size_t size;
	char *data = read_file(host, &size);

	if (!data)
		die("cannot read %s: %s", host, strerror(errno));
	initramfs_data(fs, path, mode, data, size);
	free(data);
}

static void put_node(struct initramfs *fs, const char *host, const char *path,
		     const struct stat *st)
{
	size_t size = 0;
	char *data;

	if (S_ISREG(st->st_mode)) {
		data = read_file(host, &size);
	} else if (S_ISLNK(st->st_mode)) {
		data = xalloc(st->st_size + 1);
		if (readlink(host, data, st->st_size + 1) != st->st_size) {
			free(data);
			data = NULL;
		}
		size = st->st_size;
	} else {
		data = xalloc(1);
	}
	if (!data)
		die("cannot read %s: %s", host, strerror(errno));
	put_entry(fs, path, st->st_mode, data, size);
	free(data);
}

/* By name: in which order a folder lists its files is chance. */
static int compare_names(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void initramfs_tree(struct initramfs *fs, const char *host)
{
	char *roots[] = { (char *)host, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR,
			     compare_names);
	FTSENT *entry;

	if (!walk)
		die("cannot read %s: %s", host, strerror(errno));
	while ((entry = fts_read(walk))) {
		const char *path = entry->fts_path + strlen(host);

		switch (entry->fts_info) {
		case FTS_ERR:
		case FTS_DNR:
		case FTS_NS:
			die("cannot read %s: %s", entry->fts_path,
			    strerror(entry->fts_errno));
		case FTS_D:
		case FTS_F:
		case FTS_SL:
		case FTS_SLNONE:
			if (entry->fts_level > 0)
				put_node(fs, entry->fts_path, path,
					 entry->fts_statp);
			else if (entry->fts_info != FTS_D)
				die("%s is no folder", host);
		}
	}
	fts_close(walk);
}

size_t initramfs_close(struct initramfs *fs)
{
	size_t size;

	put_entry(fs, "TRAILER!!!", 0, "", 0);
	size = fs->size;
	if (fclose(fs->file))
		die("cannot write %s: %s", fs->path, strerror(errno));
	free(fs);
	return size;
}
