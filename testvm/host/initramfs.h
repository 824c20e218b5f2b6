/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_INITRAMFS_H
#define TESTVM_INITRAMFS_H

#include <stddef.h>

struct initramfs;

/**
 * initramfs_open() - begin an archive that the kernel unpacks as its root
 * @path: the file to write
 *
 * Every failure to write ends the program.
 */
struct initramfs *initramfs_open(const char *path);

/**
 * initramfs_folder() - add a folder
 * @fs: the archive
 * @path: absolute path in the guest; what is above it must be there already
 */
void initramfs_folder(struct initramfs *fs, const char *path);

/**
 * initramfs_data() - add a file from memory
 * @fs: the archive
 * @path: absolute path in the guest
 * @mode: permissions
 * @data: its content
 * @size: of @data in bytes
 */
void initramfs_data(struct initramfs *fs, const char *path, unsigned int mode,
		    const void *data, size_t size);

/**
 * initramfs_file() - add a file from the host
 * @fs: the archive
 * @path: absolute path in the guest
 * @mode: permissions
 * @host: path of the file on the host
 */
void initramfs_file(struct initramfs *fs, const char *path, unsigned int mode,
		    const char *host);

/**
 * initramfs_tree() - add all files, folders and links below a folder
 * @fs: the archive
 * @host: the folder on the host whose content goes to the guest's root
 *
 * What is there already is replaced. Devices and sockets are left out.
 */
void initramfs_tree(struct initramfs *fs, const char *host);

/**
 * initramfs_close() - finish the archive
 * @fs: the archive; freed
 *
 * Return: its size in bytes.
 */
size_t initramfs_close(struct initramfs *fs);

#endif
