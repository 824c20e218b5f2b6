// SPDX-License-Identifier: GPL-2.0
/* What changes the file behind guest memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include "acts.h"
#include "operation.h"

/**
 * act_punch - punch a hole into the file
 */
ACT(punch)
{
	return memory_punch(scene->agent->judge->memory, scene->gpa, scene->length);
}

/**
 * act_truncate - cut the end of the file off, and let it grow again
 */
ACT(truncate)
{
	const struct memory *memory = scene->agent->judge->memory;
	off_t end = memory_offset(memory, scene->gpa) + (off_t)scene->length;

	if (ftruncate(memory->fd, end - (off_t)scene->length))
		return -errno;
	scene_expect_gap(scene);
	scene_linger(scene);
	if (ftruncate(memory->fd, end))
		scene_fail(scene, "the file does not grow", -errno);
	return 0;
}

/**
 * act_allocate - let the file have pages there, without anybody touching them
 */
ACT(allocate)
{
	const struct memory *memory = scene->agent->judge->memory;

	if (fallocate(memory->fd, 0, memory_offset(memory, scene->gpa), (off_t)scene->length))
		return -errno;
	scene->reached = true;
	return 0;
}

/**
 * usable_writeback - is there a disk that the file can be written to?
 */
USABLE(writeback)
{
	struct statfs fs;

	(void)operation;
	if (fstatfs(instance->memory->fd, &fs) ||
	    fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return -snprintf(why, size, "a memfd has no disk: --file PATH on a file system");
	return 0;
}

/**
 * act_writeback - pages are written to the disk: they are clean, and may not be written
 * without the file system's knowledge
 */
ACT(writeback)
{
	const struct memory *memory = scene->agent->judge->memory;

	return sync_file_range(memory->fd, memory_offset(memory, scene->gpa),
			       (off_t)scene->length,
			       SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			       SYNC_FILE_RANGE_WAIT_AFTER) ? -errno : 0;
}
