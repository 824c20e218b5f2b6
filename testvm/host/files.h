/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTVM_FILES_H
#define TESTVM_FILES_H

/**
 * files_unpack() - unpack what a guest sent back
 * @archive: a tar stream from the guest, not trusted
 * @folder: where to; made if it is missing
 *
 * Takes regular files and folders only, never leaves @folder, follows no link
 * in it, and replaces files that are there. Says what is wrong.
 *
 * Return: 0, or -1 if the archive is not complete and well-formed or a file
 * could not be written.
 */
int files_unpack(const char *archive, const char *folder);

#endif
