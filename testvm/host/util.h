/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_UTIL_H
#define TESTVM_UTIL_H

#include <stddef.h>

#include "contents.h"
#include "message.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * xalloc() - allocate zeroed memory or end the program
 * @size: bytes
 */
void *xalloc(size_t size);

/**
 * write_all() - write everything, whatever write() manages at a time
 * @fd: where to
 * @data: what
 * @size: how much
 *
 * Return: 0, or -1 with errno set.
 */
int write_all(int fd, const void *data, size_t size);

/**
 * make_folders() - create a folder and those above it
 * @path: absolute path
 *
 * Return: 0, or -1 with errno set.
 */
int make_folders(const char *path);

/**
 * cache_folder() - where what outlives a run is kept
 *
 * Return: SECMMU_CACHE or the user's cache folder, never freed. kernel.sh has
 * the same rule.
 */
const char *cache_folder(void);

/**
 * seconds() - monotonic time
 */
double seconds(void);

#endif
